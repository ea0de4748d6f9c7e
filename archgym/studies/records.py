"""What a study keeps of a run, and the tables that readers see."""

from __future__ import annotations

__all__ = ["IMPROVEMENT_COLUMNS", "RUN_COLUMNS", "RunRecord", "improvement_table", "run_table"]

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

RUN_COLUMNS: Mapping[str, str] = {
    "run_id": "string",
    "task": "string",
    "env_id": "string",
    "workload": "string",
    "objective": "string",
    "constraints": "string",
    "agent": "string",
    "settings": "string",
    "setting_id": "string",
    "is_default": "bool",
    "seed": "int64",
    "budget": "double",
    "max_proposals": "int64",
    "state": "string",
    "stop_reason": "string",
    "evaluations": "int64",
    "proposals": "int64",
    "feasible": "bool",
    "best_reward": "double",
    "best_value": "double",
    "hypervolume": "double",
    "invalid": "int64",
    "failed": "int64",
    "error": "string",
    "wall_seconds": "double",
    "agent_seconds": "double",
}
"""One row a run. ``objective``, ``constraints`` and ``settings`` are JSON; numbers that do not exist are NaN."""

IMPROVEMENT_COLUMNS: Mapping[str, str] = {
    "run_id": "string",
    "evaluation": "int64",
    "proposal": "int64",
    "cost": "double",
    "reward": "double",
    "feasible": "bool",
    "value": "double",
    "design": "string",
    "rewards": "string",
}
"""One row a design that was the best of its run so far, or with several objectives entered the front. ``evaluation``,
``proposal`` and ``cost`` are what had been spent then, this design included; ``design`` and ``rewards`` are JSON."""

PROBLEM = "problem"
"""A column that files have and readers do not see: which of the manifest's tasks a run belongs to."""

_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class RunRecord:
    """One finished run.

    Attributes:
        run: its row of the table of runs, and ``problem``.
        improvements: its rows of the table of improvements, as columns, without ``run_id``.
        evaluations: all its evaluations as an Arrow stream where the study records all, else empty.
    """

    run: Mapping[str, Any]
    improvements: Mapping[str, Sequence[Any]]
    evaluations: bytes = b""

    @property
    def run_id(self) -> str:
        """Content hash of the run."""
        return str(self.run["run_id"])

    def to_bytes(self) -> bytes:
        """One piece that `from_bytes` reads; floats keep every bit."""
        text = json.dumps([dict(self.run), dict(self.improvements)], separators=(",", ":")).encode()
        return _LENGTH.pack(len(text)) + text + self.evaluations

    @classmethod
    def from_bytes(cls, data: bytes) -> RunRecord:
        """The record that was written."""
        (length,) = _LENGTH.unpack_from(data)
        end = _LENGTH.size + length
        run, improvements = json.loads(data[_LENGTH.size : end])
        return cls(run, improvements, data[end:])


def run_table(records: Sequence[RunRecord]) -> pa.Table:
    """The rows of some runs, `RUN_COLUMNS` and ``problem``."""
    import pyarrow as pa

    schema = _schema({**RUN_COLUMNS, PROBLEM: "int64"})
    return pa.table({name: [record.run[name] for record in records] for name in schema.names}, schema=schema)


def improvement_table(records: Sequence[RunRecord]) -> pa.Table:
    """The improvements of some runs, one after the other."""
    import pyarrow as pa

    schema = _schema(IMPROVEMENT_COLUMNS)
    ids = [record.run_id for record in records for _ in record.improvements["evaluation"]]
    columns = {name: [v for r in records for v in r.improvements[name]] for name in schema.names if name != "run_id"}
    return pa.table({"run_id": ids, **columns}, schema=schema)


def _schema(columns: Mapping[str, str]) -> pa.Schema:
    import pyarrow as pa

    kinds = {"string": pa.string(), "bool": pa.bool_(), "int64": pa.int64(), "double": pa.float64()}
    return pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
