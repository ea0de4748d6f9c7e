"""Parts for training and testing: complete, of the right size, without leaks."""

from dataclasses import replace

import numpy as np
import pytest

from archgym_simulators import InputError
from tests.archgym.datasets.made_data import made


def distinct(data):
    """The first of each design and workload."""
    seen = {}
    for row, key in enumerate(evaluations(data)):
        seen.setdefault(key, row)
    return replace(data.take(np.array(sorted(seen.values()))), distinct=True)


def evaluations(data):
    return list(zip(data.space.keys(data.designs), data.workload_index.tolist(), strict=True))


def designs(data):
    return set(data.space.keys(data.designs))


@pytest.mark.parametrize("seed", [0, 1])
def test_random_rows_are_all_there_once_and_no_evaluation_is_on_two_sides(seed):
    data = made(400)
    assert len(set(evaluations(data))) < 400, "there are repeats to leak"
    parts = data.split_rows((0.5, 0.3, 0.2), seed=seed)
    assert sorted(np.concatenate([part.step for part in parts])) == list(range(400))
    sides = [set(evaluations(part)) for part in parts]
    total = sum(map(len, sides))
    assert total == len(set(evaluations(data)))
    for share, side in zip((0.5, 0.3, 0.2), sides, strict=True):
        assert abs(len(side) - share * total) <= 1
    for part in parts:
        assert (np.diff(part.step) > 0).all(), "rows keep their order"
        assert not part.whole_runs


def test_a_split_follows_its_seed():
    data = distinct(made(200))
    first, again, other = (data.split_rows(seed=seed)[1].step.tolist() for seed in (3, 3, 4))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ((0.8, 0.1), "1 together"),
        ((1.0,), "at least two"),
        ((1.2, -0.2), "above 0"),
        ((0.95, 0.05), "5 designs are too few for parts of 0.95, 0.05: one of them would be empty"),
    ],
)
def test_shares_that_make_no_parts_are_refused(fractions, message):
    with pytest.raises(InputError, match=message):
        distinct(made(5)).split_rows(fractions)


def test_five_rows_can_be_split_where_no_part_is_empty():
    assert [len(part) for part in distinct(made(5)).split_rows((0.8, 0.2))] == [4, 1]


@pytest.mark.parametrize(("by", "names"), [("agent", ["bee"]), ("workload", ["b"]), ("run", ["run-bee-0"])])
def test_named_groups_are_never_in_training(by, names):
    data = made(400)
    train, test = data.split_groups(by, held_out=names)
    of = {"agent": lambda d: d.agent, "workload": lambda d: d.workload, "run": lambda d: d.agent}[by]
    assert set(of(train)) == {"a" if by == "workload" else "ant"}
    assert set(of(test)) == {"b" if by == "workload" else "bee"}
    assert not set(evaluations(train)) & set(evaluations(test))
    assert len(train) == sum(of(data) == ("a" if by == "workload" else "ant"))
    if by == "agent":  # what both agents found would leak
        assert 0 < len(test) < sum(data.agent == "bee")
        assert set(evaluations(test)) == set(evaluations(data.take(data.agent == "bee"))) - set(evaluations(train))


def test_drawn_groups_make_up_the_share_and_are_whole():
    data = distinct(made(600, agents=[f"agent{k}" for k in range(10)]))
    train, test = data.split_groups("agent", fraction=0.3, seed=2)
    assert not set(train.agent) & set(test.agent)
    assert 0.3 <= len(test) / len(data) < 0.45
    assert len(train) + len(test) == len(data)


def test_a_design_is_on_one_side_on_all_its_workloads():
    data = made(400)
    train, test = data.split_groups("design", fraction=0.25)
    assert not designs(train) & designs(test)
    assert len(train) + len(test) == 400
    assert 0.25 <= len(test) / 400 < 0.35


def test_a_region_is_what_has_the_values():
    data = made(400)
    train, test = data.split_groups("region", held_out={"policy": ["auto", 1], "banks": [8]})
    policy, banks = (test.readable()[name] for name in ("policy", "banks"))
    assert set(map(str, policy)) == {"auto", "1"}
    assert set(banks) == {8}
    whole = data.readable()
    inside = [str(p) in ("auto", "1") and b == 8 for p, b in zip(whole["policy"], whole["banks"], strict=True)]
    assert len(test) == sum(inside)
    assert len(train) == 400 - sum(inside)


def test_a_drawn_region_is_a_neighbourhood():
    data = made(400)
    train, test = data.split_groups("region", fraction=0.2, seed=5)
    assert 0.2 <= len(test) / 400 < 0.4
    assert not designs(train) & designs(test)
    assert test.rows.std(axis=0).mean() < train.rows.std(axis=0).mean()


@pytest.mark.parametrize(
    ("by", "how", "message"),
    [
        ("agents", {}, "cannot split by 'agents'; did you mean 'agent'"),
        ("agent", {"held_out": ["be"]}, "no rows of agent 'be'; did you mean 'bee'"),
        ("agent", {"held_out": "bee"}, "must be a list of names"),
        ("agent", {"held_out": ["ant", "bee"]}, "no rows are left for train"),
        ("agent", {"fraction": 1.5}, "fraction must be between 0 and 1"),
        ("design", {"held_out": ["x"]}, "designs have no names"),
        ("region", {"held_out": {"bank": [1]}}, "unknown parameter 'bank'; did you mean 'banks'"),
        ("region", {"held_out": {"banks": [3]}}, "banks must be one of 1, 2, 4, 8, not 3"),
        ("region", {"held_out": ["banks"]}, "values by parameter"),
    ],
)
def test_what_cannot_be_held_out_is_refused(by, how, message):
    with pytest.raises(InputError, match=message):
        made(50).split_groups(by, **how)


def test_one_group_cannot_be_split():
    with pytest.raises(InputError, match="all rows are of one agent, 'ant'"):
        made(50, agents=["ant"]).split_groups("agent")
    with pytest.raises(InputError, match="without rows"):
        made(50).take(np.zeros(50, bool)).split_groups("agent")
