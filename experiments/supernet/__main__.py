"""Train the supernet behind archgym/SupernetDigits-v0, and measure how well it ranks its subnets.

train    train it and write the file that the package ships; about a minute
rank     train subnets from scratch, as many as time allows; again until it compares them
clock    CPU seconds of looking at subnets, and the declared model of them
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from archgym_simulators.errors import ArchgymError, InputError, import_extra
from archgym_simulators.nas.supernet_weights import COMMITTED, write_supernet
from experiments.supernet.recipes import SCRATCH, SEED, SUPERNET


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.supernet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", choices=("train", "rank", "clock"))
    parser.add_argument("--minutes", type=float, default=4.0, help="start no further training after so long, for rank")
    parser.add_argument("--epochs", type=int, help="for train, of the supernet; for rank, 12 or 30 from scratch")
    parser.add_argument("--weights", type=Path, default=COMMITTED, help="file to write, for train")
    chosen = parser.parse_args(arguments)
    try:
        return _run(chosen)
    except ArchgymError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _run(chosen: argparse.Namespace) -> int:
    if chosen.task != "clock":
        import_extra("torch", "nas").set_num_threads(1)
    if chosen.task == "train":
        _train(chosen.weights, chosen.epochs or SUPERNET.epochs)
    elif chosen.task == "rank":
        _rank(chosen.minutes, chosen.epochs or max(SCRATCH))
    else:
        from experiments.supernet.clock import clock

        print(clock())
    return 0


def _train(file: Path, epochs: int) -> None:
    from archgym_simulators.nas.supernet_network import weights_of
    from archgym_simulators.nas.supernet_training import train_supernet

    recipe = replace(SUPERNET, epochs=epochs)
    started = time.process_time()
    network = train_supernet(recipe, SEED)
    train_s = time.process_time() - started
    digest = write_supernet(file, weights_of(network), {"seed": SEED, **asdict(recipe)})
    print(f"{file}: {train_s:.1f} CPU s, digest {digest}")


def _rank(minutes: float, epochs: int) -> None:
    from experiments.supernet.rank import agreement, open_trainings, read_trained, train_next

    if epochs not in SCRATCH:
        raise InputError(f"epochs from scratch must be one of {', '.join(map(str, SCRATCH))}, not {epochs}")
    until = time.monotonic() + 60.0 * minutes
    while open_trainings(epochs) and time.monotonic() < until:
        print(train_next(epochs), flush=True)
    left = len(open_trainings(epochs))
    print(f"{left} trainings left; run the same command again" if left else agreement(read_trained(), epochs))


if __name__ == "__main__":
    raise SystemExit(main())
