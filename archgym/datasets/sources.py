"""What a path holds: a run directory, a study, one task of a study, an exported dataset, or evaluated designs.

Only JSON and Parquet are read. Nothing that a file names is imported or executed: a simulator given by path in a
manifest is a name here, no more.
"""

from __future__ import annotations

__all__ = ["CROISSANT", "DATA", "FORMAT", "METADATA", "Source", "sources_of"]

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archgym.datasets.evaluated import EVALUATION, SCORED, SEAL, Evaluated, seal_of
from archgym.datasets.parquet_reading import opened
from archgym.datasets.schema import DatasetWorkload, Schema, SourceRun
from archgym.recorded_run import RecordedRun
from archgym.run_directory import EVALUATIONS, MANIFEST, RESULT, RunManifest, read_json
from archgym.run_directory import FORMAT as RUN_FORMAT
from archgym.studies.records import PROBLEM
from archgym.studies.tables import RUNS, evaluations_name
from archgym_simulators import InputError

FORMAT = 1
METADATA = b"archgym dataset"
DATA, CROISSANT = "data.parquet", "croissant.json"
_BYTES_AT_ONCE = 1 << 20
_TASK_FILE = re.compile(r"evaluations-(\d{3,})\.parquet")


@dataclass(frozen=True)
class Source:
    """One Parquet file of evaluations, and what its rows mean.

    Attributes:
        file: the Parquet file.
        schema: of its rows.
        workloads: those that are described; rows may be of others.
        runs: that made the rows.
        counts: rows of each run, one run after the other; None where a column names the run.
        label: what to call it in a message.
        distinct: whether no design is repeated.
        whole_runs: whether every evaluation of its runs is there, but for failed ones.
        evaluated: what the rows share where they are those of ``archgym evaluate``.
    """

    file: Path
    schema: Schema
    workloads: tuple[DatasetWorkload, ...]
    runs: tuple[SourceRun, ...]
    counts: tuple[int, ...] | None
    label: str
    distinct: bool = False
    whole_runs: bool = True
    evaluated: Evaluated | None = None


def sources_of(path: Path) -> list[Source]:
    """Every file of evaluations behind a path.

    Raises:
        InputError: no such file, one that is none of ours, a search that has not ended, or improvements only.
    """
    if path.is_dir():
        return _of_directory(path)
    if not path.exists():
        raise InputError(f"no file or directory {str(path)!r}")
    if (path.parent / MANIFEST).is_file() and (path.name == EVALUATIONS or _TASK_FILE.fullmatch(path.name)):
        found = [source for source in _of_directory(path.parent) if source.file.name == path.name]
        if found:
            return found
    return [_exported(path)]


def _of_directory(folder: Path) -> list[Source]:
    if (folder / MANIFEST).is_file():
        with _understood(folder / MANIFEST):
            return _study(folder) if "study" in read_json(folder / MANIFEST) else [_run(folder)]
    if (folder / DATA).is_file():
        return [_exported(folder / DATA)]
    raise InputError(
        f"{str(folder)!r} holds no run, study or dataset: it has neither {MANIFEST} nor {DATA}; name one inside it"
    )


# ---- run directories -------------------------------------------------------------------------------------------------


def _run(folder: Path) -> Source:
    run = RecordedRun.open(folder)
    _check_recorded(folder, run.identity["budget"]["record"], ended=run.result is not None)
    schema, workload = _declared(folder / MANIFEST, run.manifest.about, run.identity["problem"], run.identity)
    with opened(folder / EVALUATIONS) as file:
        counts = (file.metadata.num_rows,)
    return Source(folder / EVALUATIONS, schema, (workload,), (_source_run(run.manifest),), counts, str(folder))


def _source_run(manifest: RunManifest) -> SourceRun:
    identity = manifest.identity
    return SourceRun(
        run_id=manifest.digest[:16],
        agent=identity["agent"]["name"],
        seed=identity["seed"],
        settings=identity["agent"]["config"],
        task=identity.get("task", {}).get("name", ""),
        objectives=tuple(identity["problem"]["objectives"]),
        constraints=tuple(identity["problem"]["constraints"]),
        archgym=manifest.about["archgym"],
    )


def _check_recorded(folder: Path, record: str, *, ended: bool) -> None:
    if not ended:
        raise InputError(f"{folder} has not ended: the command that made it resumes it")
    if record != "all":
        raise InputError(f"{folder} recorded improvements only; record all to keep every evaluation")


def _declared(
    file: Path, about: Mapping[str, Any], problem: Mapping[str, Any], versions: Mapping[str, Any]
) -> tuple[Schema, DatasetWorkload]:
    """The schema of a manifest, and the workload that its simulator was bound to."""
    declared = about.get("declaration")
    if declared is None:
        raise InputError(f"{file} does not say what its columns mean: an older archgym wrote it; run it again")
    workload = declared["workload"]
    schema = Schema.from_json(
        {
            "env_id": problem["env_id"],
            "options": problem["options"],
            "simulator_version": versions["simulator_version"],
            "source": versions["source"],
            "space": declared["space"],
            "space_digest": versions["space"],
            "metrics": declared["metrics"],
            "feature_names": workload["feature_names"],
        }
    )
    return schema, DatasetWorkload(workload["name"], tuple(workload["features"]), workload["digest"])


# ---- studies ---------------------------------------------------------------------------------------------------------


def _study(folder: Path) -> list[Source]:
    manifest = read_json(folder / MANIFEST)
    _check_recorded(folder, manifest["study"]["record"], ended=(folder / RESULT).is_file())
    names = [PROBLEM, "run_id", "evaluations", "agent", "seed", "settings", "task", "objective", "constraints"]
    with opened(folder / RUNS) as file:
        rows = file.read(columns=names).to_pylist()
    sources = []
    for place, (task, versions) in enumerate(zip(manifest["tasks"], manifest["study"]["tasks"], strict=True)):
        file_name = evaluations_name(place)
        if not (folder / file_name).is_file():
            continue  # every run of it failed before its first evaluation
        mine = [row for row in rows if row[PROBLEM] == place]
        schema, workload = _declared(folder / MANIFEST, task, versions["problem"], versions)
        runs = tuple(_run_of_study(row, manifest["about"]["archgym"]) for row in mine)
        counts = tuple(int(row["evaluations"]) for row in mine)
        sources.append(Source(folder / file_name, schema, (workload,), runs, counts, str(folder / file_name)))
    if not sources:
        raise InputError(f"{folder} holds no evaluations: every run failed")
    return sources


def _run_of_study(row: Mapping[str, Any], archgym: str) -> SourceRun:
    return SourceRun(
        run_id=row["run_id"],
        agent=row["agent"],
        seed=row["seed"],
        settings=json.loads(row["settings"]),
        task=row["task"],
        objectives=tuple(json.loads(row["objective"])),
        constraints=tuple(json.loads(row["constraints"])),
        archgym=archgym,
    )


# ---- files that describe themselves ----------------------------------------------------------------------------------


def _check_digest(folder: Path) -> None:
    """The card holds the hash of the file; without a card there are the checksums of its pages."""
    if not (folder / CROISSANT).is_file():
        return
    files = read_json(folder / CROISSANT).get("distribution")
    first = files[0] if isinstance(files, list) and files else None
    wanted = first.get("sha256") if isinstance(first, dict) else None
    if file_digest(folder / DATA) != wanted:
        raise InputError(f"{folder / DATA} is damaged: its content is not the one that {CROISSANT} names")


def file_digest(path: Path) -> str:
    """SHA-256 of a file, as text."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BYTES_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()


def _exported(path: Path) -> Source:
    if path.name == DATA:
        _check_digest(path.parent)
    if path.suffix.lower() == ".csv":
        raise InputError(f"{path} cannot say what its columns mean; 'archgym evaluate --out FILE.parquet' can")
    with opened(path) as file:
        metadata, count = file.schema_arrow.metadata or {}, file.metadata.num_rows
    if EVALUATION in metadata:
        with _understood(path):
            return _evaluated(path, json.loads(metadata[EVALUATION]), count)
    if METADATA not in metadata:
        raise InputError(
            f"{path} does not say what its columns mean: 'archgym dataset export' and 'archgym evaluate' write files "
            "that do, and other programs lose it"
        )
    with _understood(path):
        about = json.loads(metadata[METADATA])
        _check_format(path, about["format"], FORMAT)
        schema = Schema.from_json(about["schema"])
        workloads = tuple(DatasetWorkload(w["name"], tuple(w["features"]), w["digest"]) for w in about["workloads"])
        runs = tuple(SourceRun.from_json(run) for run in about["runs"])
        flags = bool(about["distinct"]), bool(about["whole_runs"])
        return Source(path, schema, workloads, runs, None, str(path), *flags)


def _check_format(path: Path, found: object, wanted: int) -> None:
    if found != wanted:
        raise InputError(f"{path} has format {found!r}, this installation reads format {wanted}")


def _evaluated(path: Path, about: Mapping[str, Any], count: int) -> Source:
    manifest = RunManifest(about["identity"], about["about"])
    _check_format(path, manifest.identity["format"], RUN_FORMAT)
    if seal_of(about) != about[SEAL]:
        raise InputError(f"{path} is damaged: its description has been changed")
    schema, workload = _declared(path, manifest.about, manifest.identity["problem"], manifest.identity)
    shared = Evaluated(workload.name, schema.simulator_version, bool(about[SCORED]))
    run = _source_run(manifest)
    return Source(path, schema, (workload,), (run,), (count,), str(path), whole_runs=False, evaluated=shared)


@contextmanager
def _understood(path: Path) -> Iterator[None]:
    """What a file says in JSON, where it may have been edited, or be anything.

    Raises:
        InputError: with the file's name.
    """
    try:
        yield
    except InputError as error:
        raise error if str(path.parent) in str(error) else InputError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: {type(error).__name__} {error} in its description") from error
