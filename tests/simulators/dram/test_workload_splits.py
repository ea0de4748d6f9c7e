import hashlib
from itertools import combinations

import numpy as np
import pytest

from archgym_simulators import splits
from archgym_simulators.dram.spec import split_spec
from archgym_simulators.dram.splits import FAMILIES, GRIDS, draw, grid_values
from archgym_simulators.dram.workloads import WORKLOADS, canonical_spec, workload
from archgym_simulators.errors import InputError
from archgym_simulators.splits import SPLITS

SEED = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def revealed(monkeypatch):
    """A test split with a seed of our own; the real one is not in the repository."""
    monkeypatch.setattr(splits, "TEST_SEED_SHA256", hashlib.sha256(SEED.encode()).hexdigest())
    monkeypatch.setenv(splits.TEST_SEED_VARIABLE, SEED)


def draws(split, count, seed=0):
    rng = np.random.default_rng(seed)
    return [draw(split, rng) for _ in range(count)]


def drawn_values(split, count=1500):
    """Every parameter value that occurs in `count` draws, defaults filled in by the grammar's order."""
    seen = {}
    for spec in draws(split, count):
        name, arguments, rate = split_spec(spec)
        family = next(family for family in FAMILIES if family.workload == name)
        main, given = WORKLOADS[name].grammar.parameters[0].name, {}
        for argument in arguments:
            key, _, value = argument.rpartition("=")
            given[key or main] = float(value)
        for parameter in WORKLOADS[name].grammar.parameters:
            if parameter.name in (*family.parameters, "seed"):
                value = given.get(parameter.name, parameter.default)
                seen.setdefault(parameter.name, set()).add(value)
        seen.setdefault("rate", set()).add(float(rate) if rate else WORKLOADS[name].grammar.rate)
    return seen


def test_no_parameter_value_occurs_in_two_splits(revealed):
    seen = {split: drawn_values(split) for split in SPLITS}
    assert all(values.keys() == {*GRIDS, "seed"} for values in seen.values())
    for one, other in combinations(SPLITS, 2):
        for parameter in (*GRIDS, "seed"):
            assert not seen[one][parameter] & seen[other][parameter], (one, other, parameter)


@pytest.mark.parametrize("parameter", GRIDS)
def test_splits_partition_every_grid(parameter):
    parts = [grid_values(parameter, split) for split in SPLITS]
    assert all(parts)
    assert sorted(sum(parts, ())) == sorted(set(GRIDS[parameter])) == list(GRIDS[parameter])


def test_every_family_has_rates_in_every_split():
    for family in FAMILIES:
        for split in SPLITS:
            assert sum(family.rate[0] <= rate <= family.rate[1] for rate in grid_values("rate", split)) >= 5


@pytest.mark.parametrize("split", SPLITS)
def test_draws_are_deterministic_canonical_and_varied(revealed, split):
    specs = draws(split, 60)
    assert specs == draws(split, 60)
    assert specs != draws(split, 60, seed=1)
    assert len(set(specs)) == 60
    assert {split_spec(spec)[0] for spec in specs} == {family.workload for family in FAMILIES}
    assert [canonical_spec(spec) for spec in specs] == specs


@pytest.mark.parametrize("split", SPLITS)
def test_every_draw_is_a_workload(revealed, split):
    for spec in draws(split, 40, seed=2):
        made = workload(spec)
        assert len(made.trace) == 10_000
        assert np.isfinite(made.features).all()


def test_an_unknown_split_is_refused():
    with pytest.raises(InputError, match=r"unknown split 'tset'; allowed are train, .*; did you mean 'test'\?"):
        draw("tset", np.random.default_rng(0))


def test_the_test_split_is_closed_without_its_seed(monkeypatch):
    monkeypatch.delenv(splits.TEST_SEED_VARIABLE, raising=False)
    with pytest.raises(InputError, match="the test split is closed: set ARCHGYM_TEST_SEED to the seed"):
        draw("test", np.random.default_rng(0))


@pytest.mark.parametrize("seed", ["7", SEED, "x" * 32, "a\nb"])
def test_a_wrong_test_seed_is_refused_in_one_line(monkeypatch, seed):
    monkeypatch.setenv(splits.TEST_SEED_VARIABLE, seed)
    with pytest.raises(InputError, match="ARCHGYM_TEST_SEED is not the seed of the test split") as caught:
        draw("test", np.random.default_rng(0))
    assert "\n" not in str(caught.value)


def test_test_draws_depend_on_the_hidden_seed(revealed, monkeypatch):
    before = draws("test", 5)
    other = SEED[::-1]
    monkeypatch.setattr(splits, "TEST_SEED_SHA256", hashlib.sha256(other.encode()).hexdigest())
    monkeypatch.setenv(splits.TEST_SEED_VARIABLE, other)
    assert not set(before) & set(draws("test", 5))
