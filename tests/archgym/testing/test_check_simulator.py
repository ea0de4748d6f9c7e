"""The conformance suite of simulators: honest ones pass, and each broken one fails with its sentence."""

import numpy as np
import pytest

from archgym.registry import environment, environments
from archgym.testing import check_simulator, toys
from archgym.testing.simulators import SIMULATOR_CHECKS
from archgym_simulators import (
    Baseline,
    Categorical,
    DesignSpace,
    Evaluation,
    InertWhen,
    InputError,
    Integer,
    Metric,
    NamedObjective,
    Workload,
)
from archgym_simulators.mean import MeanOverWorkloads

NEEDED = {"archgym/NAS201Digits-v0": {"partial": True}}
"""Options without which an id cannot be bound in every state of the tree: its table may have missing rows."""
TOYS = [toys.Bowl, toys.HugeSpace, toys.OneDesign, toys.AlwaysInvalid]


@pytest.mark.parametrize("env_id", [i for i in environments() if not environment(i).extra])
def test_every_registered_simulator_passes(env_id):
    check_simulator(env_id, n=64, **NEEDED.get(env_id, {}))


@pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.__name__)
def test_every_toy_passes(toy):
    check_simulator(toy)
    check_simulator(toy, workload="large", scale=2.0, n=50, seed=3)
    check_simulator(toy("large"), n=20)


def test_a_mean_over_workloads_passes():
    check_simulator(MeanOverWorkloads([toys.Bowl("default"), toys.Bowl("large")]))


def test_a_flaky_simulator_passes_only_where_that_is_said():
    check_simulator(toys.Flaky, flaky=True)
    with pytest.raises(AssertionError, match="a row failed; pass flaky=True where that may happen"):
        check_simulator(toys.Flaky)


class Broken(toys.Bowl):
    """A bowl without constraints, which would tidy up after it, whose outcome is changed."""

    def make_space(self):
        space = super().make_space()
        return DesignSpace(space.parameters, inert=space.inert)

    def simulate(self, rows):
        return self.change(super().simulate(rows), rows)


def changed(**columns):
    """Replace columns of an outcome, behind its back."""

    class Changed(Broken):
        def change(self, outcome, rows):
            for name, make in columns.items():
                array = np.array(make(getattr(outcome, name).copy(), outcome))
                array.flags.writeable = False
                object.__setattr__(outcome, name, array)
            return outcome

    return Changed


def first(value):
    def make(array, outcome):
        array[: len(array) and 1] = value
        return array

    return make


def invalid_first(array, outcome):
    array[np.flatnonzero(outcome.status == 1)[:1]] = 1.0
    return array


def of(outcome, values):
    return Evaluation.of(
        np.abs(np.nan_to_num(values, nan=1.0)), reasons=outcome.reasons, diagnostics=outcome.diagnostics
    )


class Batchy(Broken):
    def change(self, outcome, rows):
        return of(outcome, outcome.values * (1 + 1e-15 * len(rows)))


class Ordered(Broken):
    def change(self, outcome, rows):
        return of(outcome, np.maximum.accumulate(np.nan_to_num(outcome.values, nan=1.0), axis=0))


class Drifting(Broken):
    calls = 0

    def change(self, outcome, rows):
        Drifting.calls += 1
        return of(outcome, outcome.values + Drifting.calls)


class Scribbling(Broken):
    def simulate(self, rows):
        rows[:, 0] = 0
        return super().simulate(rows)

    def change(self, outcome, rows):
        return outcome

    def evaluate(self, rows):
        return self.simulate(rows)


class Reusing(toys.HugeSpace):
    buffer = np.zeros((1000, 4))

    def _outcome(self, values, distance):
        outcome = super()._outcome(values, distance)
        self.buffer[: len(values)] = outcome.values
        view = self.buffer[: len(values)]
        view.flags.writeable = False
        object.__setattr__(outcome, "values", view)
        return outcome


class Racing(toys.HugeSpace):
    """Keeps its rows on itself: fine alone, wrong when two threads are in."""

    def simulate(self, rows):
        self.rows = rows
        for _ in range(200):
            np.sort(np.random.default_rng(0).random(1000))
        wrong = self.rows is not rows
        return super().simulate(rows if not wrong else rows * 0)


class FoldsTooMuch(toys.Bowl):
    def make_space(self):
        space = super().make_space()
        return DesignSpace(
            space.parameters, constraints=space.constraints, inert=[InertWhen("banks", "memory", ("none",))]
        )

    def simulate(self, rows):
        distance = ((rows - self._target) ** 2).sum(axis=1) * 0.01
        return self._outcome(np.stack([100.0 + distance] * 4, axis=1), distance * 0.0)


class Silent(toys.Bowl):
    def __init__(self, workload="default", *, scale=1.0):
        super().__init__("default" if workload not in ("default", "large") else workload, scale=scale)


class Unhelpful(toys.Bowl):
    def __init__(self, workload="default", *, scale=1.0):
        if workload not in ("default", "large"):
            raise InputError(f"unknown workload {workload!r}")
        super().__init__(workload, scale=scale)


class RestlessSplit(toys.Bowl):
    counter = iter(range(1000))

    @classmethod
    def draw_workload(cls, split, rng):
        return ["default", "large"][next(cls.counter) % 2]


class Ragged(toys.Bowl):
    def __init__(self, workload="default", *, scale=1.0):
        super().__init__(workload, scale=scale)
        if workload == "large":
            self.workload = Workload(workload, (1.0, 2.0), ("a", "b"))


class Shouting(toys.Bowl):
    def simulate(self, rows):
        raise ValueError("operands could not\nbe broadcast")


class ColdBaseline(toys.Bowl):
    def __init__(self, workload="default", *, scale=1.0):
        super().__init__(workload, scale=scale)
        self.baseline = Baseline("worst", (0, 0, 7, 0, 0, 0))


class Unrepeatable(Broken):
    """Noise drawn when it is built: pure as an object, another simulator in every process."""

    def __init__(self, workload="default", *, scale=1.0):
        super().__init__(workload, scale=scale)
        self.noise = np.random.default_rng().random()

    def change(self, outcome, rows):
        return of(outcome, outcome.values + self.noise)


def on_large(**attributes):
    """Sound on the workload that is bound, wrong on another one."""

    class OnLarge(toys.Bowl):
        def __init__(self, workload="default", *, scale=1.0):
            super().__init__(workload, scale=scale)
            for name, value in attributes.items() if workload == "large" else ():
                setattr(self, name, value)

    return OnLarge


def declaring(**attributes):
    return type("Declaring", (toys.Bowl,), attributes)


def building(**attributes):
    class Building(toys.Bowl):
        def __init__(self, workload="default", *, scale=1.0):
            super().__init__(workload, scale=scale)
            for name, value in attributes.items():
                setattr(self, name, value)

    return Building


def spaced(*parameters, **more):
    return type("Spaced", (toys.AlwaysInvalid,), {"make_space": lambda self: DesignSpace(parameters, **more)})


METRIC = Metric("time_ns", "time")
BROKEN = {
    "Batchy": (Batchy, "one row at a time must give the bits of a batch; values of row 0 differs"),
    "Ordered": (Ordered, "must give the"),
    "Drifting": (Drifting, "the same rows must give the same bits twice"),
    "Scribbling": (Scribbling, "evaluate must not change its rows"),
    "Reusing": (Reusing, "evaluating again must not change values of an earlier outcome"),
    "Racing": (Racing, "several threads at once must give the bits of one"),
    "FoldsTooMuch": (FoldsTooMuch, "folded designs must be equal on workload 'default'"),
    "Silent": (Silent, "an unknown workload 'defaultzz' must raise InputError"),
    "Unhelpful": (Unhelpful, "must name it and the nearest match 'default'"),
    "RestlessSplit": (RestlessSplit, "drawing from split 'train' must be a function of the generator"),
    "Ragged": (Ragged, "workload 'large' has other features than 'default'"),
    "Unrepeatable": (Unrepeatable, "a simulator built again must give the same bits"),
    "drifting unit": (on_large(metrics=(Metric("time_us", "t"), *toys.Bowl.metrics[1:])), "'large' has other metrics"),
    "drifting direction": (
        on_large(metrics=(Metric("time_ns", "t", direction="max"), *toys.Bowl.metrics[1:])),
        "workload 'large' has other metrics than 'default'",
    ),
    "baseline outside": (on_large(baseline=Baseline("far", (9,) * 6)), "of workload 'large' is no row of the design"),
    "baseline invalid": (
        on_large(baseline=Baseline("worst", (0, 0, 7, 0, 0, 0))),
        "the baseline of workload 'large' must be valid: 8 banks do not fit 1 KiB",
    ),
    "worthless": (
        changed(values=lambda a, o: np.where((o.status == 0)[:, None], 0.0, a)),
        "'time_ns' is 0 at the baseline, so it cannot be an objective",
    ),
    "unitless": (
        declaring(metrics=(Metric("run_time", "t"), *toys.Bowl.metrics), objectives=(), default_objective="run_time"),
        "metric 'run_time' must end in its unit, such as run_time_ns",
    ),
    "Shouting": (Shouting, "check 'outcome' raised ValueError: operands could not be broadcast"),
    "ColdBaseline": (ColdBaseline, "the baseline must be valid, as others are: 8 banks do not fit 1 KiB"),
    "float32": (changed(values=lambda a, _: a.astype(np.float32)), "values must be float64, not float32"),
    "short": (changed(cost=lambda a, _: a[:-1]), r"cost of 256 rows must have the shape"),
    "wide": (changed(diagnostics=lambda a, _: np.zeros((len(a), 3))), "diagnostics of 256 rows must have the shape"),
    "negative": (changed(values=lambda a, _: -a), "time_ns has the scale 'log' and must not be negative"),
    "infinite": (changed(values=lambda a, _: a * np.inf), "time_ns of designs that are ok must be finite"),
    "number": (changed(values=invalid_first), "metrics of designs that are not ok must be NaN"),
    "violated": (changed(violation=lambda a, _: a + 1.0), "violation of designs that are ok must be 0"),
    "unviolated": (changed(violation=lambda a, _: a - 1.0), "violation must be finite and at least 0"),
    "strange": (changed(status=lambda a, _: a + 7), "status must be ok, invalid or failed"),
    "unreasoned": (changed(reason_code=lambda a, _: a * 0 - 1), "reason_code of invalid designs must be an index"),
    "overreasoned": (changed(reason_code=lambda a, _: a * 0), "reason_code of designs that are ok must be -1"),
    "undetailed": (changed(reason_detail=lambda a, _: a[:, :1]), "has 1 of the 2 detail numbers of its reason"),
    "costly": (changed(cost=lambda a, _: a * np.nan), "cost must be finite and at least 0"),
    "no metrics": (declaring(metrics=()), "metrics must be a tuple of Metric, at least one"),
    "two metrics": (declaring(metrics=(METRIC,) * 4), "metrics must have distinct names"),
    "mute metric": (declaring(metrics=(Metric("time_ns", ""),)), "metric 'time_ns' needs a description"),
    "metric clash": (declaring(metrics=(Metric("reward", "r"),)), "metric 'reward' of Declaring is a column"),
    "version": (declaring(version=1), "version must be text, not 1"),
    "records": (declaring(rows_per_record=0), "rows_per_record must be at least 1"),
    "options": (declaring(describe_options=lambda self: {"x": {1}}), r"describe_options\(\) must be JSON-able"),
    "objective": (declaring(objectives=(NamedObjective("o", "tyme", "d"),)), "unknown metric 'tyme'"),
    "alias": (
        declaring(
            objectives=(NamedObjective("o", "time_ns", "d"), NamedObjective("p", "time_ns", "d", aliases=("o",)))
        ),
        "distinct names and aliases",
    ),
    "requires": (declaring(objectives=(NamedObjective("o", "time_ns", "d", requires=("t",)),)), "requires 't'"),
    "default": (declaring(default_objective="tyme"), "unknown objective 'tyme'"),
    "features": (building(workload=Workload("default", (np.nan,), ("a",))), "features of workload 'default' must be"),
    "feature names": (building(workload=Workload("default", (1.0,), ())), "has 1 features and 0 names"),
    "baseline": (building(baseline=Baseline("b", (9, 9, 9, 9, 9, 9))), "is no row of the design space"),
    "baseline row": (building(baseline=Baseline("b", (0,))), "is no row of the design space"),
    "description": (spaced(Integer("x", 0, 3)), "parameter 'x' needs a description"),
    "parameter clash": (
        spaced(Categorical("status", ["a"], description="d")),
        "parameter 'status' of Spaced is a column of every record",
    ),
}


@pytest.mark.parametrize(("broken", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_broken_simulator_fails_with_one_sentence(broken, sentence):
    with pytest.raises(AssertionError, match=sentence) as caught:
        check_simulator(broken)
    assert "\n" not in str(caught.value)


def test_what_is_no_simulator_is_refused():
    with pytest.raises(AssertionError, match=r"must be a subclass of archgym_simulators\.Simulator, not int"):
        check_simulator(5)
    with pytest.raises(InputError, match="unknown environment 'archgym/DRAN-v0'"):
        check_simulator("archgym/DRAN-v0")


def test_checks_are_chosen_by_name():
    check_simulator(ColdBaseline, checks=["space", "purity"])
    with pytest.raises(InputError, match=r"unknown check 'spice'; did you mean 'space'\?"):
        check_simulator(toys.Bowl, checks=["spice"])
    assert set(SIMULATOR_CHECKS) == {
        *("declarations", "objectives", "space", "workloads"),
        *("outcome", "purity", "batches", "threads", "folding", "every-workload"),
    }
