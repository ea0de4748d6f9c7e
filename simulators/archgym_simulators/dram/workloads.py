"""Workloads of the DRAM family: seeded generators by name, and trace files by path."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.dram import generators
from archgym_simulators.dram.dnn_trace import dnn_layer
from archgym_simulators.dram.features import FEATURE_DESCRIPTIONS, FEATURE_NAMES, trace_features
from archgym_simulators.dram.generators import LINE_BYTES, Pattern, Values
from archgym_simulators.dram.spec import Grammar, Parameter, parse_spec, split_spec, unknown_workload
from archgym_simulators.dram.trace import Trace
from archgym_simulators.dram.trace_files import read_trace
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean

__all__ = [
    "DEFAULT_CAPACITY_BYTES",
    "FEATURE_DESCRIPTIONS",
    "FEATURE_NAMES",
    "RULES",
    "WORKLOADS",
    "DramWorkload",
    "canonical_spec",
    "generate",
    "workload",
]

DEFAULT_CAPACITY_BYTES = 2**30
RULES = ("realistic", "archgym")


@dataclass(frozen=True, slots=True, eq=False)
class DramWorkload:
    """A trace with the features that describe it to a learner.

    Attributes:
        name: Canonical spec or path.
        trace: The requests.
        features: (F,) float64 in [0, 1], named by `FEATURE_NAMES`; read-only.
    """

    name: str
    trace: Trace
    features: NDArray[np.float64]  # (F,)


@dataclass(frozen=True, slots=True)
class WorkloadKind:
    """A generator with what its spec accepts and one sentence about it."""

    grammar: Grammar
    description: str
    make: Callable[[Values, int, np.random.Generator], Pattern]


def workload(
    spec_or_path: str | os.PathLike[str],
    *,
    capacity_bytes: int = DEFAULT_CAPACITY_BYTES,
    rules: str = "realistic",
) -> DramWorkload:
    """Make a workload from a spec such as `zipf:1.1@0.5`, or read it from a trace file.

    A text is a path if it is no workload name (before `:` or `@`) and looks like one: it has a directory
    separator or a file suffix, or such a file exists.

    Args:
        spec_or_path: See `archgym_simulators.dram.spec` and `archgym_simulators.dram.trace_files`.
        capacity_bytes: Bytes of the device: generators stay below it; files must, unless:
        rules: "archgym" accepts decreasing time stamps and addresses beyond the device in files.

    Raises:
        InputError: One line naming the value, what is allowed and the nearest match.
    """
    if rules not in RULES:
        raise InputError(f"unknown rules {rules!r}; allowed are {allowed_values(RULES)}{did_you_mean(rules, RULES)}")
    text = os.fspath(spec_or_path)
    name = split_spec(text)[0]
    if isinstance(spec_or_path, str) and name in WORKLOADS:
        trace = generate(text, capacity_bytes=capacity_bytes)
    elif not isinstance(spec_or_path, str) or _looks_like_a_path(text):
        lenient = rules == "archgym"
        trace = read_trace(text, capacity_bytes=capacity_bytes, allow_decreasing=lenient, allow_beyond_device=lenient)
    else:
        raise InputError(unknown_workload(text, name, list(WORKLOADS)))
    return DramWorkload(trace.name, trace, trace_features(trace, capacity_bytes=capacity_bytes))


def generate(spec: str, *, capacity_bytes: int = DEFAULT_CAPACITY_BYTES) -> Trace:
    """Generate a trace; the same spec and capacity give the same bits.

    Raises:
        InputError: One line naming the spec, the token, what is allowed and the nearest match.
    """
    parsed = parse_spec(spec, _GRAMMARS)
    kind = WORKLOADS[parsed.grammar.name]
    lines = capacity_bytes // LINE_BYTES
    # A stream of its own for each purpose: another rate or write share leaves the addresses alone.
    addresses, directions, arrivals = (
        np.random.default_rng([int(parsed.values["seed"]), purpose]) for purpose in range(3)
    )
    try:
        pattern = kind.make(parsed.values, lines, addresses)
        cycle = _arrival_cycles(pattern, parsed.rate, arrivals)
        is_write = pattern.is_write
        if is_write is None:
            is_write = directions.random(pattern.line.size) < float(parsed.values["writes"])
        return Trace.build(
            str(parsed),
            cycle=cycle,
            is_write=is_write,
            address=pattern.line * LINE_BYTES,
            relative=pattern.dependent,
            capacity_bytes=capacity_bytes,
        )
    except InputError as error:
        raise InputError(f"workload {str(parsed)!r}: {error}") from None


def canonical_spec(spec: str) -> str:
    """Return the one spelling of a spec: no default values, arguments in declared order.

    >>> canonical_spec("random:seed=2,n=10000@1.0")
    'random'

    Raises:
        InputError: As `generate`, for what can be told without a device.
    """
    return str(parse_spec(spec, _GRAMMARS))


def _arrival_cycles(pattern: Pattern, rate: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Space R requests so that the mean rate is `rate`, # (R,) time stamps."""
    count = pattern.line.size
    cycle = np.arange(count, dtype=np.int64)
    if pattern.starts_burst is None:
        cycle = np.floor(cycle / rate).astype(np.int64)
    else:
        # Exponential idle gaps before the bursts, scaled to fill exactly the time that the rate leaves.
        gaps = rng.exponential(size=int(np.count_nonzero(pattern.starts_burst)))
        idle = np.zeros(count)
        idle[pattern.starts_burst] = gaps * ((count / rate - count) / gaps.sum())
        cycle += np.floor(np.cumsum(idle)).astype(np.int64)
    return np.diff(cycle, prepend=0) if pattern.dependent else cycle


def _looks_like_a_path(text: str) -> bool:
    has_separator = os.sep in text or (os.altsep is not None and os.altsep in text)
    # A suffix has a letter first: the ".6" of a misspelt "randm@0.6" is none.
    return has_separator or re.search(r"\.[A-Za-z]\w*$", text) is not None or os.path.exists(text)


_LENGTH = Parameter("n", 10_000, 1, 10_000_000, "requests")
_WRITES = Parameter("writes", 0.0, 0.0, 1.0, "share of writes", step=0)
_BLOCK = Parameter("block", 50, 1, 1_000_000, "consecutive requests from one source")


def _kind(
    name: str,
    make: Callable[[Values, int, np.random.Generator], Pattern],
    description: str,
    *parameters: Parameter,
    seed: int,
    rate: float = 1.0,
) -> WorkloadKind:
    common = (_LENGTH, Parameter("seed", seed, 0, 2**53, "seed of every random choice"))
    return WorkloadKind(Grammar(name, (*parameters, *common), rate), description, make)


def _locality(default: float) -> Parameter:
    return Parameter("locality", default, 0.0, 1.0, "share of sequential blocks", step=0)


_KINDS = (
    _kind("stream", generators.stream, "Consecutive 64-byte lines from address 0.", _WRITES, seed=1),
    _kind("random", generators.random, "Distinct lines, uniform over the device.", _WRITES, seed=2),
    _kind(
        "cloud-1-like",
        generators.cloud_1_like,
        "Blocks of a stream and of random lines in turn, as in ArchGym's cloud-1; starts with the stream.",
        _locality(0.48),
        _BLOCK,
        _WRITES,
        seed=3,
    ),
    _kind(
        "cloud-2-like",
        generators.cloud_2_like,
        "Blocks of a stream and of random lines in turn, as in ArchGym's cloud-2; starts with random lines.",
        _locality(0.505),
        _BLOCK,
        _WRITES,
        seed=4,
    ),
    _kind(
        "stride",
        generators.stride,
        "A constant stride, as when walking down a column of a matrix.",
        Parameter("stride", 8192, LINE_BYTES, 2**40, "bytes from one request to the next", step=LINE_BYTES),
        _WRITES,
        seed=5,
    ),
    _kind(
        "pointer-chase",
        generators.pointer_chase,
        "A linked list in random order, walked round and round; each request waits for the one before.",
        Parameter("nodes", 4096, 1, 10_000_000, "distinct lines of the list"),
        _WRITES,
        seed=6,
        rate=0.025,
    ),
    _kind(
        "mixed",
        generators.mixed,
        "Stream and random blocks with groups of writes among the reads.",
        Parameter("writes", 0.3, 0.0, 1.0, "share of writes", step=0),
        Parameter("group", 4, 1, 10_000, "mean consecutive requests of the rarer direction"),
        _locality(0.5),
        _BLOCK,
        seed=7,
    ),
    _kind(
        "bursty",
        generators.bursty,
        "Bursts at one request per clock with idle gaps between; half of the bursts are sequential.",
        Parameter("burst", 32, 1, 1_000_000, "mean requests in a burst"),
        Parameter("locality", 0.5, 0.0, 1.0, "share of sequential bursts", step=0),
        _WRITES,
        seed=8,
        rate=0.1,
    ),
    _kind(
        "zipf",
        generators.zipf,
        "Hot and cold lines: popularity falls as a power of the rank.",
        Parameter("exponent", 1.2, 0.0, 4.0, "power of the rank", step=0),
        Parameter("lines", 16_384, 1, 10_000_000, "distinct lines that may be used"),
        _WRITES,
        seed=9,
    ),
    _kind(
        "copy",
        generators.copy,
        "A buffer copied to another place: a burst of reads, then a burst of writes.",
        Parameter("burst", 64, 1, 1_000_000, "lines read before they are written"),
        seed=10,
    ),
    _kind(
        "dnn-layer",
        dnn_layer,
        "Tile loads and stores of a convolution or GEMM on an accelerator with one buffer.",
        Parameter("k", 128, 1, 65_536, "output channels (GEMM: N)"),
        Parameter("c", 128, 1, 65_536, "input channels (GEMM: K)"),
        Parameter("p", 28, 1, 65_536, "output rows (GEMM: M)"),
        Parameter("q", 28, 1, 65_536, "output columns (GEMM: 1)"),
        Parameter("r", 3, 1, 31, "filter rows"),
        Parameter("s", 3, 1, 31, "filter columns"),
        Parameter("stride", 1, 1, 16, "steps of the filter"),
        Parameter("bytes", 2, 1, 8, "bytes of a number"),
        Parameter("buffer", 128, 1, 65_536, "KiB of the on-chip buffer"),
        seed=11,
    ),
)

WORKLOADS: dict[str, WorkloadKind] = {kind.grammar.name: kind for kind in _KINDS}
_GRAMMARS: dict[str, Grammar] = {name: kind.grammar for name, kind in WORKLOADS.items()}
