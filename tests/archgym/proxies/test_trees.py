"""Compiled trees give the bits of the libraries that trained them, by either way through them."""

import numpy as np
import pytest

from archgym.proxies import training
from archgym.proxies.features import DesignFeatures
from archgym.proxies.lightgbm_text import trees_of_text
from archgym.proxies.trees import MaskedTrees, Trees
from archgym_simulators import Categorical, DesignSpace, Factors, InputError, Integer, Ordinal, Permutation

SPACE = DesignSpace(
    [
        Ordinal("size", [1, 2, 4, 8, 16, 64]),
        Categorical("kind", ["a", "b", "c"]),
        Permutation("order", "KCXY"),
        Factors("tile", 60, 3),
        Integer("clock", 100, 900, 50),
        Ordinal("fixed", [1]),
    ]
)
FEATURES = DesignFeatures(SPACE, ("load", "depth"))
WORKLOADS = np.array([[0.3, 1.0], [0.7, 2.5], [0.9, 0.1]])


def made(count, seed=0):
    """Levels, workloads' features, features and a target with interactions."""
    rng = np.random.default_rng(seed)
    codes = FEATURES.codes(SPACE.sample(count, rng))
    own = WORKLOADS[rng.integers(0, len(WORKLOADS), count)]
    x = FEATURES.of(codes, own)
    return codes, own, x, x[:, 0] * x[:, 3] + np.sin(x).sum(axis=1) * own[:, 0] + rng.normal(0, 0.1, count)


def assert_masked_is_equal(trees, x_of):
    codes = made(500, seed=1)[0]
    for workload in WORKLOADS:
        masked = MaskedTrees.of(trees, FEATURES, workload)
        assert masked is not None
        assert masked.predict(codes).tobytes() == trees.predict(x_of(codes, workload)).tobytes()


@pytest.mark.parametrize("leaves", [2, 31, 64, 300])
def test_boosted_trees_are_equal_to_the_library_to_the_bit(leaves):
    import lightgbm

    _, _, x, y = made(3000)
    settings = {"trees": 40, "leaves": leaves, "rate": 0.1, "least": 1, "ridge": 0.0}
    trees, text = training.lightgbm(x, y, settings, 5)
    unseen = made(500, seed=1)[2]
    theirs = lightgbm.Booster(model_str=text).predict(unseen, num_threads=1)
    assert trees.predict(unseen).tobytes() == theirs.tobytes()
    assert_masked_is_equal(trees, FEATURES.of)


@pytest.mark.parametrize("name", ["RandomForestRegressor", "ExtraTreesRegressor"])
def test_forests_are_equal_to_the_library_to_the_bit(name):
    from sklearn import ensemble

    _, _, x, y = made(400)
    trees = training._forest(name, x, y, {"trees": 9, "least": 2, "share": 0.5}, 4)
    theirs = getattr(ensemble, name)(9, min_samples_leaf=2, max_features=0.5, random_state=4).fit(x, y)
    unseen = made(500, seed=1)[2]
    assert trees.predict(unseen).tobytes() == theirs.predict(unseen).tobytes()
    assert_masked_is_equal(trees, FEATURES.of)


def test_a_tree_of_one_leaf_predicts_it():
    x, y = made(60)[2], np.zeros(60)
    trees, _ = training.lightgbm(x, y, {"trees": 2, "leaves": 4, "rate": 0.1, "least": 1, "ridge": 0.0}, 0)
    assert trees.predict(x).tolist() == [0.0] * 60
    assert_masked_is_equal(trees, FEATURES.of)


def test_trees_that_do_not_fit_into_a_cache_are_walked(monkeypatch):
    monkeypatch.setattr("archgym.proxies.trees._MOST_MASKS", 1000)
    _, _, x, y = made(300)
    trees = training._forest("RandomForestRegressor", x, y, {"trees": 6, "least": 1, "share": 1.0}, 0)
    assert MaskedTrees.of(trees, FEATURES, WORKLOADS[0]) is None


def test_features_say_what_a_person_would_read():
    rows = SPACE.encode(
        {"size": [16], "kind": ["b"], "order": ["X>K>Y>C"], "tile": ["2x5x6"], "clock": [300], "fixed": [1]}
    )
    found = dict(zip(FEATURES.names, FEATURES.of(FEATURES.codes(rows), np.array([0.5, 2.0]))[0].tolist(), strict=True))
    assert found["size:index"] == 4
    assert found["size:value"] == 16
    assert [found[f"kind={kind}"] for kind in "abc"] == [0, 1, 0]
    assert [found[f"order:place of {item}"] for item in "KCXY"] == [1, 3, 0, 2]
    assert [found[f"tile:log factor {slot}"] for slot in range(3)] == [np.log(n) for n in (2, 5, 6)]
    assert found["clock:index"] == 4
    assert "clock:value" not in found, "on a line with the index"
    assert (found["load"], found["depth"]) == (0.5, 2.0)
    assert not any(name.startswith("fixed") for name in found)


def test_wide_parameters_keep_their_order_in_few_levels():
    space = DesignSpace([Integer("n", 0, 999_999), Factors("tile", 2**20 * 3**6 * 5**4, 4)])
    features = DesignFeatures(space)
    rows = space.sample(300, np.random.default_rng(0))
    x = features.of(features.codes(rows), np.zeros(0))
    assert max(features.level_counts) <= 4096
    assert (np.diff(x[np.argsort(rows[:, 0]), 0]) >= 0).all()
    assert np.abs(x[:, 0] - rows[:, 0]).max() <= 999_999 / 4000
    factors = space.values(rows)["tile"]
    assert np.array_equal(x[:, 1:], np.log(factors))


def arrays(**changes):
    """Two trees: a split and a leaf."""
    sound = {
        "roots": np.array([0, 3]),
        "feature": np.array([0, -1, -1, -1]),
        "threshold": np.array([0.5, 0, 0, 0]),
        "left": np.array([1, 0, 0, 0]),
        "right": np.array([2, 0, 0, 0]),
        "value": np.array([0.0, 1, 2, 3]),
        "divisor": np.array(1.0),
        "single": np.array(False),
    }
    return {**sound, **changes}


def test_sound_trees_are_taken():
    assert Trees.from_arrays(arrays(), 1).predict(np.array([[0.0], [1.0]])).tolist() == [4.0, 5.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"left": np.array([0, 0, 0, 0])},
        {"left": np.array([3, 0, 0, 0])},
        {"right": np.array([1, 0, 0, 0])},
        {"right": np.array([-1, 0, 0, 0])},
        {"feature": np.array([1, -1, -1, -1])},
        {"value": np.array([0.0, np.nan, 2, 3])},
        {"value": np.array([0.0, 1])},
        {"threshold": np.array([np.inf, 0, 0, 0])},
        {"roots": np.array([0, 4])},
        {"roots": np.array([1, 3])},
        {"roots": np.zeros(0, np.int64)},
        {"divisor": np.array(0.0)},
        {"divisor": np.array("x")},
    ],
    ids=str,
)
def test_arrays_that_are_no_trees_are_refused(changes):
    with pytest.raises(InputError, match="trees that are none"):
        Trees.from_arrays(arrays(**changes), 1)


def text():
    x, y = made(200)[2:]
    return training.lightgbm(x, y, {"trees": 3, "leaves": 4, "rate": 0.1, "least": 1, "ridge": 0.0}, 0)[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text[: len(text) // 4],
        lambda text: text.replace("Tree=1", "Tree=7"),
        lambda text: text.replace("decision_type=2", "decision_type=1"),
        lambda text: text.replace("num_tree_per_iteration=1", "num_tree_per_iteration=2"),
        lambda text: text.replace("left_child=", "left_child=9 "),
        lambda text: text.replace("num_leaves=4", "num_leaves=1000000000000"),
        lambda text: text.replace("is_linear=0", "is_linear=1"),
        lambda text: text.replace("leaf_value=", "leaf_value=import "),
    ],
)
def test_text_that_is_no_model_is_refused(change):
    whole = text()
    changed = change(whole)
    assert changed != whole
    with pytest.raises(InputError):
        trees_of_text(changed, len(FEATURES.names))
