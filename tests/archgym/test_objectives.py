"""The objective language: what it means, and what it refuses."""

import pytest

from archgym.objectives import Bound, Term, parse_constraint, parse_objective
from archgym_simulators import InputError, Metric, NamedObjective

METRICS = (
    Metric("time_ns", "time"),
    Metric("power_mw", "power"),
    Metric("bandwidth_gbps", "bandwidth", direction="max"),
    Metric("slack_ns", "slack", direction="max", scale="linear", span=10.0),
)
NAMED = (
    NamedObjective("total-time", "time_ns", "time", aliases=("latency",)),
    NamedObjective("energy-delay", "power_mw * time_ns^2", "energy times time", aliases=("edp",)),
    NamedObjective("power", "power_mw", "the slowest design wins", requires=("time_ns", "bandwidth_gbps")),
    NamedObjective("paper:power", "pole(power_mw, 1e3)", "ArchGym's"),
)


def parse(text, constraints=(), **options):
    return parse_objective(text, METRICS, NAMED, [parse_constraint(c, METRICS) for c in constraints], **options)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("total-time", [("time_ns", "min", 1.0)]),
        (" latency ", [("time_ns", "min", 1.0)]),
        ("energy-delay", [("power_mw", "min", 1.0), ("time_ns", "min", 2.0)]),
        ("bandwidth_gbps", [("bandwidth_gbps", "max", 1.0)]),
        ("min:bandwidth_gbps^.5 * max:time_ns", [("bandwidth_gbps", "min", 0.5), ("time_ns", "max", 1.0)]),
        ("time_ns ^ 1e-1", [("time_ns", "min", 0.1)]),
    ],
)
def test_terms(text, terms):
    assert parse(text).terms == tuple(Term(*term) for term in terms)


def test_a_name_and_its_alias_are_one_objective():
    assert parse("latency") == parse("total-time")
    assert parse("edp").name == "energy-delay"


def test_targets_and_poles():
    assert parse("time_ns<=6.5e4").targets == (Bound("time_ns", "<=", 65000.0),)
    assert parse("slack_ns >= -5").targets == (Bound("slack_ns", ">=", -5.0),)
    assert parse("paper:power").terms == (Term("power_mw", "min", pole=1000.0),)
    assert str(parse_constraint(" power_mw <= +900. ", METRICS)) == "power_mw<=900"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unknown objective ''; allowed: total-time"),
        ("total_time", r"unknown objective 'total_time'; did you mean 'total-time'\?"),
        ("time_nz", r"did you mean 'time_ns'\?"),
        ("time_ns *", "unknown objective"),
        ("* time_ns", "unknown objective"),
        ("time_ns power_mw", "unknown objective"),
        ("time_ns + power_mw", "unknown objective"),
        ("avg:time_ns", "unknown objective"),
        ("time_ns^", "unknown objective"),
        ("time_ns^x", "unknown objective"),
        ("time_ns^0", "weight of time_ns must be above 0"),
        ("time_ns^-1", "turn a metric round with min: or max:"),
        ("time_ns^1e999", "weight of time_ns must be above 0 and at most 1000"),
        ("time_ns<=0", "bound must be above 0"),
        ("time_ns<=-5", "bound must be above 0"),
        ("time_ns<=1e999", "too large"),
        ("time_ns<=5*power_mw<=3", "unknown objective"),
        ("time_ns<5", "unknown objective"),
        ("pole(time_ns)", "unknown objective"),
        ("pole(time_ns, 0)", "target of a pole must be above 0, not 0"),
        ("pole(time_ns, -1)", "target of a pole must be above 0"),
        ("pole(time_ns, 1e999)", "target of a pole"),
        ("pole(tame_ns, 1)", r"did you mean 'time_ns'\?"),
        ("pole(time_ns, 1) * power_mw", "mixes poles"),
        ("time_ns\nDROP TABLE", "unknown objective"),
        ("time_ns" * 100_000, "unknown objective"),
    ],
)
def test_malformed_objectives_are_one_line(text, message):
    with pytest.raises(InputError, match=message) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "power_mw", "power_mw=900", "power_mw<900", "power_mw<=x", "900>=power_mw", "power_mw<=9 00"]
)
def test_malformed_constraints_are_one_line(text):
    with pytest.raises(InputError, match="METRIC<=NUMBER") as caught:
        parse_constraint(text, METRICS)
    assert "\n" not in str(caught.value)


def test_an_unknown_metric_in_a_constraint_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown metric 'power'; did you mean 'power_mw'\?"):
        parse_constraint("power<=900", METRICS)


@pytest.mark.parametrize("text", ["power", "power_mw", "min:power_mw", "power_mw^1"])
def test_a_degenerate_objective_needs_a_bound_that_helps(text):
    for useless in ((), ("power_mw<=900",), ("time_ns>=5",), ("bandwidth_gbps<=5",)):
        with pytest.raises(InputError, match=r"degenerate alone.*by the constraint 'time_ns<=NUMBER'"):
            parse(text, useless)
    for helpful in ("time_ns<=5", "bandwidth_gbps>=2"):
        assert parse(text, (helpful,)).terms == (Term("power_mw", "min"),)
    assert parse(text, alone=False).terms == (Term("power_mw", "min"),)
