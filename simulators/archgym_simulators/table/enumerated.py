"""Every design of a space, simulated once and answered from a file ever after."""

from __future__ import annotations

__all__ = ["EnumeratedSimulator", "save_enumeration"]

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.errors import InputError, SimulationFailed
from archgym_simulators.evaluation import FAILED, OK, Evaluation
from archgym_simulators.simulator import Simulator
from archgym_simulators.space import Rows, rounded
from archgym_simulators.table.lookup import KeyFinder, key_finder

if TYPE_CHECKING:
    import pyarrow as pa

_FORMAT = 1
MOST_DESIGNS = 10**9
_SAME = 1e-9  # floats agree to 1e-12 between machines
_META = b"archgym_enumeration"
_SECONDS = "archgym_seconds"


def save_enumeration(
    simulator: Simulator,
    path: Path | str,
    *,
    rows_per_chunk: int = 32_768,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Simulate every canonical design and write a Parquet file; a file of that name is replaced when all is done.

    Args:
        simulator: bound to the workload to enumerate.
        path: ends in ``.parquet``; folders are made.
        rows_per_chunk: rows of the space that are visited, and their canonical designs simulated, at a time.
        threads: that may simulate at once.
        progress: told designs done and designs in all, after every chunk.

    Raises:
        InputError: a space too large for integer keys, or a path that cannot be written.
        SimulationFailed: a simulation failed, so the table would have holes.
    """
    import pyarrow as pa
    from pyarrow import parquet

    space, target = simulator.space, Path(path)
    if space.size > MOST_DESIGNS:
        raise InputError(
            f"a space of {rounded(space.size)} designs cannot be enumerated; allowed are at most {MOST_DESIGNS:.3g}"
        )
    part = target.with_name(f"{target.name}.{os.getpid()}.part")  # two processes may enumerate the same
    started, done = time.perf_counter(), 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        empty = np.zeros((0, space.width), dtype=np.int64)
        schema = _as_table(simulator, empty, simulator.evaluate(empty)).schema
        with parquet.ParquetWriter(part, schema, compression="zstd") as writer:
            for rows in space.chunks(rows_per_chunk, canonical=True):
                writer.write_table(_as_table(simulator, rows, simulator.evaluate_all(rows, threads=threads)))
                done += len(rows)
                if progress is not None:
                    progress(done, space.canonical_size)
            if hasattr(writer, "add_key_value_metadata"):
                writer.add_key_value_metadata({_SECONDS: f"{time.perf_counter() - started:.1f}"})
        os.replace(part, target)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot write {target}: {error}") from error
    finally:
        _remove(part)
    return target


def _remove(part: Path) -> None:
    with suppress(OSError):  # a folder that is none, or may not be read, holds no part either
        part.unlink(missing_ok=True)


class EnumeratedSimulator(Simulator):
    """Answers for another simulator from its enumeration: same space, metrics, version, workload and numbers.

    Diagnostics are not stored. Invalid designs keep their reason.

    Args:
        simulator: bound to the workload; gives everything but the numbers. It runs once, for its baseline: a simulator
            that does not name an option in ``describe_options`` would else get the numbers of another one.
        path: a file of `save_enumeration`.

    Attributes:
        seconds: that the enumeration took where it was made; 0 where the file does not say.

    Raises:
        InputError: the file is missing, damaged, incomplete, or of another space, version, workload or option.
    """

    def __init__(self, simulator: Simulator, path: Path | str) -> None:
        self._simulator = simulator
        self.metrics, self.version = simulator.metrics, simulator.version
        self.objectives, self.default_objective = simulator.objectives, simulator.default_objective
        self.pareto_objectives = simulator.pareto_objectives
        self.cost_unit, self.resumes = simulator.cost_unit, simulator.resumes
        self.space, self.workload, self.baseline = simulator.space, simulator.workload, simulator.baseline
        self._path = Path(path)
        self.reasons = simulator.reasons  # type: ignore[misc]  # of the family that answers, not of this class
        self._reasons = simulator.all_reasons
        self.seconds = 0.0
        keys, self._stored = self._load()
        self._finder: KeyFinder = key_finder(keys, self.space.size)
        self._check_baseline()

    @property
    def all_reasons(self) -> tuple[Any, ...]:
        return self._reasons

    def evaluate(self, rows: Rows) -> Evaluation:
        """The stored metrics of canonical rows (N, D).

        Raises:
            InputError: a row that is not canonical.
        """
        slots = self._finder.find(self.space.integer_keys(rows))
        if len(slots) and slots.min() < 0:
            raise InputError(f"{self._path} has canonical designs only; row {int(slots.argmin())} is not one")
        stored = self._stored
        return Evaluation(
            values=stored.values.take(slots, axis=0),
            status=stored.status.take(slots),
            violation=stored.violation.take(slots),
            reason_code=stored.reason_code.take(slots),
            reason_detail=stored.reason_detail.take(slots, axis=0),
            cost=stored.cost.take(slots),
            reasons=self._reasons,
            diagnostics=np.zeros((len(slots), 0)),
        )

    def simulate(self, rows: Rows) -> Evaluation:
        return self.evaluate(rows)

    def describe_options(self) -> dict[str, Any]:
        return self._simulator.describe_options()

    def reusable_cost(self, rows: Rows) -> NDArray[np.float64]:
        return self._simulator.reusable_cost(rows)

    def _load(self) -> tuple[NDArray[np.int64], Evaluation]:
        """Keys (N,) and what was stored for them."""
        import pyarrow as pa
        from pyarrow import parquet

        if not self._path.is_file():
            raise InputError(f"no enumeration {str(self._path)!r} of {self.workload.name!r}; enumerate the space first")
        try:
            with parquet.ParquetFile(self._path) as file:
                metadata = file.metadata.metadata or {}
                self._check(metadata)
                table = file.read()
            self.seconds = float(metadata.get(_SECONDS.encode(), 0.0))
        except (OSError, ValueError, pa.ArrowException) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"enumeration {str(self._path)!r} is damaged: {str(error).splitlines()[0]}") from error
        if table.num_rows != self.space.canonical_size:
            raise InputError(
                f"enumeration {str(self._path)!r} has {table.num_rows:,} designs, "
                f"the space {self.space.canonical_size:,}; enumerate it again"
            )
        metrics = [f"metric:{metric.name}" for metric in self.metrics]
        details = [name for name in table.column_names if name.startswith("detail:")]
        stored = Evaluation.of(
            np.stack([table.column(name).to_numpy() for name in metrics], axis=1),
            reasons=self._reasons,
            reason_code=table.column("reason_code").to_numpy(),
            violation=table.column("violation").to_numpy(),
            reason_detail=np.stack([table.column(name).to_numpy() for name in details], axis=1) if details else None,
            cost=table.column("cost").to_numpy(),
        )
        return table.column("key").to_numpy(), stored

    def _check_baseline(self) -> None:
        row = self.space.canonical(np.array([self.baseline.row], dtype=np.int64))
        stored, fresh = self.evaluate(row).values[0], self._simulator.evaluate(row).values[0]
        if not np.allclose(stored, fresh, rtol=_SAME, atol=0.0, equal_nan=True):
            raise InputError(
                f"enumeration {str(self._path)!r} gives the baseline {stored.tolist()}, "
                f"its simulator {fresh.tolist()}; enumerate it again (describe_options() should name every option)"
            )

    def _check(self, metadata: Mapping[bytes, bytes]) -> None:
        found = json.loads(metadata.get(_META, b"{}"))
        ours = _identity(self._simulator)
        for key, value in ours.items():
            if found.get(key) != value:
                raise InputError(
                    f"enumeration {str(self._path)!r} is of another {key.replace('_', ' ')}: "
                    f"{found.get(key)!r} there, {value!r} here; enumerate the space again"
                )


def _identity(simulator: Simulator) -> dict[str, Any]:
    """What an enumeration depends on, JSON-able."""
    identity = {
        "format": _FORMAT,
        "simulator": type(simulator).__qualname__,
        "version": simulator.version,
        "workload": simulator.workload.name,
        "workload_digest": simulator.workload.digest,
        "options": simulator.describe_options(),
        "metrics": [metric.name for metric in simulator.metrics],
        "space": simulator.space.digest,
        "reasons": [reason.name for reason in simulator.all_reasons],
    }
    restored: dict[str, Any] = json.loads(json.dumps(identity))
    return restored


def _as_table(simulator: Simulator, rows: Rows, evaluation: Evaluation) -> pa.Table:
    import pyarrow as pa

    failed = np.flatnonzero(evaluation.status == FAILED)
    if len(failed):
        design = simulator.space.decode_row(rows[failed[0]])
        raise SimulationFailed(f"{evaluation.reason(int(failed[0]))}: {design}")
    details = max((len(reason.details) for reason in simulator.all_reasons), default=0)
    numbers = np.zeros((len(rows), details))
    numbers[:, : evaluation.reason_detail.shape[1]] = evaluation.reason_detail
    columns: dict[str, NDArray[Any]] = {"key": simulator.space.integer_keys(rows)}
    columns |= {f"metric:{m.name}": evaluation.values[:, i] for i, m in enumerate(simulator.metrics)}
    columns |= {"cost": evaluation.cost, "violation": evaluation.violation}
    columns |= {"reason_code": np.where(evaluation.status == OK, -1, evaluation.reason_code).astype(np.int16)}
    columns |= {f"detail:{i}": numbers[:, i] for i in range(details)}
    table = pa.table({name: pa.array(np.ascontiguousarray(column)) for name, column in columns.items()})
    return table.replace_schema_metadata({_META: json.dumps(_identity(simulator)).encode()})
