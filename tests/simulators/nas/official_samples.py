"""Small published benchmarks in the formats of their publishers, with made-up numbers."""

from __future__ import annotations

import bz2
import json
import pickle
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from archgym_simulators.nas.cells import SIZE, cells_of_indices, text_of_cell

DATA = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
SPLITS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("ori-test", "x-valid", "x-test"),
    "ImageNet16-120": ("ori-test", "x-valid", "x-test"),
}
STRINGS = (
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
)


def result(rng, data, seed, epochs):
    """The state of one training, as the benchmark's own class keeps it."""
    accuracies = {f"{split}@{e}": float(rng.uniform(10, 90)) for split in SPLITS[data] for e in range(epochs)}
    return {
        "name": data,
        "net_state_dict": None,
        "train_acc1es": {e: float(rng.uniform(10, 90)) for e in range(epochs)},
        "train_acc5es": dict.fromkeys(range(epochs), 99.0),
        "train_losses": dict.fromkeys(range(epochs), 1.0),
        "train_times": dict.fromkeys(range(epochs), 7.25),
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": "", "class_num": 10, "name": "infer.tiny"},
        "params": 0.129306,
        "flop": 15.64737,
        "seed": seed,
        "epochs": epochs,
        "latency": [0.01],
        "eval_names": list(SPLITS[data]),
        "eval_acc1es": accuracies,
        "eval_times": dict.fromkeys(accuracies, 0.5),
        "eval_losses": dict.fromkeys(accuracies, 1.0),
    }


def trainings(rng, number, string):
    """Both trainings of an architecture: 12 epochs with one seed, 200 with up to three."""
    made = {}
    for hp, epochs, seeds in (("12", 12, (777,)), ("200", 200, (777, 888, 999))):
        results = {(data, seed): result(rng, data, seed, epochs) for data in DATA for seed in seeds}
        made[hp] = {
            "arch_index": number,
            "arch_str": string,
            "all_results": results,
            "dataset_seed": {data: list(seeds) for data in DATA},
            "clear_net_done": True,
        }
    return made


def nats_folder(folder: Path, strings=STRINGS) -> Path:
    """A folder of single files."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    _write(folder / "meta.pickle.pbz2", {"meta_archs": list(strings), "total_archs": len(strings)})
    for number, string in enumerate(strings):
        _write(folder / f"{number:06d}.pickle.pbz2", trainings(rng, number, string))
    return folder


def nats_archive(path: Path, strings=STRINGS) -> Path:
    """The same as one file."""
    rng = np.random.default_rng(0)
    trained = {number: trainings(rng, number, string) for number, string in enumerate(strings)}
    _write(path, {"meta_archs": list(strings), "arch2infos": trained, "evaluated_indexes": set(range(len(strings)))})
    return path


def _write(path, content):
    path.write_bytes(bz2.compress(pickle.dumps(content), 1))


def all_strings() -> list[str]:
    """Every architecture, in an order that is neither ours nor NATS-Bench's."""
    cells = cells_of_indices(np.random.default_rng(1).permutation(SIZE))
    return [text_of_cell(tuple(cell)) for cell in cells.tolist()]


def nats_frame() -> pd.DataFrame:
    """A whole table of accuracies."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"index": np.arange(SIZE), "arch_str": all_strings()})
    for data, what in product(("c10", "c100", "in16"), ("val_12ep", "test_200ep")):
        frame[f"{data}_{what}"] = rng.uniform(1, 99, SIZE)
    frame["train_s_per_epoch_c10valid"] = rng.uniform(3, 15, SIZE)
    return frame


def hw_nas_bench(path: Path) -> Path:
    """The pickle of HW-NAS-Bench, with lists of numbers and NumPy arrays."""
    rng = np.random.default_rng(3)
    strings = all_strings()
    found = {}
    for data in ("cifar10", "cifar100", "ImageNet16-120"):
        config = [{"name": "infer.tiny", "C": 16, "N": 5, "arch_str": string} for string in strings]
        found[data] = {"config": config, "eyeriss_arithmetic_intensity": [1.0] * SIZE}
        for device in ("edgegpu", "eyeriss", "fpga"):
            found[data][f"{device}_latency"] = rng.uniform(1, 9, SIZE)
            found[data][f"{device}_energy"] = rng.uniform(1, 9, SIZE).tolist()
        found[data]["raspi4_latency"] = rng.uniform(1, 9, SIZE)
    path.write_bytes(pickle.dumps({"nasbench201": found, "fbnet": {}}))
    return path


def macro_entries() -> dict[str, dict]:
    """The JSON of NAS-Bench-Macro."""
    rng = np.random.default_rng(4)
    entries = {}
    for digits in product("012", repeat=8):
        accuracies = rng.uniform(40, 94, 3)
        entries["".join(digits)] = {
            "test_acc": accuracies.tolist(),
            "mean_acc": float(accuracies.mean()),
            "std": float(accuracies.std()),
            "params": int(rng.integers(1e5, 1e7)),
            "flops": int(rng.integers(1e6, 1e8)),
        }
    return entries


def macro_json(path: Path) -> Path:
    """As a file."""
    path.write_text(json.dumps(macro_entries()))
    return path


def accel_frame(rows: int = 2500) -> pd.DataFrame:
    """A table of measured MnasNet-like networks, whose cost is a sum over blocks."""
    rng = np.random.default_rng(5)
    columns, work = {}, np.zeros(rows)
    for block in range(7):
        e, k = rng.choice([1, 4, 6], rows), rng.choice([3, 5], rows)
        layers, se = rng.integers(1, 5 if block == 5 else 4, rows), rng.integers(0, 2, rows)
        columns |= {f"block{block}_{name}": values for name, values in zip("ekl", (e, k, layers), strict=True)}
        columns[f"block{block}_se"] = se
        work += e * (k + 10) * layers * (block + 1) + 5 * se
    columns |= {
        "val_top1": 40 + 20 * work / work.max(),
        "train_time": 500 + work,
        "macs": work / 5,
        "params": work / 300,
    }
    for device in ("zcu102", "vck190"):
        columns[f"latency_{device}"] = work / 100
    for device in ("a100", "3090", "tpuv2", "tpuv3", "zcu102", "vck190"):
        columns[f"throughput_{device}"] = 1e6 / work
    return pd.DataFrame(columns)
