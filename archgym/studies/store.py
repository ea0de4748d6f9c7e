"""The directory of a study: one journal of finished runs while it goes on, tables when it has ended."""

from __future__ import annotations

__all__ = ["JOURNAL", "OPEN_RUNS", "StudyStore", "first_difference", "recorded_runs", "study_manifest"]

import hashlib
import json
import platform
import shutil
from array import array
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.frames import FRAME_BYTES, FrameFile, frames_of
from archgym.run_directory import MANIFEST, PART, RESULT, read_json, write_whole
from archgym.studies.plan import StudyPlan
from archgym.studies.records import RunRecord
from archgym.studies.runner import Finished
from archgym.studies.tables import IMPROVEMENTS, RUNS, write_tables
from archgym_simulators import InputError

JOURNAL, OPEN_RUNS, STUDY_FILE = "study.journal", "open", "study.toml"
MAGIC = b"archgym study 1\n"
_KEY_BYTES = 8


class StudyStore:
    """The files of a study, opened by the one process that writes them.

    A finished run is one frame of the journal, written before its own journal is deleted, so that killing any process
    at any instant loses no run that had ended. Memory is 16 bytes a run.

    Args:
        path: the directory; made by `start`.
        plan: the study. A directory that holds another study, or another version of it, is refused.
        extend: accept a directory of a study all of whose runs are also runs of this one.

    Raises:
        InputError: the directory holds something else, with what differs.
    """

    def __init__(self, path: Path | str, plan: StudyPlan, *, extend: bool = False) -> None:
        self.path = Path(path)
        self.plan = plan
        self._manifest = study_manifest(plan)
        self._extend = extend
        self._journal: FrameFile | None = None
        self._keys, self._offsets = array("Q"), array("Q")
        self._known = np.zeros(0, np.uint64)
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} exists and is not a directory; choose another --out")
        self._grows = self._check_manifest()

    @property
    def is_complete(self) -> bool:
        """Whether every run of this very study has ended and the tables are there; the result is written last."""
        files = (MANIFEST, RUNS, IMPROVEMENTS, RESULT)
        return not self._grows and all((self.path / name).is_file() for name in files) and self._is_described()

    @property
    def open_runs(self) -> Path:
        """Where runs under way keep their journals."""
        return self.path / OPEN_RUNS

    def start(self) -> None:
        """Make the directory, lock it, and read what has been recorded.

        Raises:
            InputError: another process is at work on the study, or its journal is another's.
        """
        try:
            self.open_runs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {self.path}: {error.strerror}; choose another --out") from error
        self._journal = FrameFile(self.path / JOURNAL, MAGIC, b'{"format": 1}', owner="study")
        self._grows = self._check_manifest()  # another process may have been here since
        self._read_index(self._journal)
        if len(self) and not (self.path / MANIFEST).is_file():
            raise InputError(f"{self.path} holds {JOURNAL!r} but no {MANIFEST}; choose another --out")
        (self.path / RESULT).unlink(missing_ok=True)
        write_whole(self.path / MANIFEST, json.dumps(self._manifest, indent=1, sort_keys=True))
        if self.plan.definition.text:
            write_whole(self.path / STUDY_FILE, self.plan.definition.text)

    def __len__(self) -> int:
        return len(self._keys)

    def was_recorded(self, run_id: str) -> bool:
        """Whether a run had ended before the study was started this time."""
        place = np.searchsorted(self._known, np.uint64(_key(run_id)))
        return bool(place < len(self._known) and self._known[place] == _key(run_id))

    def add(self, finished: Finished) -> None:
        """Record a run that has ended.

        Raises:
            OSError: the disk is full; what stood before stands.
        """
        run_id = finished.cell.run_id
        self._offsets.append(self._opened.append(bytes.fromhex(run_id) + finished.record))
        self._keys.append(_key(run_id))
        (self.open_runs / f"{run_id}.journal").unlink(missing_ok=True)

    def forget_failed(self) -> int:
        """Drop failed runs from the index, so that they are run again; returns how many."""
        records = ((key, offset) for key, offset in zip(self._keys, self._offsets, strict=True))
        kept = [(key, offset) for key, offset in records if self._record(offset).run["state"] != "failed"]
        dropped = len(self) - len(kept)
        self._set_index(np.array(kept, np.uint64).reshape(-1, 2))
        return dropped

    def finish(self) -> dict[str, Any]:
        """Write the tables in the study's order, then the result, whose presence says that the study is complete."""
        counts = {"runs": 0, "failed": 0, "evaluations": 0}
        write_tables(self.path, self._counted(counts))
        shutil.rmtree(self.open_runs, ignore_errors=True)
        write_whole(self.path / RESULT, json.dumps(counts, indent=1))
        return counts

    def result(self) -> dict[str, Any]:
        """The summary of a complete study."""
        return read_json(self.path / RESULT)

    def close(self) -> None:
        """Release the journal and its lock."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    # ---- index ---------------------------------------------------------------------------------------------------

    @property
    def _opened(self) -> FrameFile:
        if self._journal is None:
            raise RuntimeError(f"{self.path}: the study is not started")
        return self._journal

    def _read_index(self, journal: FrameFile) -> None:
        end, found = journal.start, array("Q")
        for offset, payload in journal.payloads():
            found.extend((int.from_bytes(payload[:_KEY_BYTES], "big"), offset))
            end = offset + FRAME_BYTES + len(payload)
        journal.cut(end)
        newest_first = np.array(found, np.uint64).reshape(-1, 2)[::-1]
        self._set_index(newest_first[np.unique(newest_first[:, 0], return_index=True)[1]])

    def _set_index(self, entries: NDArray[np.uint64]) -> None:
        """Keys and offsets (N, 2) of the runs that count."""
        self._known = np.sort(entries[:, 0])
        self._keys, self._offsets = array("Q", entries[:, 0].tobytes()), array("Q", entries[:, 1].tobytes())

    def _counted(self, counts: dict[str, int]) -> Iterator[RunRecord]:
        """Every record in the order of cells."""
        order = np.argsort(np.asarray(self._keys))
        keys, offsets = np.asarray(self._keys)[order], np.asarray(self._offsets)[order]
        for cell in self.plan.cells():
            record = self._record(int(offsets[np.searchsorted(keys, np.uint64(_key(cell.run_id)))]))
            counts["runs"] += 1
            counts["failed"] += record.run["state"] == "failed"
            counts["evaluations"] += record.run["evaluations"]
            yield record

    def _record(self, offset: int) -> RunRecord:
        return RunRecord.from_bytes(self._opened.read(offset)[_KEY_BYTES:])

    # ---- identity ------------------------------------------------------------------------------------------------

    def _is_described(self) -> bool:
        """Whether the manifest tells readers what this study's file says now; names and smaller budgets may change."""
        found = read_json(self.path / MANIFEST)
        ours = json.loads(json.dumps(self._manifest))
        names = all(found["about"].get(name) == ours["about"][name] for name in ("name", "description"))
        return bool(names and found.get("tasks") == ours["tasks"])

    def _check_manifest(self) -> bool:
        """Whether the directory holds a study that this one adds runs to."""
        file = self.path / MANIFEST
        if not file.is_file():
            ours = {JOURNAL, OPEN_RUNS, MANIFEST + PART}  # of a study killed in its first millisecond
            rest = [p.name for p in self.path.iterdir() if p.name not in ours] if self.path.is_dir() else []
            if rest:
                raise InputError(f"{self.path} holds {sorted(rest)[0]!r} but no {MANIFEST}; choose another --out")
            return False
        found = read_json(file)
        theirs, ours_about = found.get("about"), self._manifest["about"]
        if "study" not in found:
            raise InputError(f"{self.path} holds a single search, no study; choose another --out")
        if not isinstance(theirs, dict) or theirs.get("archgym") != ours_about["archgym"]:
            there = theirs.get("archgym") if isinstance(theirs, dict) else None
            raise InputError(
                f"{file} is of another version: archgym is {there!r} there and {ours_about['archgym']!r} here; choose "
                "another --out, or delete the directory"
            )
        if found.get("digest") == self._manifest["digest"]:
            return False
        if self._extend and self._measures_as(found) and self._holds_all_of(file.parent):
            return True
        raise InputError(self._difference(file, found["study"]))

    def _measures_as(self, found: Mapping[str, Any]) -> bool:
        """Whether tasks that both studies have measure hypervolume from the same point."""
        ours = {_problem_key(task): list(task["reference_point"]) for task in self.plan.tasks}
        pairs = [(ours.get(_problem_key(task)), task["reference_point"]) for task in found["tasks"]]
        return all(our is None or our == their for our, their in pairs)

    def _holds_all_of(self, folder: Path) -> bool:
        if not (folder / JOURNAL).is_file():
            return True
        ours = {cell.run_id for cell in self.plan.cells()}
        return all(record.run_id in ours for record in recorded_runs(folder))

    def _difference(self, file: Path, theirs: Mapping[str, Any]) -> str:
        advice = (
            "its runs are not all runs of this study; choose another --out"
            if self._extend
            else "choose another --out, or --extend to add runs to it"
        )
        return f"{file} is of another study: {first_difference(theirs, self._manifest['study'])}; {advice}"


def study_manifest(plan: StudyPlan) -> dict[str, Any]:
    """What ``manifest.json`` holds: the study, its digest, its tasks for readers, and the versions."""
    study = plan.to_json()
    definition = plan.definition
    return {
        "digest": hashlib.sha256(json.dumps(study, sort_keys=True).encode()).hexdigest()[:32],
        "study": study,
        "tasks": [dict(task) for task in plan.tasks],
        "about": {
            "name": definition.name,
            "description": definition.description,
            "runs": definition.size,
            "archgym": version("archgym"),
            "numpy": np.__version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
        },
    }


def recorded_runs(folder: Path) -> Iterator[RunRecord]:
    """The finished runs in a study's journal, in the order in which they ended; nothing is changed.

    A run that failed and was run again comes twice; the later one counts.
    """
    for _, payload in frames_of(folder / JOURNAL, MAGIC):
        yield RunRecord.from_bytes(payload[_KEY_BYTES:])


def first_difference(theirs: Any, ours: Any) -> str:
    """The first part of two JSON trees that differs, in words."""
    there, here = _flat(theirs), _flat(json.loads(json.dumps(ours)))
    key = next((key for key in [*here, *there] if there.get(key) != here.get(key)), "")
    return f"{key} is {there.get(key)!r} there and {here.get(key)!r} here" if key else "its digest is wrong"


def _problem_key(task: Mapping[str, Any]) -> str:
    """What tells the problems of two manifests apart."""
    fields = ("env_id", "workload", "objectives", "constraints", "options")
    return json.dumps([task[name] for name in fields], sort_keys=True)


def _key(run_id: str) -> int:
    return int(run_id, 16)


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    """The leaves of a JSON tree by path."""
    children = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else None
    if children is None:
        return {prefix.rstrip("."): tree}
    return {path: leaf for key, value in children for path, leaf in _flat(value, f"{prefix}{key}.").items()}
