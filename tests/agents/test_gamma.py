"""GAMMA's operators: what they move in a mapping, and what they do where there is none."""

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym_agents.gamma import GammaConfig, _Genome
from archgym_simulators import Categorical, DesignSpace, Ordinal, Permutation
from archgym_simulators.maestro.simulator import MaestroSimulator

SPACE = MaestroSimulator("conv:28x28x48x64x3x3", space="layer").space


def columns_of(*names: str) -> list[int]:
    return [c for name in names for c in range(SPACE.columns_of(name).start, SPACE.columns_of(name).stop)]


def test_a_child_takes_a_dimension_on_both_levels_from_one_parent() -> None:
    rng = np.random.default_rng(0)
    mothers, fathers = SPACE.sample(200, rng), SPACE.sample(200, rng)
    children = _Genome(SPACE).cross(mothers, fathers, rng)
    taken = []
    for gene in ("K", "C", "Y", "X", "R", "S", "parallel", "order"):
        columns = columns_of(f"outer_{gene}", f"inner_{gene}")
        whole = [(children[:, columns] == parent[:, columns]).all(axis=1) for parent in (mothers, fathers)]
        assert (whole[0] | whole[1]).all()
        taken.append(whole[0])
    # Dimensions are inherited independently of each other: 200 children show most of the 2^8 patterns.
    assert len(np.unique(np.array(taken), axis=1).T) > 80


def test_clusters_grow_and_age_and_nothing_else_changes() -> None:
    rng, genome = np.random.default_rng(0), _Genome(SPACE)
    rows = SPACE.sample(300, rng)
    everyone = np.ones(300, dtype=bool)
    cluster = columns_of("cluster")[0]
    grown = genome.resized(rows, everyone, rng, larger=True)
    aged = genome.resized(rows, everyone, rng, larger=False)
    top = SPACE.nvec[cluster] - 1
    assert (grown[:, cluster] > rows[:, cluster])[rows[:, cluster] < top].all()
    assert (aged[:, cluster] < rows[:, cluster])[rows[:, cluster] > 0].all()
    assert set(grown[:, cluster].tolist()) >= {1, int(top)}
    for changed in (grown, aged):
        assert (np.delete(changed, cluster, axis=1) == np.delete(rows, cluster, axis=1)).all()
        assert SPACE.contains(changed).all()
    nobody = genome.resized(rows, ~everyone, rng, larger=True)
    assert np.array_equal(nobody, rows)


def test_reordering_chooses_orders_only() -> None:
    chosen = _Genome(SPACE).one_order(100, np.random.default_rng(0))
    orders = [SPACE.names.index(f"{level}_order") for level in ("outer", "inner")]
    assert (chosen.sum(axis=1) == 1).all()
    assert set(np.flatnonzero(chosen.any(axis=0)).tolist()) == set(orders)


def test_a_space_without_levels_has_a_dimension_for_every_parameter() -> None:
    space = DesignSpace([Ordinal("a", range(5)), Categorical("b", "xyz"), Permutation("c", "uvw")])
    genome, rng = _Genome(space), np.random.default_rng(0)
    mothers, fathers = np.zeros((200, 4), dtype=np.int64), np.array([[4, 2, 2, 1]]).repeat(200, axis=0)
    children = genome.cross(mothers, fathers, rng)
    assert len(np.unique(children, axis=0)) == 2**3  # the order is inherited whole
    assert (genome.resized(mothers, np.ones(200, dtype=bool), rng, larger=True)[:, 0] > 0).all()


@pytest.mark.parametrize("toy", ["Bowl", "HugeSpace", "OneDesign", "AlwaysInvalid", "Flaky"])
@pytest.mark.parametrize(
    "options", [{"population": 2}, {"elites": 1.0}, {"mutation": 0.0, "reorder": 0.0, "growth": 0.0}]
)
def test_no_proposal_is_wasted(toy: str, options, proposals) -> None:
    rows, session = proposals("gamma", toy, budget=120, options=options)
    assert session.space.contains(rows).all()
    assert session.calls == min(120, session.space.canonical_size)


def test_small_budgets_and_small_asks_give_the_same_trajectory(proposals) -> None:
    large, _ = proposals("gamma", "HugeSpace", budget=200)
    small, _ = proposals("gamma", "HugeSpace", budget=50)
    pieces, _ = proposals("gamma", "HugeSpace", budget=150, largest_ask=3)
    assert np.array_equal(small[:50], large[:50])
    assert np.array_equal(pieces[:150], large[:150])


def test_it_beats_random_search_on_mappings() -> None:
    def median_reward(agent: str) -> float:
        runs = [archgym.search("archgym/Maestro-v0", agent, budget=300, seed=seed) for seed in range(5)]
        return float(np.median([run.reward for run in runs]))

    assert median_reward("gamma") > median_reward("random_search") + 0.5


def test_settings_have_a_hyperparameter_space() -> None:
    sweep = agent_class("gamma").Config.hyperparameters()
    assert set(sweep.names) == set(GammaConfig().to_json())
    assert sweep.contains(sweep.encode_row(GammaConfig().to_json())[None]).all()
