"""Proxies on disk: a manifest in JSON, arrays in npz files, LightGBM's models in its own text. Nothing is executed.

No pickle is written, and none is read: arrays are loaded as plain numbers, checked to be what they should be before a
compiled loop walks through them, and text models are parsed here. The manifest has a content hash of every file and of
itself; a file that is missing, cut, changed or foreign is refused in one line.
"""

from __future__ import annotations

__all__ = ["load_proxy", "save_proxy"]

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.datasets.new_directory import new_directory
from archgym.datasets.schema import DatasetWorkload, Schema
from archgym.proxies.features import DesignFeatures
from archgym.proxies.lightgbm_text import trees_of_text
from archgym.proxies.proxy import MetricModel, Proxy
from archgym.proxies.region import Region
from archgym.proxies.regressors import Regressor, model_types
from archgym_simulators import InputError, Metric

MANIFEST = "proxy.json"
FORMAT = "archgym-proxy 1"
_LARGEST_MANIFEST = 1 << 26
_REFUSED = (OSError, ValueError, KeyError, TypeError, EOFError, IndexError, zipfile.BadZipFile)


def save_proxy(proxy: Proxy, out: Path | str) -> Path:
    """Write a proxy into a new directory, which appears whole or not at all.

    Raises:
        InputError: the directory is there already, or cannot be made.
    """
    contents = {"region.npz": _packed(proxy.region.arrays())}
    if proxy.validity is not None:
        contents["validity.npz"] = _packed(proxy.validity.arrays())
    described = []
    for place, model in enumerate(proxy.models):
        stem = f"model-{place:02}"
        contents[f"{stem}-residuals.npz"] = _packed({"residuals": model.residuals})
        file = f"{stem}.txt" if model.text else f"{stem}.npz"
        contents[file] = model.text.encode() if model.text else _packed(model.regressor.arrays())
        described.append(_described(model, file))
    manifest = {
        "format": FORMAT,
        "schema": proxy.schema.to_json(),
        "units": dict(proxy.schema.units),
        "workloads": [asdict(one) for one in proxy.workloads],
        "uses_workload": proxy.uses_workload,
        "models": described,
        "validity": None if proxy.validity is None else proxy.validity.kind,
        "training": dict(proxy.training),
        "scores": dict(proxy.scores),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    manifest["digest"] = _digest(manifest)
    with new_directory(Path(out)) as part:
        for name, content in contents.items():
            (part / name).write_bytes(content)
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1))
    return Path(out)


def load_proxy(path: Path | str) -> Proxy:
    """Read a proxy; nothing that it holds is executed.

    Raises:
        InputError: no proxy, or one that is cut, changed or of another format.
    """
    folder = Path(path)
    manifest = _manifest(folder)
    try:
        return _assembled(folder, manifest)
    except InputError as error:
        raise InputError(f"proxy {folder}: {error}") from error
    except _REFUSED as error:
        raise InputError(f"proxy {folder} is damaged: {type(error).__name__} {error}") from error


def proxy_digest(path: Path | str) -> str:
    """The content hash of a proxy, of which its manifest is the witness."""
    return str(_manifest(Path(path))["digest"])


def _described(model: MetricModel, file: str) -> dict[str, Any]:
    return {
        "metric": asdict(model.metric),
        "is_log": model.is_log,
        "kind": model.regressor.kind,
        "settings": dict(model.settings),
        "file": file,
    }


def _packed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _digest(manifest: Mapping[str, Any]) -> str:
    content = {name: value for name, value in manifest.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _manifest(folder: Path) -> dict[str, Any]:
    file = folder / MANIFEST
    if not file.is_file():
        what = "does not exist" if not folder.exists() else f"is no proxy: it has no {MANIFEST}"
        raise InputError(f"{folder} {what}; make one with: archgym proxy fit DATA --out {folder}")
    try:
        if file.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError("too large")
        manifest = json.loads(file.read_text(encoding="utf-8"))
        found = manifest.get("format") if isinstance(manifest, dict) else None
    except _REFUSED as error:
        raise InputError(f"{file} is no manifest of a proxy: {type(error).__name__} {error}") from error
    if found != FORMAT:
        raise InputError(f"{file} has the format {found!r}; this version of archgym reads {FORMAT!r}")
    if manifest.get("digest") != _digest(manifest):
        raise InputError(f"{file} has been changed: its content hash is another one")
    return manifest  # type: ignore[no-any-return]


def _assembled(folder: Path, manifest: Mapping[str, Any]) -> Proxy:
    schema = Schema.from_json(manifest["schema"])
    uses_workload = bool(manifest["uses_workload"])
    features = DesignFeatures(schema.space, schema.feature_names if uses_workload else ())
    contents = {name: _read(folder, name, digest) for name, digest in manifest["files"].items()}
    models = tuple(_model(one, place, contents, features) for place, one in enumerate(manifest["models"]))
    if tuple(model.metric for model in models) != schema.metrics:
        raise InputError("its models are not those of its metrics")
    kind = manifest["validity"]
    validity = None if kind is None else _regressor(kind, _unpacked(contents["validity.npz"]), features)
    width = len(features.workload_names)
    return Proxy(
        schema=schema,
        workloads=tuple(
            DatasetWorkload(str(one["name"]), tuple(map(float, one["features"])), str(one["digest"]))
            for one in manifest["workloads"]
        ),
        uses_workload=uses_workload,
        models=models,
        validity=validity,
        region=Region.from_arrays(_unpacked(contents["region.npz"]), features.level_counts, width),
        training={**manifest["training"], "proxy": manifest["digest"]},
        scores=manifest["scores"],
    )


def _read(folder: Path, name: str, digest: str) -> bytes:
    if Path(name).name != name:
        raise InputError(f"its manifest names a file {name!r} elsewhere")
    file = folder / name
    if not file.is_file():
        raise InputError(f"{name} is missing")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{name} has been changed or cut: its content hash is another one")
    return content


def _unpacked(content: bytes) -> dict[str, NDArray[Any]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _model(
    described: Mapping[str, Any], place: int, contents: Mapping[str, bytes], features: DesignFeatures
) -> MetricModel:
    content = contents[described["file"]]
    text = content.decode("utf-8") if described["file"].endswith(".txt") else ""
    if text:
        regressor: Regressor = trees_of_text(text, len(features.names))
    else:
        regressor = _regressor(described["kind"], _unpacked(content), features)
    residuals = _unpacked(contents[f"model-{place:02}-residuals.npz"])["residuals"].astype(np.float64)
    if residuals.ndim != 1 or not len(residuals) or not (np.diff(residuals) >= 0).all() or not residuals[0] >= 0:
        raise InputError("residuals that are none: damaged")
    metric = Metric(**described["metric"])
    return MetricModel(metric, bool(described["is_log"]), regressor, dict(described["settings"]), residuals, text)


def _regressor(kind: str, arrays: Mapping[str, NDArray[Any]], features: DesignFeatures) -> Regressor:
    types = model_types()
    if kind not in types:
        raise InputError(f"unknown model {kind!r}; known: {', '.join(types)}")
    made: Regressor = types[kind].from_arrays(arrays, len(features.names))
    return made
