"""Address patterns of the generated workloads. Every function is vectorised over the R requests.

A pattern is a sequence of 64-byte lines of a device with L lines; equations use i = 0..R-1 for the request and
U for an independent uniform draw. The cloud patterns have the statistics of ArchGym's traces of that name
(measured; see docs/dram-workloads.md), not their addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from archgym_simulators.errors import InputError

LINE_BYTES = 64

Values = Mapping[str, int | float]
Lines = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a generator decides; the rest (plain writes, arrival times) is common to all workloads.

    Attributes:
        line: (R,) line index, 0..L-1.
        is_write: (R,) directions, or None: independent coin flips with the workload's `writes` share.
        starts_burst: (R,) True where an idle gap may come first, or None: requests evenly spaced.
        dependent: True where each request waits for the previous one to be sent (relative time stamps).
    """

    line: Lines
    is_write: NDArray[np.bool_] | None = None
    starts_burst: NDArray[np.bool_] | None = None
    dependent: bool = False


def stream(values: Values, lines: int, rng: Generator) -> Pattern:
    """Consecutive lines: line_i = i mod L."""
    return Pattern(np.arange(int(values["n"]), dtype=np.int64) % lines)


def random(values: Values, lines: int, rng: Generator) -> Pattern:
    """Distinct lines, uniform over the device."""
    return Pattern(distinct_lines(int(values["n"]), lines, rng))


def cloud_1_like(values: Values, lines: int, rng: Generator) -> Pattern:
    """Blocks of a stream and of random lines, the first two blocks from the stream."""
    return Pattern(_blocks(values, lines, rng, sequential_head=True))


def cloud_2_like(values: Values, lines: int, rng: Generator) -> Pattern:
    """Blocks of a stream and of random lines, the first two blocks random."""
    return Pattern(_blocks(values, lines, rng, sequential_head=False))


def stride(values: Values, lines: int, rng: Generator) -> Pattern:
    """Walk a column: at_i = i * stride; line_i = (at_i mod capacity) / 64, one line further after every wrap."""
    at = np.arange(int(values["n"]), dtype=np.int64) * (int(values["stride"]) // LINE_BYTES)
    return Pattern((at + at // lines) % lines)


def pointer_chase(values: Values, lines: int, rng: Generator) -> Pattern:
    """Walk one random cycle through `nodes` distinct lines; each request depends on the one before."""
    nodes = distinct_lines(int(values["nodes"]), lines, rng)
    return Pattern(np.resize(nodes, int(values["n"])), dependent=True)


def mixed(values: Values, lines: int, rng: Generator) -> Pattern:
    """Blocks as in the cloud patterns, with writes in groups: a two-state Markov chain of directions.

    The minority direction comes in groups of geometric length with mean `group`, the majority in groups with
    mean group * (1 - m) / m, where m is the minority's share.
    """
    line = _blocks(values, lines, rng, sequential_head=True)
    share = float(values["writes"])
    minority = min(share, 1.0 - share)
    if minority == 0.0:
        return Pattern(line, is_write=np.full(line.shape, share == 1.0))
    mean_minority = float(values["group"])
    mean_majority = mean_minority * (1.0 - minority) / minority
    lengths = np.empty(line.size + 1, dtype=np.int64)  # each group has a request, so these suffice
    lengths[0::2] = rng.geometric(1.0 / mean_majority, lengths[0::2].size)
    lengths[1::2] = rng.geometric(1.0 / mean_minority, lengths[1::2].size)
    groups = int(np.searchsorted(np.cumsum(lengths), line.size)) + 1
    group = np.repeat(np.arange(groups), lengths[:groups])[: line.size]
    minority_turn = group % 2 == 1
    return Pattern(line, is_write=minority_turn if share <= 0.5 else ~minority_turn)


def bursty(values: Values, lines: int, rng: Generator) -> Pattern:
    """Bursts of geometric length with mean `burst`, one request per clock inside, idle in between.

    With probability `locality` a burst walks consecutive lines from a random start, else its lines are random.
    """
    count = int(values["n"])
    lengths = rng.geometric(1.0 / float(values["burst"]), count)
    bursts = int(np.searchsorted(np.cumsum(lengths), count)) + 1
    burst = np.repeat(np.arange(bursts), lengths[:bursts])[:count]  # (R,) burst of each request
    starts = np.ones(count, dtype=np.bool_)
    starts[1:] = burst[1:] != burst[:-1]
    first = np.flatnonzero(starts)
    sequential = (rng.random(bursts) < float(values["locality"]))[burst]
    walk = rng.integers(0, lines, bursts)[burst] + np.arange(count) - first[burst]
    scattered = rng.integers(0, lines, count)
    return Pattern(np.where(sequential, walk % lines, scattered), starts_burst=starts)


def zipf(values: Values, lines: int, rng: Generator) -> Pattern:
    """Hot lines: rank k of `lines` distinct lines is drawn with probability proportional to k ** -exponent."""
    hot = distinct_lines(int(values["lines"]), lines, rng)
    weight = np.cumsum(np.arange(1, hot.size + 1, dtype=np.float64) ** -float(values["exponent"]))
    rank = np.searchsorted(weight, rng.random(int(values["n"])) * weight[-1], side="right")
    return Pattern(hot[np.minimum(rank, hot.size - 1)])


def copy(values: Values, lines: int, rng: Generator) -> Pattern:
    """Copy a buffer: read `burst` consecutive lines of it, write them a quarter of the device further on."""
    burst = int(values["burst"])
    row = np.arange(int(values["n"]), dtype=np.int64)
    is_write = row // burst % 2 == 1
    source = row // (2 * burst) * burst + row % burst
    return Pattern((source + is_write * (lines // 4)) % lines, is_write=is_write)


def distinct_lines(count: int, lines: int, rng: Generator) -> Lines:
    """Draw `count` distinct lines in random order, # (count,).

    Raises:
        InputError: The device has fewer lines.
    """
    if count > lines:
        raise InputError(f"{count} distinct lines are more than the device's {lines}")
    return rng.choice(lines, size=count, replace=False).astype(np.int64, copy=False)


def _blocks(values: Values, lines: int, rng: Generator, *, sequential_head: bool) -> Lines:
    """Interleave blocks of two sources, each of which goes on where its last block ended.

    round(locality * B) of the B blocks continue one stream from line 0, the others take random distinct lines;
    the order is a random permutation, except that the first two blocks are alike.
    """
    count, block = int(values["n"]), int(values["block"])
    blocks = -(-count // block)
    head = min(2, blocks)
    sequential = round(float(values["locality"]) * blocks)
    kinds = np.zeros(blocks, dtype=np.bool_)
    if sequential_head:
        kinds[: min(head, sequential)] = True
    else:
        head = min(head, blocks - sequential)
    rest = kinds[head:]
    rest[: sequential - int(np.count_nonzero(kinds[:head]))] = True
    rng.shuffle(rest)
    from_stream = np.repeat(kinds, block)[:count]  # (R,)
    line = np.empty(count, dtype=np.int64)
    streamed = int(np.count_nonzero(from_stream))
    line[from_stream] = np.arange(streamed, dtype=np.int64) % lines
    line[~from_stream] = distinct_lines(count - streamed, lines, rng)
    return line
