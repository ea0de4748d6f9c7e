"""The card of a dataset for machines: Croissant 1.1 metadata (JSON-LD).

The MLCommons format specification 1.1, http://mlcommons.org/croissant/1.1. Coverage of parameters and
ranges of metrics are schema.org's ``variableMeasured``; the agents that made the rows are PROV's ``wasGeneratedBy``.
"""

from __future__ import annotations

__all__ = ["Publication", "croissant", "description_of", "meaning_of"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archgym.datasets.summary import Summary
from archgym_simulators import Parameter
from archgym_simulators.nearest import allowed_values
from archgym_simulators.parameters import Scalar
from archgym_simulators.space import rounded

if TYPE_CHECKING:
    from archgym.datasets.dataset import Dataset

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
DATA_FILE = "data.parquet"
_SHOWN_RUNS = 50


@dataclass(frozen=True)
class Publication:
    """What a card says beyond the data.

    Attributes:
        name: of the dataset.
        date: of publication, ISO 8601.
        license: an SPDX identifier such as ``CC-BY-4.0``, or a URL; "" where nobody has stated one.
        creator: person or organisation; "" where unknown.
        url: of the dataset's page; "" where it has none yet.
        description: a sentence or two; made from the data where "".
    """

    name: str
    date: str
    license: str = ""
    creator: str = ""
    url: str = ""
    description: str = ""

    @property
    def license_url(self) -> str:
        """The licence's page; "" where none is stated."""
        if not self.license or "://" in self.license:
            return self.license
        return f"https://spdx.org/licenses/{self.license}.html"


def croissant(data: Dataset, about: Publication, *, digest: str, size: int) -> dict[str, Any]:
    """The metadata of a dataset whose rows are in ``data.parquet``.

    Args:
        data: the dataset.
        about: what the card says beyond it.
        digest: SHA-256 of the file.
        size: its bytes.
    """
    summary = data.summary()
    unstated = {"@type": "sc:CreativeWork", "name": "No licence stated"}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "description": about.description or description_of(data, summary),
        "license": about.license_url or unstated,
        # A dataset that is not published has no page; its content still has a name that nothing else has.
        "url": about.url or f"urn:sha256:{digest}",
        "creator": {"@type": "sc:Organization", "name": about.creator or "unknown"},
        "datePublished": about.date,
        "version": "1.0.0",
        "keywords": ["design-space exploration", "computer architecture", data.schema.env_id],
        "isLiveDataset": False,
        "variableMeasured": [*_parameters_measured(data, summary), *_metrics_measured(data, summary)],
        "prov:wasGeneratedBy": _activities(data),
        "distribution": [_file(digest, size)],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "evaluations",
                "name": "evaluations",
                "description": "designs that were simulated, with their metrics",
                "field": [_field(name, kind, text) for name, kind, text in _fields(data, summary)],
            }
        ],
    }


# ---- shared with the card for people ---------------------------------------------------------------------------------


def description_of(data: Dataset, summary: Summary) -> str:
    """What the dataset is, in two sentences."""
    return (
        f"{summary.rows:,} evaluations of {summary.designs:,} designs of {data.schema.env_id} (simulator version "
        f"{data.schema.simulator_version}, {rounded(summary.space_size)} designs in all) on {len(summary.workloads):,} "
        f"workload{'s' * (len(summary.workloads) != 1)}, found by {', '.join(summary.agents) or 'no agent'}. "
        f"{summary.valid:.1%} are valid."
    )


def meaning_of(parameter: Parameter) -> str:
    """What a parameter is, with its unit."""
    unit = getattr(parameter, "unit", "")
    return f"{parameter.description}{f' ({unit})' if unit else ''}" or parameter.name


# ---- Croissant -------------------------------------------------------------------------------------------------------


def _file(digest: str, size: int) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": DATA_FILE,
        "name": DATA_FILE,
        "description": "one row a design and workload",
        "contentUrl": DATA_FILE,
        "contentSize": f"{size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": digest,
    }


def _parameters_measured(data: Dataset, summary: Summary) -> list[dict[str, Any]]:
    return [
        {
            "@type": "sc:PropertyValue",
            "name": name,
            "description": f"{meaning_of(data.space.parameter(name))}; {one.values:,} of {one.size:,} values seen",
            "value": one.values / one.size,
            "measurementTechnique": "share of the parameter's values that occur",
        }
        for name, one in summary.parameters.items()
    ]


def _metrics_measured(data: Dataset, summary: Summary) -> list[dict[str, Any]]:
    found = []
    for metric in data.metrics:
        one = summary.metrics[metric.name]
        bounds = {"minValue": one.low, "maxValue": one.high} if one.low == one.low else {}  # JSON has no NaN
        about = {"@type": "sc:PropertyValue", "name": metric.name, "description": metric.description or metric.name}
        found.append({**about, **({"unitText": one.unit} if one.unit else {}), **bounds})
    return found


def _activities(data: Dataset) -> list[dict[str, Any]]:
    """One activity a setting of an agent, with its seeds: there may be thousands of runs."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for run in data.runs:
        settings = ", ".join(f"{name}={value}" for name, value in sorted(run.settings.items()))
        groups.setdefault((run.agent, settings, run.archgym), []).append(str(run.seed))
    return [
        {
            "@type": "prov:Activity",
            "prov:label": f"search by {agent} ({settings or 'no settings'}); {len(seeds):,} runs, seeds "
            f"{allowed_values(seeds, _SHOWN_RUNS)}; archgym {version or 'unknown'}",
            "prov:wasAssociatedWith": {"@type": "prov:SoftwareAgent", "prov:label": agent},
        }
        for (agent, settings, version), seeds in groups.items()
    ]


def _fields(data: Dataset, summary: Summary) -> list[tuple[str, str, str]]:
    """Name, type and description of every column of the file."""
    found = [(p.name, _type_of(p), meaning_of(p)) for p in data.space.parameters]
    for metric in data.metrics:
        unit = summary.metrics[metric.name].unit
        found.append((metric.name, "sc:Float", f"{metric.description or metric.name}{f', in {unit}' if unit else ''}"))
    return found + list(_PROVENANCE)


def _type_of(parameter: Parameter) -> str:
    """As `archgym.datasets.export` writes it: text where values are not all of one kind of number."""
    kinds = {type(choice) for choice in parameter.choices} if isinstance(parameter, Scalar) else {str}
    if isinstance(parameter, Scalar) and isinstance(parameter.choices, range):
        kinds = {int}
    names = {bool: "sc:Boolean", int: "sc:Integer", float: "sc:Float"}
    if len(kinds) == 1:
        return names.get(next(iter(kinds)), "sc:Text")
    return "sc:Float" if kinds == {int, float} else "sc:Text"


def _field(name: str, kind: str, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"evaluations/{name}",
        "name": name,
        "description": description,
        "dataType": kind,
        "source": {"fileObject": {"@id": DATA_FILE}, "extract": {"column": name}},
    }


_PROVENANCE = (
    ("status", "sc:Text", "ok, or invalid: the design breaks a rule and has no metrics"),
    ("reward", "sc:Float", "as the objective of the run scored it; rewards of different objectives do not compare"),
    ("feasible", "sc:Boolean", "whether it met the constraints of the run"),
    ("workload", "sc:Text", "what the architecture ran"),
    ("agent", "sc:Text", "search agent that found the design (first)"),
    ("seed", "sc:Integer", "of the agent's random draws"),
    ("run_id", "sc:Text", "content hash of the run"),
    ("step", "sc:Integer", "place within the run, from 0"),
    ("simulator_version", "sc:Text", "changes whenever a number changes"),
)

_TERMS = (
    *("annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes", "extract"),
    *("field", "fileProperty", "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath"),
    *("key", "md5", "parentField", "path", "recordSet", "references", "regex", "readLines", "repeated", "replace"),
    *("samplingRate", "sdVersion", "separator", "source", "subField", "transform", "unArchive", "value"),
)
# Appendix 1 of the specification, with the terms and the https of its reference implementation (mlcroissant 1.1), and
# PROV, which its section on provenance uses.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}
