"""Parquet files of ``archgym evaluate``: what they say about themselves, and what a dataset needs besides."""

from __future__ import annotations

__all__ = ["EVALUATION", "SCORED", "SEAL", "Evaluated", "evaluation_metadata", "seal_of"]

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.run_directory import RunManifest
from archgym_simulators import OK, STATUS_NAMES
from archgym_simulators.space import Rows

if TYPE_CHECKING:
    import pyarrow as pa

    from archgym.problem import Problem, ProblemSpec

EVALUATION = b"archgym evaluation"
"""Where the metadata of a Parquet file has its manifest."""
SCORED, SEAL = "scored", "seal"
AGENT = "archgym evaluate"
"""Who is said to have found designs that were given."""


def evaluation_metadata(problem: Problem, spec: ProblemSpec, rows: Rows, *, scored: bool) -> dict[bytes, bytes]:
    """The manifest of a run whose agent is the file of designs.

    Args:
        problem: what evaluated them.
        spec: what it is bound to.
        rows: (N, D) the designs.
        scored: whether reward and feasibility are among the columns; where not, objectives and bounds, such as those of
            a task, have nothing to do with the rows.
    """
    meant = spec if scored else replace(spec, objectives=(), constraints=())
    designs = hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest()
    manifest = RunManifest.create(
        problem,
        spec=meant.to_json(),
        agent={"name": AGENT, "config": {"designs": designs}, "source": ""},
        seed=0,
        budget={"limit": len(rows), "record": "all"},
    )
    about = {**manifest.to_json(), SCORED: scored}
    return {EVALUATION: json.dumps({**about, SEAL: seal_of(about)}).encode()}


def seal_of(about: Mapping[str, Any]) -> str:
    """A content hash of a description without its seal: the footer of a Parquet file has no checksum."""
    content = {name: value for name, value in about.items() if name != SEAL}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Evaluated:
    """What all rows of such a file share.

    Attributes:
        workload: its name.
        version: of the simulator.
        scored: whether the file says reward and feasibility; without, rewards are NaN and valid designs feasible.
    """

    workload: str
    version: str
    scored: bool

    @property
    def absent(self) -> tuple[str, ...]:
        """Columns that a dataset needs and the file lacks; what it has by these names is of whoever wrote designs."""
        return ("workload", "simulator_version", "step", *(() if self.scored else ("reward", "feasible")))

    def completed(self, batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
        """A batch with all columns; its rows follow ``first`` others."""
        import pyarrow as pa
        import pyarrow.compute as pc

        n = batch.num_rows
        added = {
            "workload": pa.repeat(self.workload, n),
            "simulator_version": pa.repeat(self.version, n),
            "step": pa.array(np.arange(first, first + n)),
            "reward": pa.repeat(np.nan, n),
            "feasible": pc.equal(batch.column("status"), STATUS_NAMES[OK]),
        }
        for name in self.absent:
            batch = batch.append_column(name, added[name])
        return batch
