"""The splits of DNN workloads: disjoint, seeded, and closed for the test part."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.layers.catalogue import NETWORKS
from archgym_simulators.layers.splits import FAMILY_SPLITS, draw_layers, grid_values, networks_of
from archgym_simulators.layers.workloads import canonical_spec, workload
from archgym_simulators.splits import SPLITS

DIMENSIONS = ("m", "n", "k", "size", "channels")


def test_every_family_of_networks_lies_in_one_split():
    assert {network.family for network in NETWORKS.values()} == set(FAMILY_SPLITS)
    assert sum(len(networks_of(split)) for split in SPLITS) == len(NETWORKS)
    assert all(len(networks_of(split)) >= 2 for split in SPLITS)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_no_generated_value_occurs_in_two_splits(dimension):
    values = {split: set(grid_values(dimension, split)) for split in SPLITS}
    assert all(len(found) >= 8 for found in values.values())
    for one, other in itertools.combinations(SPLITS, 2):
        assert not values[one] & values[other]


@pytest.mark.parametrize("split", ["train", "dev"])
def test_draws_are_canonical_workloads_of_the_split_and_follow_the_seed(split):
    specs = [draw_layers(split, np.random.default_rng(seed)) for seed in range(200)]
    assert specs == [draw_layers(split, np.random.default_rng(seed)) for seed in range(200)]
    assert len(set(specs)) > 120
    for spec in set(specs):
        assert canonical_spec(spec) == spec
        assert workload(spec).total_macs >= 1
    heads = {spec.split(":")[0].split("/")[0] for spec in specs}
    assert heads - {"gemm", "conv"} <= set(networks_of(split))
    assert {"gemm", "conv"} < heads


def test_generated_dimensions_are_of_their_split():
    sizes, channels = set(grid_values("size", "dev")), set(grid_values("channels", "dev"))
    for seed in range(200):
        spec = draw_layers("dev", np.random.default_rng(seed))
        if spec.startswith("conv:"):
            layer = workload(spec).layers[0]
            assert {layer.p, layer.q} <= sizes
            assert {layer.c * layer.groups, layer.k * layer.groups} <= channels


def test_the_test_split_is_closed_without_its_seed(monkeypatch):
    monkeypatch.delenv("ARCHGYM_TEST_SEED", raising=False)
    with pytest.raises(InputError, match="test split is closed"):
        draw_layers("test", np.random.default_rng(0))
    monkeypatch.setenv("ARCHGYM_TEST_SEED", "0" * 32)
    with pytest.raises(InputError, match="not the seed"):
        draw_layers("test", np.random.default_rng(0))


def test_the_test_split_follows_its_seed_and_the_generator(monkeypatch):
    draws = {}
    for seed in ("0" * 32, "1" * 32):
        monkeypatch.setattr("archgym_simulators.splits.test_split_seed", lambda seed=seed: seed)
        draws[seed] = [draw_layers("test", np.random.default_rng(n)) for n in range(60)]
        assert draws[seed] == [draw_layers("test", np.random.default_rng(n)) for n in range(60)]
        heads = {spec.split(":")[0].split("/")[0] for spec in draws[seed]}
        assert heads - {"gemm", "conv"} <= set(networks_of("test"))
        assert all(workload(spec).name == spec for spec in draws[seed])
    assert draws["0" * 32] != draws["1" * 32]


def test_an_unknown_split_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'train'"):
        draw_layers("trian", np.random.default_rng(0))
