"""The surrogates, what is believed from them, and the search in a trust region."""

import numpy as np
import pytest

import archgym
from archgym.testing.toys import Bowl
from archgym_agents._acquisition import log_feasible, log_improvement
from archgym_agents._batches import Outcomes
from archgym_agents._beliefs import Beliefs
from archgym_agents._features import Features
from archgym_agents._forest import Forest
from archgym_agents._gaussian_process import GaussianProcess, _posterior

KINDS = np.array([False, False, False, True])


def truth(columns):
    return np.sin(4.0 * columns[:, 0]) + columns[:, 1] ** 2 + 0.5 * (columns[:, 3] == 2)


def random_columns(n, seed):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.random((n, 3)), rng.integers(0, 4, n)])


@pytest.mark.parametrize("surrogate", [Forest, GaussianProcess])
class TestSurrogates:
    def test_it_predicts_designs_that_it_has_not_seen(self, surrogate) -> None:
        known, new = random_columns(150, 0), random_columns(200, 1)
        mean, deviation = surrogate(KINDS).fit(known, truth(known), np.random.default_rng(0)).predict(new)
        assert np.corrcoef(mean, truth(new))[0, 1] > 0.9
        assert (deviation >= 0.0).all()

    def test_it_knows_least_far_from_what_it_has_seen(self, surrogate) -> None:
        known = random_columns(100, 0)
        known[:, :2] *= 0.5
        model = surrogate(KINDS).fit(known, truth(known), np.random.default_rng(0))
        far = random_columns(100, 1)
        far[:, :2] = 0.5 + 0.5 * far[:, :2]
        assert model.predict(far)[1].mean() > 1.5 * model.predict(known)[1].mean()

    def test_targets_that_are_all_equal_are_learned(self, surrogate) -> None:
        known = random_columns(12, 0)
        mean, deviation = surrogate(KINDS).fit(known, np.full(12, 3.0), np.random.default_rng(0)).predict(known)
        assert np.allclose(mean, 3.0)
        assert np.isfinite(deviation).all()

    def test_answers_do_not_depend_on_the_batch(self, surrogate) -> None:
        known, new = random_columns(60, 0), random_columns(20, 1)
        model = surrogate(KINDS).fit(known, truth(known), np.random.default_rng(0))
        together = np.stack(model.predict(new))
        alone = np.concatenate([np.stack(model.predict(one[None])) for one in new], axis=1)
        assert np.array_equal(together, alone)


def test_the_gaussian_process_passes_through_what_it_has_seen() -> None:
    known = random_columns(40, 0)
    mean, deviation = GaussianProcess(KINDS).fit(known, truth(known), np.random.default_rng(0)).predict(known)
    assert np.allclose(mean, truth(known), atol=0.05)
    assert deviation.max() < 0.1


def test_the_posterior_is_that_of_the_textbook() -> None:
    known, new = random_columns(25, 0), random_columns(10, 1)
    model = GaussianProcess(KINDS).fit(known, truth(known), np.random.default_rng(0))
    weights = np.exp(model._logs)

    def kernel(a, b):
        numbers = sum(weights[f] * (a[:, f, None] - b[None, :, f]) ** 2 for f in range(3))
        root = np.sqrt(5.0 * (numbers + weights[3] * (a[:, 3, None] != b[None, :, 3])))
        return (1.0 + root + root**2 / 3.0) * np.exp(-root)

    standard = (truth(known) - truth(known).mean()) / truth(known).std()
    inverse = np.linalg.inv(kernel(known, known) + weights[4] * np.eye(25))
    signal = standard @ inverse @ standard / 25
    across = kernel(new, known)
    mean = truth(known).mean() + truth(known).std() * across @ inverse @ standard
    variance = signal * (1.0 + weights[4] - np.einsum("ij,jk,ik->i", across, inverse, across))
    assert np.allclose(model.predict(new)[0], mean)
    assert np.allclose(model.predict(new)[1], truth(known).std() * np.sqrt(variance))


def test_the_slope_is_that_of_the_likelihood() -> None:
    known = random_columns(30, 0)
    standard = (truth(known) - truth(known).mean()) / truth(known).std()
    logs = np.log([2.0, 0.5, 0.1, 1.0, 1e-2])

    def likelihood(logs):
        inverse, _, signal, _ = _posterior(known, standard, KINDS, logs, False)
        return np.log(np.diag(inverse)).sum() - 15.0 * np.log(signal)

    slope = _posterior(known, standard, KINDS, logs, True)[3]
    steps = 1e-5 * np.eye(5)
    measured = [(likelihood(logs + step) - likelihood(logs - step)) / 2e-5 for step in steps]
    assert np.allclose(slope, measured, rtol=1e-4, atol=1e-5)


def test_expected_improvement_is_the_integral_also_far_below_the_best() -> None:
    mean, deviation, best = np.array([0.3, -1.0, -9.0]), np.array([0.5, 2.0, 1.0]), 0.4
    for m, d, found in zip(mean, deviation, log_improvement(mean, deviation, best), strict=True):
        x = best + np.linspace(0.0, 12.0, 400_001)
        density = np.exp(-0.5 * ((x - m) / d) ** 2) / (d * np.sqrt(2.0 * np.pi))
        assert np.isclose(found, np.log(np.trapezoid((x - best) * density, x)), rtol=5e-3)


def test_the_chance_of_feasibility_is_a_half_on_the_boundary_and_falls_beyond() -> None:
    chances = np.exp(log_feasible(np.array([-1.0, 0.0, 1.0, 50.0]), np.ones(4)))
    assert np.allclose(chances[:3], [0.841345, 0.5, 0.158655], atol=1e-6)
    assert np.isfinite(log_feasible(np.array([50.0]), np.ones(1))).all()


def test_orders_are_places_of_items_and_factors_are_logarithms() -> None:
    space = Bowl().space
    rows = space.encode({**{k: [v] for k, v in space.decode_row([0] * space.width).items()}})
    columns = Features(space).of(np.repeat(rows, 2, axis=0))
    assert columns.shape == (2, 3 + 3 + 3)
    assert sorted(columns[0, 3:6]) == [0.0, 0.5, 1.0]
    assert np.isclose(columns[0, 6:].sum(), 1.0)


def outcomes(seed: int, n: int) -> tuple[Bowl, Outcomes]:
    toy = Bowl()
    rows = toy.space.canonical(toy.space.sample(n, np.random.default_rng(seed)))
    found = archgym.make_session("toy/Bowl-v0").evaluate(rows)
    return toy, Outcomes(rows, found.reward, found.feasible, found.status == 2, found.rewards, found.missed)


@pytest.mark.parametrize("surrogate", ["gp", "forest"])
def test_designs_that_look_infeasible_promise_less(surrogate: str) -> None:
    toy, seen = outcomes(0, 150)
    beliefs = Beliefs(toy.space, surrogate, 200)
    beliefs.learn(seen, np.random.default_rng(0))
    _, new = outcomes(1, 400)
    mean, deviation = beliefs._feasibility.predict(beliefs._features.of(new.rows))
    for judged in (beliefs.expected(new.rows), log_feasible(mean, deviation)):
        assert np.median(judged[new.feasible]) > np.median(judged[~new.feasible])
    unbounded = Beliefs(toy.space, surrogate, 200)
    unbounded.learn(seen.take(np.flatnonzero(seen.feasible)), np.random.default_rng(0))
    assert (beliefs.promise(new.rows) < unbounded.promise(new.rows) + 1e-9).mean() > 0.9


@pytest.mark.parametrize("surrogate", ["gp", "forest"])
def test_it_beats_random_search_by_far(surrogate: str) -> None:
    def median_reward(agent: str, **options: object) -> float:
        runs = [archgym.search("toy/Bowl-v0", agent, budget=60, seed=s, agent_options=options) for s in range(5)]
        return float(np.median([run.reward for run in runs]))

    assert median_reward("bayesian", surrogate=surrogate) > median_reward("random_search") + 0.02


def test_a_region_that_finds_nothing_better_is_left_for_random_designs(proposals) -> None:
    rows, _ = proposals("bayesian", "HugeSpace", budget=120, options={"patience": 4, "startup": 5})
    middle = np.abs(rows - 4.0).mean(axis=1)  # the optimum is in the middle; random designs are 2.5 away on average
    assert (middle[40:] > 2.0).sum() >= 10
    stays, _ = proposals("bayesian", "HugeSpace", budget=120, options={"patience": 0, "startup": 5})
    assert (np.abs(stays - 4.0).mean(axis=1)[40:] > 2.0).sum() == 0


def test_no_proposal_is_wasted_and_a_small_space_is_searched_whole(proposals) -> None:
    rows, session = proposals("bayesian", "Bowl", budget=100)
    assert session.calls == session.proposals == len(np.unique(rows[:100], axis=0)) == 100
    rows, session = proposals("bayesian", "AlwaysInvalid", budget=5000, options={"known": 20, "batch": 8})
    assert session.calls == session.proposals == 625


def test_trajectories_do_not_depend_on_ask_sizes(proposals) -> None:
    whole, _ = proposals("bayesian", "Bowl", budget=50)
    pieces, _ = proposals("bayesian", "Bowl", budget=50, largest_ask=1)
    assert np.array_equal(whole, pieces)


def test_neighbours_of_the_best_are_tried_whatever_the_model_is_sure_of(proposals) -> None:
    alone = {"batch": 1, "patience": 0, "startup": 12}

    def share_nearby(neighbours: float) -> float:
        rows, _ = proposals("bayesian", "HugeSpace", budget=60, options={"neighbours": neighbours, **alone})
        reward = archgym.make_session("toy/HugeSpace-v0").evaluate(rows).reward
        steps = [np.abs(rows[i] - rows[:i][reward[:i].argmax()]).sum() for i in range(12, 60)]
        return float(np.mean(np.array(steps) == 1))

    assert share_nearby(1.0) > 0.9
    assert share_nearby(0.0) < 0.5
