"""Gaussian PPO, whose noise stays bounded, and joint PPO, which is a team of one."""

from contextlib import suppress

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class

pytest.importorskip("stable_baselines3", reason="needs the extra rl")

ONE_PARAMETER = """
from archgym.testing.toys import Bowl
from archgym_simulators import DesignSpace, Integer


class OneParameter(Bowl):
    def make_space(self):
        return DesignSpace([Integer("many", 0, 59, description="many values")])

    def _outcome(self, values, distance):
        from archgym_simulators import Evaluation

        return Evaluation.of(values, reasons=self.reasons, diagnostics=distance[:, None])
"""


@pytest.fixture
def rows_of():
    """Every row that an agent proposes to a problem, in order."""

    def collect(agent, problem, budget, **settings):
        session, rows = archgym.make_session(problem, budget=budget), []
        evaluate = session.evaluate
        session.evaluate = lambda asked, workload=None: rows.append(np.array(asked)) or evaluate(asked, workload)
        built = agent_class(agent)
        searcher = built.create(
            session.space, built.Config.from_options(settings), np.random.default_rng(5), budget=budget
        )
        with suppress(archgym.SessionOver):
            searcher.run(session)
        return np.concatenate(rows)

    return collect


def test_gaussian_ppo_learns_and_beats_random_search() -> None:
    def median(agent: str) -> float:
        runs = [archgym.search("toy/HugeSpace-v0", agent, budget=300, seed=seed) for seed in range(3)]
        return float(np.median([run.reward for run in runs]))

    assert median("gaussian_ppo") > median("random_search") + 0.2


def test_noise_never_grows_beyond_its_first_size_however_much_entropy_is_paid_for(monkeypatch) -> None:
    from archgym_agents import _sb3

    models, train = [], _sb3.train_with_entropy
    monkeypatch.setattr(
        _sb3, "train_with_entropy", lambda model, *rest, **more: models.append(model) or train(model, *rest, **more)
    )
    archgym.search(
        "toy/Bowl-v0",
        "gaussian_ppo",
        budget=120,
        seed=1,
        agent_options={"entropy": 1.0, "learning_rate": 0.3, "spread": 0.5},
    )
    (model,) = models
    distribution = model.policy.get_distribution(model.policy.obs_to_tensor(model._last_obs)[0]).distribution
    assert np.exp(model.policy.log_std.detach().numpy()) == pytest.approx(0.5, abs=1e-6)  # it would be larger
    assert (distribution.mean.abs() <= 1.0).all()


def test_rounded_actions_leave_three_values_of_a_column_and_all_of_them_are_used(rows_of) -> None:
    space = archgym.make_session("toy/HugeSpace-v0").space
    rows = rows_of("gaussian_ppo", "toy/HugeSpace-v0", 64, reach="rounded")
    for column, n in enumerate(space.nvec.tolist()):
        assert set(rows[:, column].tolist()) == {0, n // 2, n - 1}


def test_a_team_of_one_parameter_and_one_agent_are_the_same_to_the_bit(rows_of, tmp_path) -> None:
    pytest.importorskip("pettingzoo", reason="needs the extra marl")
    (tmp_path / "chip.py").write_text(ONE_PARAMETER)
    problem = f"{tmp_path / 'chip.py'}:OneParameter"
    assert np.array_equal(rows_of("joint_ppo", problem, 40), rows_of("ippo", problem, 40))


def test_one_agent_for_all_parameters_is_another_than_one_a_parameter(rows_of) -> None:
    pytest.importorskip("pettingzoo", reason="needs the extra marl")
    both = [rows_of(name, "toy/HugeSpace-v0", 64) for name in ("joint_ppo", "ippo")]
    assert not np.array_equal(*(rows[:64] for rows in both))
