"""Train PPO on the DRAM controller, draw reward against simulations, and say what came out."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import archgym
from archgym_simulators import ArchgymError

ENV_ID, WORKLOAD, OBJECTIVE = "archgym/DRAM-v0", "mixed", "total-time"
AGENTS = {"ppo": ("PPO", "#0072B2"), "random_search": ("random search", "#D55E00")}
PICTURE = "reward.png"
WINDOW = 50  # designs of a running median
SHARE = 5  # the first and the last fifth are compared


@dataclass(frozen=True)
class Search:
    """What an agent simulated, in order.

    Attributes:
        name: what words and picture call it.
        colour: of its line.
        reward: (N,) of each new design.
        valid: (N,) whether it was one.
    """

    name: str
    colour: str
    reward: NDArray[np.float64]
    valid: NDArray[np.bool_]

    @property
    def best(self) -> float:
        return float(self.reward[self.valid].max(initial=-np.inf))

    def fifth(self, which: int) -> tuple[float, float]:
        """Median reward of the valid designs, and share of valid ones, of the first (0) or last (-1) fifth."""
        part = np.array_split(np.arange(len(self.reward)), SHARE)[which]
        good = self.reward[part][self.valid[part]]
        return float(np.median(good)) if len(good) else -np.inf, float(self.valid[part].mean())


def main() -> int:
    arguments = parsed()
    try:
        searches = [search(agent, arguments) for agent in AGENTS]
    except ArchgymError as error:
        print(f"demo_rl: {error}", file=sys.stderr)
        return 2
    draw(searches, arguments.out / PICTURE)
    print(report(searches, arguments))
    return 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.demo_rl", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/demo-rl"), help="runs/demo-rl where not given")
    parser.add_argument("--budget", type=int, default=1000, help="simulations of each search; 1000")
    parser.add_argument("--seed", type=int, default=1, help="of both; 1")
    return parser.parse_args()


def search(agent: str, arguments: argparse.Namespace) -> Search:
    """Run, or take from the run directory, one search."""
    import pyarrow.parquet as pq

    about = {"workload": WORKLOAD, "objective": OBJECTIVE, "out": arguments.out / agent}
    archgym.search(ENV_ID, agent, budget=arguments.budget, seed=arguments.seed, **about)
    table = pq.read_table(arguments.out / agent / "evaluations.parquet", columns=["reward", "feasible"])
    reward, valid = (table.column(name).to_numpy() for name in table.column_names)
    return Search(*AGENTS[agent], reward, valid)


def running_median(search: Search) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Simulations, and the median reward of the last ``WINDOW`` valid designs at each: (V,), (V,)."""
    at = np.flatnonzero(search.valid)
    windows = [search.reward[at[max(i + 1 - WINDOW, 0) : i + 1]] for i in range(len(at))]
    return at + 1, np.array([np.median(window) for window in windows])


def draw(searches: list[Search], path: Path) -> None:
    """Valid designs as dots, their running median as a line."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for one in reversed(searches):
        at, median = running_median(one)
        axes.plot(at, one.reward[one.valid], ".", markersize=3, alpha=0.25, color=one.colour)
        axes.plot(at, median, linewidth=2.0, color=one.colour, label=one.name)
    axes.axhline(0.0, color="#767676", linewidth=1.0)
    axes.annotate("baseline", (0.0, 0.0), (4, 3), textcoords="offset points", color="#767676", fontsize=9)
    axes.set_title(f"{ENV_ID}, {WORKLOAD}, {OBJECTIVE}: what is proposed", loc="left", fontsize=11)
    axes.set_xlabel("Simulations")
    axes.set_ylabel(f"Reward of valid designs: each, and median of {WINDOW}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(path, metadata={"Software": None})


def report(searches: list[Search], arguments: argparse.Namespace) -> str:
    """What came out, in words; nothing is claimed that the figures do not say."""
    learner, control = searches
    (early, valid_early), (late, valid_late) = learner.fifth(0), learner.fifth(-1)
    sentences = [
        f"{learner.name} {'learned' if late > early else 'did not learn'}: its valid designs had a median reward of "
        f"{early:.3f} in the first fifth of {arguments.budget:,} simulations and of {late:.3f} in the last; "
        f"{valid_early:.0%} and {valid_late:.0%} of its designs were valid.",
        f"{control.name.capitalize()} had {control.fifth(0)[0]:.3f} and {control.fifth(-1)[0]:.3f}.",
        f"The best design of {learner.name} has reward {learner.best:.4f}, that of {control.name} {control.best:.4f} "
        f"(0 is the baseline, log 2 = 0.693 is twice as fast): {_comparison(learner, control)}.",
        f"Picture: {arguments.out / PICTURE}",
    ]
    return "\n".join(sentences)


def _comparison(learner: Search, control: Search) -> str:
    if learner.best == control.best:
        return "equally good"
    winner = learner if learner.best > control.best else control
    return f"{winner.name} found the better one, with this seed"


if __name__ == "__main__":
    sys.exit(main())
