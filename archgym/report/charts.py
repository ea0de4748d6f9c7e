"""What a report shows, before anybody has decided how: the page, pictures and tables are made from the same marks."""

from __future__ import annotations

__all__ = [
    "ALL_TASKS",
    "Axis",
    "Bars",
    "Boxes",
    "Chart",
    "Line",
    "Mark",
    "Points",
    "Section",
    "Table",
    "View",
    "as_drawn",
]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

ALL_TASKS = ""
"""The scope that is no single task."""


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        label: what is shown, with its unit.
        log: logarithmic.
        ticks: names at the places 0, 1, ... for an axis of categories; numbers otherwise.
        limits: smallest and largest value; from the marks where None.
        floor: smaller values are drawn here: a logarithmic axis has no zero.
        whole: counts, so that no tick lies between two whole numbers.
    """

    label: str
    log: bool = False
    ticks: Sequence[str] = ()
    limits: tuple[float, float] | None = None
    floor: float | None = None
    whole: bool = False

    def drawn(self, values: Sequence[float]) -> list[float]:
        """Where values are drawn; they are kept as they are in tables."""
        return list(values) if self.floor is None else [self.floor if one < self.floor else one for one in values]


@dataclass(frozen=True, kw_only=True)
class _Marked:
    name: str
    agent: str = ""  # gives colour and filter; the neutral colour, never filtered, where empty


@dataclass(frozen=True, kw_only=True)
class Line(_Marked):
    """A line (N), with a band where ``low`` and ``high`` are given; not a number where there is nothing to draw."""

    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    step: bool = False


@dataclass(frozen=True, kw_only=True)
class Points(_Marked):
    """Points (N), each with a text for who asks."""

    x: Sequence[float]
    y: Sequence[float]
    texts: Sequence[str] = ()
    symbol: str = "circle"  # circle, cross, diamond or star


@dataclass(frozen=True, kw_only=True)
class Boxes(_Marked):
    """A horizontal box at a place of a category axis: lower fence, quartiles, upper fence."""

    place: float
    quantiles: tuple[float, float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Bars(_Marked):
    """Horizontal bars (N) at places of a category axis, with whiskers where ``low`` and ``high`` are given."""

    places: Sequence[float]
    lengths: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


Mark = Line | Points | Boxes | Bars


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Marks on two axes.

    Attributes:
        key: names it within its section.
        title: what is to be seen.
        note: how to read it, in a line.
    """

    key: str
    title: str
    x: Axis
    y: Axis
    marks: Sequence[Mark]
    note: str = ""


def as_drawn(chart: Chart) -> list[Mark]:
    """The marks of a chart with every value that lies below an axis' floor on it."""
    return [_on_axes(mark, chart.x, chart.y) for mark in chart.marks]


def _on_axes(mark: Mark, x: Axis, y: Axis) -> Mark:
    if isinstance(mark, Line):
        return replace(mark, x=x.drawn(mark.x), y=y.drawn(mark.y), low=y.drawn(mark.low), high=y.drawn(mark.high))
    if isinstance(mark, Points):
        return replace(mark, x=x.drawn(mark.x), y=y.drawn(mark.y))
    if isinstance(mark, Boxes):
        low, first, middle, third, high = x.drawn(mark.quantiles)
        return replace(mark, quantiles=(low, first, middle, third, high))
    return replace(mark, lengths=x.drawn(mark.lengths), low=x.drawn(mark.low), high=x.drawn(mark.high))


@dataclass(frozen=True, kw_only=True)
class Table:
    """Cells as text.

    Attributes:
        key: names it within its section.
        title: what it lists.
        header: of the columns.
        rows: cells.
        right: columns of numbers.
        agents: the agent of each row, for the filter; empty where rows are no agents.
    """

    key: str
    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()
    agents: Sequence[str] = ()


@dataclass(frozen=True)
class View:
    """What a section shows for one task, or for all.

    Attributes:
        words: sentences, made from the numbers.
        charts: may be empty: then the words say why.
        tables: numbers.
    """

    words: Sequence[str]
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Section:
    """One question.

    Attributes:
        key: short name, for links and file names.
        title: the question's subject.
        views: by scope: the name of a task, or `ALL_TASKS`.
    """

    key: str
    title: str
    views: Mapping[str, View] = field(default_factory=dict)
