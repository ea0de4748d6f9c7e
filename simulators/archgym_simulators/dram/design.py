"""The design space of a DRAM controller: ArchGym's ten parameters, with their names and values."""

from __future__ import annotations

__all__ = ["BASELINE", "controller_space"]

import numpy as np

from archgym_simulators.constraints import Columns, Constraint, InertWhen, Reason
from archgym_simulators.parameters import Categorical, Integer, Ordinal, Parameter
from archgym_simulators.space import Design, DesignSpace

PARAMETERS: tuple[Parameter, ...] = (
    Categorical(
        "page_policy",
        ("Open", "OpenAdaptive", "Closed", "ClosedAdaptive"),
        description="When a row is closed: on a conflict (Open), after every access (Closed), or as the queue advises.",
        group="page",
    ),
    Categorical(
        "scheduler",
        ("Fifo", "FrFcfs", "FrFcfsGrp"),
        description="Which request of a bank goes first: the oldest, a row hit, or a row hit of the same direction.",
        group="scheduling",
    ),
    Categorical(
        "scheduler_buffer",
        ("Bankwise", "ReadWrite", "Shared"),
        description="How the request buffer is divided: by bank, by reads and writes, or not at all.",
        group="scheduling",
    ),
    Integer(
        "request_buffer_size",
        1,
        8,
        unit="requests",
        description="Requests that each part of the request buffer holds.",
        group="scheduling",
    ),
    Categorical(
        "response_queue",
        ("Fifo", "Reorder"),
        description="Whether responses leave in the order of their data (Fifo) or of their requests (Reorder).",
        group="response",
    ),
    Categorical(
        "refresh_policy",
        ("NoRefresh", "AllBank"),
        description="Whether all banks are refreshed every tREFI; without refresh a real memory loses its data.",
        group="refresh",
    ),
    Integer(
        "refresh_max_postponed",
        1,
        8,
        unit="refreshes",
        description="Refreshes that may be postponed while requests are waiting.",
        group="refresh",
    ),
    Integer(
        "refresh_max_pulledin",
        1,
        8,
        unit="refreshes",
        description="Refreshes that may be done early while the memory is idle.",
        group="refresh",
    ),
    Categorical(
        "arbiter",
        ("Simple", "Fifo", "Reorder"),
        description="Front end: pass requests on, queue them, or queue them and return responses in their order.",
        group="arbiter",
    ),
    Ordinal(
        "max_active_transactions",
        (1, 2, 4, 8, 16, 32, 64, 128),
        "transactions",
        description="Transactions that a queueing arbiter lets into the memory system at once.",
        group="arbiter",
    ),
)

BASELINE: Design = {
    "page_policy": "Open",
    "scheduler": "FrFcfs",
    "scheduler_buffer": "Bankwise",
    "request_buffer_size": 8,
    "response_queue": "Fifo",
    "refresh_policy": "AllBank",
    "refresh_max_postponed": 8,
    "refresh_max_pulledin": 8,
    "arbiter": "Simple",
    "max_active_transactions": 1,
}
"""The open-page, first-ready controller with per-bank queues that DRAMSys ships as its example configuration."""

INERT = (
    InertWhen("refresh_max_postponed", "refresh_policy", ("NoRefresh",)),
    InertWhen("refresh_max_pulledin", "refresh_policy", ("NoRefresh",)),
    InertWhen("max_active_transactions", "arbiter", ("Simple",)),
)

LOSES_DATA = Constraint(
    Reason("no-refresh", "refresh_policy NoRefresh: a memory that is never refreshed loses its data"),
    lambda columns: _is_never_refreshed(columns),
)


def controller_space(rules: str) -> DesignSpace:
    """The space under a set of rules: 1,769,472 designs, 636,480 canonical ones.

    Under ``"realistic"`` rules a design without refresh is invalid; under ``"archgym"`` it is allowed.
    """
    return DesignSpace(PARAMETERS, constraints=[LOSES_DATA] if rules == "realistic" else [], inert=INERT)


def _is_never_refreshed(columns: Columns) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(columns["refresh_policy"] == "NoRefresh", dtype=np.float64)
