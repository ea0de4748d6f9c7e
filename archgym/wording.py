"""How numbers, metrics and stop reasons read in tables, pictures and sentences."""

from __future__ import annotations

__all__ = ["STOP_REASONS", "change", "label", "number", "ratio", "split_unit"]

from math import isfinite, log10

from archgym_simulators import Metric

_UNITS = {
    "ps": "ps",
    "ns": "ns",
    "us": "us",
    "ms": "ms",
    "s": "s",
    "fj": "fJ",
    "pj": "pJ",
    "nj": "nJ",
    "uj": "uJ",
    "mj": "mJ",
    "j": "J",
    "nw": "nW",
    "uw": "uW",
    "mw": "mW",
    "w": "W",
    "um2": "um^2",
    "mm2": "mm^2",
    "gbps": "Gbit/s",
    "khz": "kHz",
    "mhz": "MHz",
    "ghz": "GHz",
    "kib": "KiB",
    "mib": "MiB",
    "gib": "GiB",
    "tops": "TOPS",
}

_TIMES_FROM = 3.0  # "2.5 times as much" is a share, "150% more"; from here on a factor reads better

STOP_REASONS = {
    "budget": "the budget is used up",
    "max_proposals": "the limit on proposals is reached",
    "agent": "the agent is finished",
    "exhausted": "every design is known",
    "error": "an error ended it, of the agent, the simulator or the record",
}


def number(value: float | int | None, digits: int = 5) -> str:
    """A number for people: thousands separated, at least ``digits`` significant digits, whole numbers whole.

    >>> number(104512.25), number(0.00012345678), number(3.0), number(float("nan"))
    ('104,512', '0.00012346', '3', '-')
    """
    if value is None or not isfinite(value):
        return "-" if value is None or value != value else "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    magnitude = int(log10(abs(value)) // 1) if value else 0
    if not -5 <= magnitude < 15:
        return f"{value:.{digits - 1}e}"
    places = max(digits - 1 - magnitude, 0)
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def split_unit(name: str) -> tuple[str, str]:
    """A metric's name as words, and its unit.

    >>> split_unit("total_time_ns"), split_unit("cycles")
    (('total time', 'ns'), ('cycles', ''))
    """
    head, _, tail = name.rpartition("_")
    unit = _UNITS.get(tail, "") if head else ""
    return (head if unit else name).replace("_", " "), unit


def label(name: str) -> str:
    """A metric's name for an axis: ``"Total time (ns)"``."""
    text, unit = split_unit(name)
    return f"{text[:1].upper()}{text[1:]} ({unit})" if unit else f"{text[:1].upper()}{text[1:]}"


def ratio(value: float, reference: float) -> str:
    """``value`` as a multiple of ``reference``.

    >>> ratio(75.0, 100.0), ratio(1.0, 0.0)
    ('0.750x', '-')
    """
    return f"{value / reference:.3f}x" if isfinite(value) and isfinite(reference) and reference else "-"


def change(metric: Metric, value: float, reference: float) -> str:
    """Whether a metric is better or worse than the reference, in words.

    >>> change(Metric("time_ns", ""), 75.0, 100.0), change(Metric("speed_mhz", "", "max"), 75.0, 100.0)
    ('25.0% less, better', '25.0% less, worse')
    """
    if not (isfinite(value) and isfinite(reference)) or value == reference:
        return "same" if value == reference else "-"
    verdict = "better" if (value < reference) == (metric.direction == "min") else "worse"
    if metric.scale == "linear" or reference <= 0:
        return f"{number(abs(value - reference))} {'less' if value < reference else 'more'}, {verdict}"
    if value / reference >= _TIMES_FROM:
        return f"{number(value / reference, 3)} times as much, {verdict}"
    share = abs(value / reference - 1.0) * 100.0
    if share < 0.05:
        return f"under 0.1% {'less' if value < reference else 'more'}, {verdict}"
    return f"{share:.1f}% {'less' if value < reference else 'more'}, {verdict}"
