"""Pictures of searches, drawn with matplotlib, which is imported only when one is drawn."""

from __future__ import annotations

__all__ = ["COLOURS", "DASHES", "Curve", "best_so_far", "draw_best_so_far"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.wording import label, number, split_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Blue, vermilion, green, ... of Okabe and Ito (2008): told apart with every kind of colour vision. The dashes tell
# them apart in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ((), (6, 2), (1.5, 1.5), (8, 2, 2, 2), (4, 1, 1, 1, 1, 1), (10, 3), (3, 3))
_INK, _QUIET = "#222222", "#767676"
_INCHES, _DOTS_PER_INCH = (8.0, 4.5), 150
_CONNECTOR = {"arrowstyle": "-", "linewidth": 0.8, "shrinkA": 2, "shrinkB": 0, "relpos": (0, 0.5)}
_LABEL_GAP = 0.065  # of the axis' height: one line of text
_LINES_OF_A_LABEL = 2
_EDGE_INCHES = 0.12  # between the picture's edge and what is drawn
_FIRST_SHARE, _MARGIN = 0.1, 0.07  # of the simulations; of the range of values that is shown


@dataclass(frozen=True)
class Curve:
    """One search's progress.

    Attributes:
        name: what the label says.
        best: (N,) metric of the best valid design after 1..N simulations; NaN before the first valid one.
    """

    name: str
    best: NDArray[np.float64]  # (N,)


def best_so_far(
    rewards: NDArray[np.float64], feasible: NDArray[np.bool_], metric: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The metric of the best feasible design after each simulation: (N,), NaN before the first feasible one.

    >>> best_so_far(np.array([1.0, 3.0, 2.0]), np.array([False, True, True]), np.array([9.0, 5.0, 6.0]))
    array([nan,  5.,  5.])
    """
    ranked = np.where(feasible, rewards, -np.inf)
    best = np.maximum.accumulate(ranked)
    is_new = feasible & (ranked > np.concatenate([[-np.inf], best[:-1]]))
    latest = np.maximum.accumulate(np.where(is_new, np.arange(len(ranked)), -1))
    return np.where(latest >= 0, metric[np.maximum(latest, 0)], np.nan)


def draw_best_so_far(
    paths: Sequence[Path],
    curves: Sequence[Curve],
    *,
    metric: str,
    title: str,
    subtitle: str = "",
    baseline: float | None = None,
) -> None:
    """Draw how good the best design is after each simulation, one line a search.

    Args:
        paths: files to write, PNG or SVG by extension; the same bytes for the same curves.
        curves: at least one.
        metric: its name, with the unit as suffix.
        title: what is to be seen.
        subtitle: what was searched.
        baseline: the metric of the reference design.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with matplotlib.rc_context({"svg.hashsalt": "archgym", "font.size": 10, "axes.edgecolor": _QUIET}):
        figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout=ConstrainedLayoutEngine(w_pad=_EDGE_INCHES))
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        _draw_lines(axes, curves, baseline)
        _limit_values(axes, curves, baseline, metric)
        _label_axes(axes, metric, title, subtitle)
        _label_lines(axes, curves, baseline, metric)
        for path in paths:
            _save(figure, path)


def _draw_lines(axes: Axes, curves: Sequence[Curve], baseline: float | None) -> None:
    for index, curve in enumerate(curves):
        axes.plot(
            np.arange(1, len(curve.best) + 1),
            curve.best,
            drawstyle="steps-post",
            linewidth=2.0,
            color=COLOURS[index % len(COLOURS)],
            dashes=DASHES[index % len(DASHES)],
        )
    if baseline is not None:
        axes.axhline(baseline, color=_QUIET, linewidth=1.2)
    axes.set_xscale("log")
    axes.set_xlim(1, max(2, *(len(curve.best) for curve in curves)))


def _limit_values(axes: Axes, curves: Sequence[Curve], baseline: float | None, metric: str) -> None:
    """Show what happens after the first tenth of the designs, beside which the rest would look flat; say so."""
    later = [curve.best[int(_FIRST_SHARE * len(curve.best)) :] for curve in curves]
    shown = np.concatenate([*later, [] if baseline is None else [baseline]])
    everything = np.concatenate([curve.best for curve in curves])
    shown, everything = shown[np.isfinite(shown)], everything[np.isfinite(everything)]
    if not len(shown) or shown.min() == shown.max():
        return
    margin = _MARGIN * (shown.max() - shown.min())
    low, high = shown.min() - margin, shown.max() + margin
    axes.set_ylim(low, high)
    unit = split_unit(metric)[1]
    if everything.max() > high:
        _note(axes, f"first designs lie above, at {number(float(everything.max()))} {unit}".rstrip(), "top")
    if everything.min() < low:
        _note(axes, f"first designs lie below, at {number(float(everything.min()))} {unit}".rstrip(), "bottom")


def _note(axes: Axes, text: str, edge: str) -> None:
    background = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    place = (0.012, 0.975 if edge == "top" else 0.025)
    axes.text(*place, text, transform=axes.transAxes, color=_QUIET, fontsize=9, va=edge, bbox=background)


def _label_axes(axes: Axes, metric: str, title: str, subtitle: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=_INK, pad=20 if subtitle else 6)
    axes.text(0.0, 1.015, subtitle, transform=axes.transAxes, color=_QUIET, fontsize=9, va="bottom")
    axes.set_xlabel("Simulations (log scale)", color=_INK)
    axes.set_ylabel(f"{label(metric)} of the best design so far", color=_INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: number(value, 4))
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _label_lines(axes: Axes, curves: Sequence[Curve], baseline: float | None, metric: str) -> None:
    """Write names and final values at the right ends of the lines, pushed apart where they would overlap."""
    unit = split_unit(metric)[1]
    finals = [(float(curve.best[-1]), curve.name, index) for index, curve in enumerate(curves) if len(curve.best)]
    if baseline is not None:
        finals.append((baseline, "baseline", -1))
    ends = sorted(final for final in finals if np.isfinite(final[0]))
    low, high = axes.get_ylim()
    wanted = [(value - low) / (high - low) for value, _, _ in ends]
    for (value, name, index), place in zip(ends, spread(wanted, _LABEL_GAP * _LINES_OF_A_LABEL), strict=True):
        colour = _QUIET if index < 0 else COLOURS[index % len(COLOURS)]
        axes.annotate(
            f"{name.replace('_', ' ')}\n{number(value)} {unit}".rstrip(),
            xy=(1.0, (value - low) / (high - low)),
            xytext=(1.04, place),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=colour,
            va="center",
            fontsize=9,
            linespacing=1.1,
            arrowprops={**_CONNECTOR, "color": colour},
        )


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Ascending places moved as little as needed to lie at least ``gap`` apart.

    >>> [round(place, 3) for place in spread([0.1, 0.1, 0.9], 0.2)]
    [0.0, 0.2, 0.9]
    """
    # Neighbours that are too close form a block around the mean of where its members want to be.
    blocks: list[list[float]] = []
    for place in places:
        blocks.append([place])
        while len(blocks) > 1 and _start(blocks[-1], gap) < _start(blocks[-2], gap) + gap * len(blocks[-2]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    return [_start(block, gap) + gap * k for block in blocks for k in range(len(block))]


def _start(block: Sequence[float], gap: float) -> float:
    return sum(block) / len(block) - gap * (len(block) - 1) / 2


def _save(figure: Figure, path: Path) -> None:
    part = path.with_name(f"{path.name}.part")
    kind = path.suffix.lower().lstrip(".")
    try:
        figure.savefig(part, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
