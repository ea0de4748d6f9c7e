"""Do the files that readers use say the same as the journal?"""

from __future__ import annotations

__all__ = ["Check", "compare_files"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.journal import JournalRecord
from archgym.recorded_run import RecordedRun
from archgym.run_directory import EVALUATIONS, RESULT

if TYPE_CHECKING:
    import pyarrow as pa

_TOLERANCE = 1e-12


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        name: designs, journal, evaluations.parquet, result.json or trajectory.
        ok: whether it reproduces.
        found: one sentence.
    """

    name: str
    ok: bool
    found: str


def compare_files(run: RecordedRun, result: Mapping[str, Any], records: Sequence[JournalRecord]) -> list[Check]:
    """Compare ``evaluations.parquet`` and ``result.json`` of a complete run with what the journal gives."""
    which = run.identity["budget"]["record"]
    everything = _table(run, records, "all")
    expected = everything if which == "all" else _table(run, records, which)
    return [_compare_table(run, expected), _compare_result(result, everything)]


def _compare_table(run: RecordedRun, expected: pa.Table) -> Check:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_table(run.path / EVALUATIONS)
    except (OSError, pa.ArrowInvalid) as error:
        return Check(EVALUATIONS, False, f"cannot be read: {str(error).splitlines()[0]}")
    if found.column_names != expected.column_names or len(found) != len(expected):
        shape = f"{len(found):,} rows of {found.num_columns} columns"
        return Check(EVALUATIONS, False, f"{shape}, the journal gives {len(expected):,} of {expected.num_columns}")
    for name in expected.column_names:
        rows = np.flatnonzero(~_equal(name, found.column(name), expected.column(name)))
        if len(rows):
            row = int(rows[0])
            old, new = found.column(name)[row].as_py(), expected.column(name)[row].as_py()
            return Check(EVALUATIONS, False, f"row {row + 1}: {name} is {old!r}, the journal gives {new!r}")
    return Check(EVALUATIONS, True, f"{len(found):,} rows agree with the journal")


def _compare_result(result: Mapping[str, Any], everything: pa.Table) -> Check:
    if result.get("calls") != len(everything):
        return Check(RESULT, False, f"calls is {result.get('calls')!r}, the journal has {len(everything)}")
    ranks = list(zip(everything.column("feasible").to_pylist(), everything.column("reward").to_pylist(), strict=True))
    expected = everything.slice(ranks.index(max(ranks)), 1).to_pylist()[0]
    best = result.get("best") or result.get("nearest") or {}
    pairs = {"step": best.get("step"), "feasible": best.get("feasible"), "reward": best.get("reward")}
    pairs |= {**best.get("design", {}), **best.get("metrics", {})}
    for name, value in pairs.items():
        if name not in expected or not _equal_values(name, value, expected[name]):
            return Check(RESULT, False, f"best {name} is {value!r}, the journal gives {expected.get(name)!r}")
    return Check(RESULT, True, "the best design agrees with the journal")


def _table(run: RecordedRun, records: Sequence[JournalRecord], which: str) -> pa.Table:
    from archgym.results import evaluation_table
    from archgym.session import Session

    agent, seed = run.identity["agent"]["name"], run.identity["seed"]
    return evaluation_table(records, Session(run.spec), agent=agent, seed=seed, record=which)


def _equal(name: str, found: pa.ChunkedArray, expected: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    pairs = zip(found.to_pylist(), expected.to_pylist(), strict=True)
    return np.array([_equal_values(name, a, b) for a, b in pairs], dtype=bool)


def _equal_values(name: str, a: Any, b: Any) -> bool:
    if not (isinstance(a, float) and isinstance(b, float)):
        return bool(a == b)
    # Rewards are logarithms of ratios: a relative difference of metrics is an absolute one of rewards.
    scale = max(abs(a), abs(b), 1.0 if name.startswith("reward") else 0.0)
    return a == b or (a != a and b != b) or abs(a - b) <= _TOLERANCE * scale
