"""A layer, an accelerator and a mapping in AccelForge's words, and our counts by its rules of charging.

Read off AccelForge 1.0.467, by its documentation and its answers:

- A mapping is a list of nodes, outermost first. A loop names the extent that is left inside it; a storage node says
  where a tile is held, and its tile comes anew in every iteration of every loop above it. Our buffers keep a tile while
  loops run that do not touch it, so a tensor's node goes above such loops.
- Loops over PEs stand above the loops at the global buffer, so that a PE's tile can be held through those.
- A tile that leaves is read where it was, which we do not charge; the sums that are added are the same.
- What neighbouring windows share is fetched again, so inputs under windows are not comparable.
"""

from __future__ import annotations

__all__ = ["DRIVER", "charged_words", "specification", "unsupported"]

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from archgym_simulators.layers.layer import Layer
from archgym_simulators.mapping.hardware import TENSORS, Buffer, Hardware
from archgym_simulators.mapping.model import DIMS, LayerMapping, MappingArrays
from archgym_simulators.mapping.results import DRAM, FILLS, GLB, OUTPUTS, PE, READS, UPDATES

Integers = NDArray[np.int64]
Loop = tuple[str, int]

_TOUCHED_BY = {"weights": "KCRS", "inputs": "NCPQRS", "outputs": "NKPQ"}
_SUMMED = "CRS"
DRIVER = """\
import json, sys
import accelforge

def cost(number):
    try:
        found = accelforge.Spec.from_yaml(f"{number}.yaml").evaluate_mapping()
        words = found.actions(per_component=True, per_tensor=True)
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return {"error": f"{type(error).__name__}: {lines[0] if lines else ''}"}
    rows = [[*map(str, key), float(count)] for key, count in words.items()]
    return {"cycles": float(found.latency()), "energy_pj": float(found.energy()), "words": rows}

with open("answers.json", "w") as file:
    json.dump([cost(number) for number in range(int(sys.argv[1]))], file)
"""
"""The program that evaluates ``0.yaml``, ``1.yaml``, ... where AccelForge is installed."""


def unsupported(mapping: LayerMapping) -> str:
    """Why AccelForge's notation has no such mapping, in one sentence; empty where it has."""
    dram, glb, _ = _loops(mapping)
    for tensor in mapping.keep_pe:
        held = all(not _touches(loop, tensor) for loop in glb)
        if held and dram and not _touches(dram[-1], tensor):
            return f"a PE holds its {tensor} while the loop over {dram[-1][0]} off the chip runs: PEs lie inside it"
    return ""


def specification(layer: Layer, hardware: Hardware, mapping: LayerMapping) -> str:
    """The YAML file of one group of a layer on an accelerator; one word is one bit there."""
    return "\n".join((*_architecture(hardware), *_workload(layer), *_mapping(layer, hardware, mapping), ""))


def charged_words(counts: Integers, mapping: LayerMapping) -> Integers:
    """Words read and written as AccelForge charges them.

    Args:
        counts: (3, 3, 3) of one mapping, of `archgym_simulators.mapping.model.MappingResult`.
        mapping: that it is of.

    Returns:
        (3, 3, 2): level by tensor by reads and writes.
    """
    words = np.stack([counts[:, :, READS], counts[:, :, UPDATES] + counts[:, :, FILLS]], axis=2)
    added = 1
    for side in (mapping.x, mapping.y):
        added *= int(np.prod([side.get(dim, 1) for dim in _SUMMED]))
    levels = [PE] * ("outputs" in mapping.keep_pe) + [GLB] * ("outputs" in mapping.keep_glb) + [DRAM]
    for inner, outer in pairwise(levels):
        # Sums of several PEs meet on their way out of them.
        leaving = counts[outer, OUTPUTS, UPDATES] * (added if inner == PE else 1)
        words[inner, OUTPUTS, 0] += leaving
    return words


def _touches(loop: Loop, tensor: str) -> bool:
    return loop[0] in _TOUCHED_BY[tensor]


def _loops(mapping: LayerMapping) -> tuple[list[Loop], list[Loop], list[Loop]]:
    """Loops of more than one iteration off the chip, at the global buffer and within a PE, outermost first."""
    arrays = MappingArrays.of([mapping])
    glb, dram = ([DIMS[d] for d in order[::-1]] for order in arrays.orders[0, :2].tolist())
    by_level = ((dram, mapping.dram), (glb, mapping.glb), (DIMS, mapping.pe))
    found = [[(dim, factors[dim]) for dim in order if factors.get(dim, 1) > 1] for order, factors in by_level]
    return found[0], found[1], found[2]


def _architecture(hardware: Hardware) -> Iterator[str]:
    yield from ("arch:", "  nodes:", *_memory("dram0", hardware.dram))
    for number, buffer in enumerate(hardware.glb):
        yield from _memory(f"glb{number}", buffer)
    yield from ("  - !Container", "    name: array", "    spatial:")
    yield from (f"    - {{name: x, fanout: {hardware.columns}}}", f"    - {{name: y, fanout: {hardware.rows}}}")
    for number, buffer in enumerate(hardware.pe):
        yield from _memory(f"pe{number}", buffer)
    yield from ("  - !Compute", "    name: mac", "    leak_power: 0", "    area: 0", "    actions:")
    yield f"    - {{name: compute, energy: {hardware.mac_pj!r}, throughput: 1}}"


def _memory(name: str, buffer: Buffer) -> Iterator[str]:
    yield from ("  - !Memory", f"    name: {name}", f"    size: {float(buffer.words)!r}", "    leak_power: 0")
    yield from ("    area: 0", "    tensors: {keep: Nothing, may_keep: All}")
    # Ports for reads and for writes work side by side, as ours do.
    yield from ("    total_latency: max(a.n_calls / a.throughput for a in actions)", "    actions:")
    yield f"    - {{name: read, energy: {buffer.read_pj!r}, throughput: {float(buffer.read_bandwidth)!r}}}"
    yield f"    - {{name: write, energy: {buffer.write_pj!r}, throughput: {float(buffer.write_bandwidth)!r}}}"


def _workload(layer: Layer) -> Iterator[str]:
    yield from ("workload:", "  iteration_space_shape:")
    for dim in DIMS:
        yield f"    {dim.lower()}: 0 <= {dim.lower()} < {getattr(layer, dim.lower())}"
    window = f"{{N: n, C: c, H: {layer.stride}*p + r, W: {layer.stride}*q + s}}"
    yield from ("  bits_per_value: {All: 1}", "  einsums:", "  - name: layer", "    tensor_accesses:")
    yield "    - {name: weights, projection: [k, c, r, s]}"
    yield f"    - {{name: inputs, projection: {window}}}"
    yield "    - {name: outputs, projection: [n, k, p, q], output: True}"
    yield "    renames: {weight: weights, input: inputs, output: outputs}"


def _mapping(layer: Layer, hardware: Hardware, mapping: LayerMapping) -> Iterator[str]:
    left = {dim: getattr(layer, dim.lower()) for dim in DIMS}
    dram, glb, pe = _loops(mapping)
    yield from ("mapping:", "  nodes:", f"  - !Storage {{tensors: [{', '.join(TENSORS)}], component: dram0}}")
    yield from _held(dram, mapping.keep_glb, "glb", hardware.glb, left)
    for name, side in (("x", mapping.x), ("y", mapping.y)):
        for dim in (one for one in DIMS if side.get(one, 1) > 1):
            left[dim] //= side[dim]
            tile = f"rank_variable: {dim.lower()}, tile_shape: {left[dim]}"
            yield f"  - !Spatial {{{tile}, name: {name}, component: array}}"
    yield from _held(glb, mapping.keep_pe, "pe", hardware.pe, left)
    for loop in pe:
        yield _temporal(loop, left)
    yield "  - !Compute {einsum: layer, component: mac}"


def _held(
    loops: Sequence[Loop], kept: Sequence[str], level: str, buffers: Sequence[Buffer], left: dict[str, int]
) -> Iterator[str]:
    """Loops with the storage nodes of one level, each above the innermost loops that do not touch its tensor."""
    places: dict[str, int] = {}
    for tensor in kept:
        place = len(loops)
        while place > 0 and not _touches(loops[place - 1], tensor):
            place -= 1
        places[tensor] = place
    for place in range(len(loops) + 1):
        for tensor in (one for one in TENSORS if places.get(one) == place):
            number = next(n for n, buffer in enumerate(buffers) if tensor in buffer.holds)
            yield f"  - !Storage {{tensors: [{tensor}], component: {level}{number}}}"
        if place < len(loops):
            yield _temporal(loops[place], left)


def _temporal(loop: Loop, left: dict[str, int]) -> str:
    dim, factor = loop
    left[dim] //= factor
    return f"  - !Temporal {{rank_variable: {dim.lower()}, tile_shape: {left[dim]}}}"
