"""Compare our mapping model with AccelForge: ``python -m experiments.mapping_accelforge --python P``.

Mappings are random; ``P`` is a Python with AccelForge (3.12 or later). Writes ``agreement.csv`` and the README's table.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archgym.run_directory import write_whole
from archgym_simulators.external.accelforge import AccelForge, find_accelforge
from archgym_simulators.external.accelforge_files import charged_words, unsupported
from archgym_simulators.layers.layer import Layer, conv, gemm
from archgym_simulators.mapping.hardware import TENSORS, Hardware
from archgym_simulators.mapping.model import DIMS, SLOTS, LayerMapping, simulate
from archgym_simulators.mapping.presets import hardware_named
from archgym_simulators.mapping.results import INPUTS

HERE = Path(__file__).parent
HARDWARE = ("reference-256", "eyeriss-like", "simba-like")
LAYERS = (
    gemm("matrix product 64 x 96 x 48", 64, 96, 48),
    conv("pointwise 14 x 14, 32 to 48", 14, channels=(32, 48), kernel=1),
    conv("3 x 3 on 14 x 14, 16 to 24", 14, channels=(16, 24), kernel=3),
    conv("5 x 5, stride 2, 8 to 12", 8, channels=(8, 12), kernel=5, stride=2),
)
_DRAWS = 20_000
_ROUNDING = 1e-6
"""AccelForge's sums are off by some 1e-9."""
_TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end of table -->)", re.DOTALL)


def random_mappings(
    layer: Layer, hardware: Hardware, wanted: int, rng: np.random.Generator
) -> tuple[list[LayerMapping], float]:
    """Random mappings that fit and that AccelForge's notation has, and the share of those that fit which it has."""
    found: list[LayerMapping] = []
    fitting = 0
    for _ in range(_DRAWS):
        mapping = _random_mapping(layer, rng)
        if simulate(layer, hardware, [mapping], count=False)["broken"][0] >= 0:
            continue
        fitting += 1
        if not unsupported(mapping):
            found.append(mapping)
        if len(found) == wanted:
            break
    return found, len(found) / max(fitting, 1)


def _random_mapping(layer: Layer, rng: np.random.Generator) -> LayerMapping:
    factors: list[dict[str, int]] = [{} for _ in SLOTS]
    for dim in DIMS:
        for prime in _primes(getattr(layer, dim.lower())):
            slot = factors[int(rng.integers(len(factors)))]
            slot[dim] = slot.get(dim, 1) * prime
    orders = [tuple(rng.permutation(DIMS).tolist()) for _ in range(2)]
    keep = [tuple(tensor for tensor in TENSORS if rng.random() < 0.8) for _ in range(2)]
    dram, glb, x, y, pe = factors
    return LayerMapping(
        dram, glb, x, y, pe, dram_order=orders[0], glb_order=orders[1], keep_glb=keep[0], keep_pe=keep[1]
    )


def _primes(number: int) -> list[int]:
    found, prime = [], 2
    while number > 1:
        while number % prime == 0:
            found.append(prime)
            number //= prime
        prime += 1
    return found


def compared(tool: AccelForge, layer: Layer, hardware: Hardware, wanted: int, seed: int) -> dict[str, Any]:
    """Shares of mappings on which both count the same, by what is counted."""
    mappings, share = random_mappings(layer, hardware, wanted, np.random.default_rng(seed))
    ours = simulate(layer, hardware, mappings)
    words = [charged_words(counts, mapping) for counts, mapping in zip(ours.counts, mappings, strict=True)]
    theirs = tool.evaluate(layer, hardware, mappings)
    equal = np.array([own == one.words for own, one in zip(words, theirs, strict=True)])  # (N, 3, 3, 2)
    at_most = [bool((own[:, INPUTS] <= one.words[:, INPUTS]).all()) for own, one in zip(words, theirs, strict=True)]
    energy = [_energy(own, layer, hardware) / one.energy_pj - 1.0 for own, one in zip(words, theirs, strict=True)]
    cycles = [
        _cycles(own, layer, hardware, mapping) / one.cycles - 1.0
        for own, one, mapping in zip(words, theirs, mappings, strict=True)
    ]
    return {
        "hardware": hardware.name,
        "layer": layer.name,
        "mappings": len(mappings),
        "in_notation": share,
        **{tensor: float(equal[:, :, number].all(axis=(1, 2)).mean()) for number, tensor in enumerate(TENSORS)},
        "inputs_at_most": float(np.mean(at_most)),
        "energy": float(np.mean(np.abs(energy) < _ROUNDING)),
        "cycles": float(np.mean(np.abs(cycles) < _ROUNDING)),
        "energy_mean_error": float(np.mean(np.abs(energy))),
        "cycles_mean_error": float(np.mean(np.abs(cycles))),
    }


def _energy(words: Any, layer: Layer, hardware: Hardware) -> float:
    total = layer.macs // layer.groups * hardware.mac_pj
    for level, (_, buffers) in enumerate(hardware.levels()):
        for buffer in buffers:
            for tensor in map(TENSORS.index, buffer.holds):
                total += words[level, tensor] @ [buffer.read_pj, buffer.write_pj]
    return float(total)


def _cycles(words: Any, layer: Layer, hardware: Hardware, mapping: LayerMapping) -> float:
    """The slowest of the MACs and all ports, from words as AccelForge charges them."""
    pes = int(np.prod([*mapping.x.values(), *mapping.y.values(), 1]))
    slowest = layer.macs // layer.groups / pes
    for level, (name, buffers) in enumerate(hardware.levels()):
        for buffer in buffers:
            moved = words[level, [TENSORS.index(tensor) for tensor in buffer.holds]].sum(axis=0)
            ports = moved / [buffer.read_bandwidth, buffer.write_bandwidth] / (pes if name == "pe" else 1)
            slowest = max(slowest, float(ports.max()))
    return slowest


def as_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The README's table."""
    columns = ("weights", "outputs", "inputs", "inputs_at_most", "energy", "cycles")
    header = ["hardware", "layer", "mappings", "weights", "outputs", "inputs", "ours at most", "energy", "cycles"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        shares = [f"{100 * row[name]:.0f} %" for name in columns]
        lines.append([row["hardware"], row["layer"], str(row["mappings"]), *shares])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", help="a Python that has AccelForge; this one by default")
    parser.add_argument("--mappings", type=int, default=40, help="of each layer on each accelerator")
    given = parser.parse_args()
    os.nice(5)
    tool = find_accelforge(given.python)
    rows = []
    for hardware in map(hardware_named, HARDWARE):
        for seed, layer in enumerate(LAYERS):
            rows.append(compared(tool, layer, hardware, given.mappings, seed))
            print(*rows[-1].values(), flush=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(HERE / "agreement.csv", text.getvalue())
    readme = HERE / "README.md"
    write_whole(readme, _TABLE.sub(lambda _: as_markdown(rows), readme.read_text()))


if __name__ == "__main__":
    main()
