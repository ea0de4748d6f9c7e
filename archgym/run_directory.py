"""A run directory: manifest, journal, and at the end one Parquet file and the result."""

from __future__ import annotations

__all__ = ["JournalRecorder", "RunDirectory", "RunManifest"]

import hashlib
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, Protocol

import numpy as np

from archgym.declaration import declaration
from archgym.journal import Journal, JournalLayout, JournalRecord, row_type
from archgym.problem import Problem, ScoredEvaluation
from archgym.registry import source_digest
from archgym_simulators import Evaluation, InputError
from archgym_simulators.space import Rows

FORMAT = 1
MANIFEST, JOURNAL, RESULT, EVALUATIONS = "manifest.json", "journal.bin", "result.json", "evaluations.parquet"
PART = ".part"


@dataclass(frozen=True)
class RunManifest:
    """What makes a run the same run: everything that its evaluations depend on.

    Attributes:
        identity: JSON-able fields that are hashed.
        about: JSON-able fields for people (versions, platform); they may differ on a resume.
    """

    identity: Mapping[str, Any]
    about: Mapping[str, Any]

    @classmethod
    def create(
        cls,
        problem: Problem,
        *,
        spec: Mapping[str, Any],
        agent: Mapping[str, Any],
        seed: int,
        budget: Mapping[str, Any],
        task: Mapping[str, Any] | None = None,
    ) -> RunManifest:
        """Collect identity and environment of a run, which may be one of a task of a suite."""
        simulator = problem.simulator
        identity = {
            "format": FORMAT,
            "problem": spec,
            "agent": agent,
            "seed": seed,
            "budget": budget,
            "simulator_version": simulator.version,
            "space": simulator.space.digest,
            "workload_digest": simulator.workload.digest,
            "source": source_digest(str(spec["env_id"])),
            **({} if task is None else {"task": task}),
        }
        about = {
            "archgym": version("archgym"),
            "numpy": np.__version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            "cost_unit": simulator.cost_unit,
            "declaration": declaration(simulator),
        }
        return cls(identity, about)

    @property
    def digest(self) -> str:
        """Content hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()[:32]

    def to_json(self) -> dict[str, Any]:
        return {"digest": self.digest, "identity": dict(self.identity), "about": dict(self.about)}


class RunDirectory:
    """The files of one run.

    Args:
        path: the directory; made when the run starts.
        manifest: what the run is. A directory that holds another run, or another version of it, is refused.

    Raises:
        InputError: the directory holds something else, with what differs.
    """

    def __init__(self, path: Path | str, manifest: RunManifest) -> None:
        self.path = Path(path)
        self.manifest = manifest
        try:
            if self.path.exists() and not self.path.is_dir():
                raise InputError(f"{self.path} exists and is not a directory; choose another --out")
            self._check_manifest()
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror}; choose another --out") from error

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.path / JOURNAL

    @property
    def is_complete(self) -> bool:
        """Whether the run has ended, not by an error, and its files are there; the result is written last."""
        files = all((self.path / name).is_file() for name in (MANIFEST, EVALUATIONS, RESULT))
        return files and "error" not in self.result()

    def start(self) -> None:
        """Make the directory."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {self.path}: {error.strerror}; choose another --out") from error

    def claim(self) -> None:
        """Write the manifest unless it is there already; the caller holds the journal's lock.

        Raises:
            InputError: in the meantime another run has claimed the directory.
            OSError: the disk is full.
        """
        self._check_manifest()
        if not (self.path / MANIFEST).is_file():
            write_whole(self.path / MANIFEST, json.dumps(self.manifest.to_json(), indent=1, sort_keys=True))

    def result(self) -> dict[str, Any]:
        """The result of a complete run."""
        return read_json(self.path / RESULT)

    def _check_manifest(self) -> None:
        file = self.path / MANIFEST
        if file.is_file():
            found = read_json(file)
            if found.get("digest") != self.manifest.digest or found.get("identity") != self._identity():
                raise InputError(self._difference(found))
            self._check_version(found.get("about"))
            return
        # A run killed in its first millisecond leaves a journal only, whose header says whose it is.
        ours = {JOURNAL, MANIFEST + PART}
        rest = [p.name for p in self.path.iterdir() if p.name not in ours] if self.path.is_dir() else []
        if rest:
            raise InputError(f"{self.path} holds {sorted(rest)[0]!r} but no {MANIFEST}; choose another --out")

    def _identity(self) -> Any:
        return json.loads(json.dumps(self.manifest.identity))

    def _check_version(self, about: object) -> None:
        """An agent's code has no version but the package's, so a run goes on only under the one that began it."""
        theirs = about.get("archgym") if isinstance(about, dict) else None
        ours = self.manifest.about["archgym"]
        if theirs != ours:
            raise InputError(
                f"{self.path / MANIFEST} is of another version: archgym is {theirs!r} there and {ours!r} here; "
                "choose another --out, or delete the directory"
            )

    def _difference(self, found: Mapping[str, Any]) -> str:
        theirs, ours = _flat(found.get("identity")), _flat(self._identity())
        key = next((k for k in [*ours, *theirs] if theirs.get(k) != ours.get(k)), "")
        other = f"{_CALLED.get(key, key)} is {theirs.get(key)!r} there and {ours.get(key)!r} here"
        return (
            f"{self.path / MANIFEST} is {f'of another run: {other}' if key else 'damaged: its digest is wrong'}; "
            "choose another --out, or delete the directory"
        )


class JournalPlace(Protocol):
    """Where a run keeps its journal: a `RunDirectory`, or a file of a study."""

    @property
    def journal(self) -> Path:
        """The journal's file."""

    @property
    def manifest(self) -> RunManifest:
        """What the run is; its digest is in the journal's header."""

    def claim(self) -> None:
        """Called once the journal is locked."""


class JournalRecorder:
    """Records a session's evaluations in a run directory, and replays those that are there already.

    Replay is an ordered cursor: the seeded agent starts again and asks the same questions; each answer is checked for
    proposal, workload and rows before it is given.

    Attributes:
        records: what was replayed or written, in order; the Parquet file is made from it.
        replayed: designs answered from the journal.
    """

    def __init__(self, place: JournalPlace, problem: Problem, *, fsync: bool = False) -> None:
        simulator = problem.simulator
        details = max((len(reason.details) for reason in simulator.all_reasons), default=0)
        space = simulator.space
        layout = JournalLayout(
            place.manifest.digest,
            row_type(space.nvec),
            space.width,
            len(simulator.metrics),
            details,
            len(simulator.diagnostic_names),
        )
        self._reasons = simulator.all_reasons
        self._journal = Journal(place.journal, layout, fsync=fsync)
        try:
            place.claim()
        except BaseException:
            self._journal.close()
            raise
        self._pending: Iterator[JournalRecord] = self._journal.records()
        self._replaying = True
        self._clock = time.perf_counter()
        self.replayed = 0

    @property
    def cut_bytes(self) -> int:
        """Bytes of a torn or damaged tail that were cut."""
        return self._journal.cut_bytes

    def replay(self, proposal: int, workload: str, positions: Sequence[int], rows: Rows) -> Evaluation | None:
        """The recorded outcome of the first of ``rows``, or None where the record ends.

        Raises:
            InputError: the agent asks for something else than what was recorded.
        """
        record = next(self._pending, None) if self._replaying else None
        if record is None:
            self._replaying = False
            return None
        n = len(record.rows)
        same = (
            (record.proposal, record.workload) == (proposal, workload)
            and n <= len(rows)
            and list(positions[:n]) == record.positions.tolist()
            and np.array_equal(rows[:n], record.rows)
        )
        if not same:
            self._mismatch(record, f"is at proposal {proposal} ({workload})")
        self.replayed += n
        self._clock = time.perf_counter() - record.wall_s
        return record.evaluation(self._journal.layout.metrics, self._reasons)

    def write(
        self, proposal: int, workload: str, positions: Sequence[int], rows: Rows, evaluation: ScoredEvaluation
    ) -> None:
        """Make an evaluation durable."""
        self._journal.append(proposal, workload, time.perf_counter() - self._clock, positions, rows, evaluation)

    def records(self) -> Iterator[JournalRecord]:
        """Everything recorded so far, read back from the file."""
        return self._journal.records()

    def finish(self) -> None:
        """Check that the search has come to the end of the record.

        Raises:
            InputError: the agent finished although the record goes on.
        """
        record = next(self._pending, None) if self._replaying else None
        if record is not None:
            self._mismatch(record, "has finished")

    def close(self) -> None:
        """Release the journal and its lock."""
        self._journal.close()

    def _mismatch(self, record: JournalRecord, agent: str) -> NoReturn:
        raise InputError(
            f"{self._journal.path} cannot be resumed: the record goes on with other designs at proposal "
            f"{record.proposal} ({record.workload}), the agent {agent}: its code, or a library, is not the one that "
            "made the record; choose another --out"
        )


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file so that it is either absent (or as before) or whole."""
    part = path.with_name(path.name + PART)
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}") from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: missing, unreadable or damaged.
    """
    try:
        loaded = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if not isinstance(loaded, dict):
        raise InputError(f"cannot read {path}: expected a JSON object")
    return loaded


_CALLED = {
    "source": "the content hash of the simulator's file",
    "agent.source": "the content hash of the agent's file",
    "workload_digest": "the content hash of the workload",
    "space": "the content hash of the design space",
}


def _flat(tree: object, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items() if isinstance(tree, Mapping) else ():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[prefix + key] = value
    return flat
