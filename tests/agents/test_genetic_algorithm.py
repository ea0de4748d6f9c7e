import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym.testing.toys import Bowl

ARCHGYM_POPULATIONS = (2, 4, 8, 16, 32, 64)
ARCHGYM_GENERATIONS = (8, 16, 32, 64)
ARCHGYM_MUTATIONS = (0.01, 0.05, 0.001)
FIXED = {"children": 0, "immigrants": 0.0}


def test_archgyms_settings_lie_in_the_hyperparameter_space() -> None:
    sweep = agent_class("genetic_algorithm").Config.hyperparameters()
    default = agent_class("genetic_algorithm").Config().to_json()
    for population in ARCHGYM_POPULATIONS:
        for generations in ARCHGYM_GENERATIONS:
            for mutation in ARCHGYM_MUTATIONS:
                setting = {"population": population, "generations": generations, "mutation": mutation}
                assert sweep.contains(sweep.encode_row({**default, **FIXED, **setting})[None]).all()


@pytest.mark.parametrize("mutation", [0.0, 0.001, 1.0])
@pytest.mark.parametrize("toy", ["Bowl", "HugeSpace", "OneDesign", "AlwaysInvalid", "Flaky"])
def test_a_population_of_two_works_everywhere(toy: str, mutation: float, proposals) -> None:
    options = {"population": 2, "children": 0, "mutation": mutation, "generations": 8}
    rows, session = proposals("genetic_algorithm", toy, budget=120, options=options)
    assert session.space.contains(rows).all()
    assert session.calls == min(120, session.space.canonical_size)


def test_every_value_of_every_parameter_is_reached(proposals) -> None:
    rows, _ = proposals("genetic_algorithm", "Bowl", budget=2000)
    for column, size in enumerate(Bowl().space.nvec.tolist()):
        assert set(rows[:, column].tolist()) == set(range(size))


def test_generations_start_a_fresh_population(proposals) -> None:
    fixed = {"population": 4, "children": 4, "immigrants": 0.0}
    endless, _ = proposals("genetic_algorithm", "HugeSpace", budget=200, options=fixed)
    restarted, _ = proposals("genetic_algorithm", "HugeSpace", budget=200, options={**fixed, "generations": 8})
    assert np.array_equal(endless[:32], restarted[:32])
    # A fresh population is far from everything before; a child is near a parent.
    distance = np.abs(restarted[32:36, None] - restarted[None, :32]).sum(axis=2).min(axis=1)
    continued = np.abs(endless[32:36, None] - endless[None, :32]).sum(axis=2).min(axis=1)
    assert distance.min() > continued.max()


def test_without_selection_it_learns_nothing_and_with_selection_it_does() -> None:
    def median_reward(tournament: int, population: int) -> float:
        options = {"tournament": tournament, "population": population, "immigrants": 0.0}
        runs = [
            archgym.search("toy/HugeSpace-v0", "genetic_algorithm", budget=300, seed=seed, agent_options=options)
            for seed in range(8)
        ]
        return float(np.median([run.reward for run in runs]))

    # A population as large as the budget keeps everybody, so only the tournament selects.
    assert median_reward(4, 150) > median_reward(1, 150) + 0.05


def test_immigrants_are_random_designs(proposals) -> None:
    options = {"population": 2, "children": 10, "immigrants": 1.0}
    rows, _ = proposals("genetic_algorithm", "HugeSpace", budget=1500, options=options)
    assert abs(rows.mean() - 4.5) < 0.1
