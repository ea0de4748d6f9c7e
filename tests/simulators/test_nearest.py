"""Nearest matches of error messages."""

import pytest

from archgym_simulators.nearest import did_you_mean, nearest


@pytest.mark.parametrize(
    ("value", "allowed", "match"),
    [
        ("FrFcFs", ["Fifo", "FrFcfs"], "FrFcfs"),
        ("pop", ["population", "children"], "population"),
        ("ga", ["nsga3", "gamma", "genetic_algorithm"], "genetic_algorithm"),
        ("de", ["dqn", "differential-evolution"], "differential-evolution"),
        ("ts", ["tabu_search", "two_stage"], None),
        ("ga", ["ga", "genetic_algorithm"], "ga"),
        ("ge", ["generations", "generalists"], None),
        ("p", ["population"], None),
        ("zebra", ["population"], None),
        (9, range(1, 9), "8"),
    ],
)
def test_slips_and_abbreviations_are_recognised(value, allowed, match):
    assert nearest(value, allowed) == match
    assert did_you_mean(value, allowed) == ("" if match is None else f"; did you mean {match!r}?")
