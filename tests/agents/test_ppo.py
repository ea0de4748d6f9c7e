"""PPO, and what all agents that train by Stable-Baselines3 keep to."""

# ruff: noqa: NPY002 - the global generator is what is watched
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym_simulators import InputError, MissingExtra

pytest.importorskip("stable_baselines3", reason="needs the extra rl")

BOTH = ("ppo", "dqn")
OTHERS = ("a2c", "maskable_ppo", "sac", "td3")
# One parameter has one value, one has 40, so that most of DQN's actions are masked most of the time.
UNEVEN = """
from archgym.testing.toys import Bowl
from archgym_simulators import Categorical, DesignSpace, Integer


class Uneven(Bowl):
    def make_space(self):
        return DesignSpace(
            [
                Categorical("only", ["choice"], description="nothing to choose"),
                Integer("many", 0, 39, description="many values"),
                Categorical("last", ["a", "b"], description="two values"),
            ],
        )

    def _outcome(self, values, distance):
        from archgym_simulators import Evaluation

        return Evaluation.of(values, reasons=self.reasons, diagnostics=distance[:, None])
"""


@pytest.fixture
def searched():
    """Every row and reward of a run, in order, and its session."""

    def search(agent, toy, *, seed=1, options=None, **limits):
        session = archgym.make_session(toy if {":", "/"} & set(toy) else f"toy/{toy}-v0", **limits)
        rows, rewards, evaluate = [], [], session.evaluate

        def watched(asked, workload=None):
            rows.append(np.array(asked))
            scored = evaluate(asked, workload)
            rewards.append(scored.reward)
            return scored

        session.evaluate = watched
        built = agent_class(agent)
        config = built.Config.from_options(options or {})
        built.create(session.space, config, np.random.default_rng(seed), budget=session.remaining).run(session)
        return np.concatenate(rows), np.concatenate([*rewards, []]), session

    return search


@pytest.mark.parametrize("name", BOTH)
def test_it_learns_and_beats_random_search(name: str, searched) -> None:
    gains, best = [], []
    for seed in range(3):
        _, rewards, session = searched(name, "HugeSpace", seed=seed, budget=200)
        fifth = len(rewards) // 5
        gains.append(np.median(rewards[-fifth:]) - np.median(rewards[:fifth]))
        best.append(session.best.reward)
    blind = [archgym.search("toy/HugeSpace-v0", "random_search", budget=200, seed=seed).reward for seed in range(3)]
    assert np.median(gains) > 0.1
    assert np.median(best) > np.median(blind)


@pytest.mark.parametrize("name", OTHERS)
def test_what_it_proposes_becomes_better_than_what_it_proposed_at_first(name: str, searched) -> None:
    gains = []
    for seed in range(3):
        # Invalid designs and categories; the best design is not in the middle, where points of a cube begin.
        _, rewards, _ = searched(name, "archgym/DRAM-v0", seed=seed, budget=120, workload="mixed:n=500")
        fifth = len(rewards) // 5
        gains.append(np.mean(rewards[-fifth:]) - np.mean(rewards[:fifth]))
    assert np.median(gains) > 0.1


@pytest.mark.parametrize("name", BOTH)
def test_it_learns_to_avoid_invalid_designs(name: str, searched) -> None:
    _, rewards, session = searched(name, "Bowl", budget=100)
    untrained = archgym.make_session("toy/Bowl-v0").evaluate(session.space.sample(500, np.random.default_rng(1)))
    assert np.mean(rewards[-50:] > -20.0) > np.mean(untrained.status == 0) + 0.1


@pytest.mark.parametrize("name", [*BOTH, *OTHERS])
def test_a_small_budget_is_a_prefix_of_a_large_one(name: str, searched) -> None:
    large, _, _ = searched(name, "HugeSpace", budget=80)
    for budget in (1, 50):
        small, _, session = searched(name, "HugeSpace", budget=budget)
        assert session.calls == budget
        assert np.array_equal(small[:budget], large[:budget])


@pytest.mark.parametrize("name", BOTH)
def test_global_generators_threads_files_and_output_are_left_alone(
    name: str, searched, capfd, tmp_path, monkeypatch
) -> None:
    import torch

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # others write to the real one meanwhile

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    random.seed(7), np.random.seed(7), torch.manual_seed(7)
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    first, _, _ = searched(name, "Bowl", budget=60)
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])
    assert torch.equal(torch.get_rng_state(), before[2])
    assert torch.get_num_threads() == 2
    assert not list(tmp_path.glob("SB3-*"))
    assert capfd.readouterr() == ("", "")
    random.seed(8), np.random.seed(8), torch.manual_seed(8)
    torch.set_num_threads(1)
    again, _, _ = searched(name, "Bowl", budget=60)
    assert np.array_equal(first, again)
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", [*BOTH, *OTHERS])
def test_they_are_left_alone_when_a_run_is_interrupted(name: str) -> None:
    import torch

    def interrupt(session: archgym.Session) -> None:
        if session.calls > 20:
            raise KeyboardInterrupt

    np.random.seed(7)
    before, threads = np.random.get_state()[1].copy(), torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        archgym.search("toy/Bowl-v0", name, budget=60, seed=1, progress=interrupt)
    assert np.array_equal(np.random.get_state()[1], before)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("name", "options"), [("ppo", {"novelty": 0.0}), ("dqn", {"novelty": 0.0, "explore": 0.0})])
def test_a_policy_that_only_repeats_itself_ends_at_max_proposals(name: str, options: dict, searched) -> None:
    _, _, session = searched(name, "AlwaysInvalid", options=options, budget=300, max_proposals=600)
    assert session.stop_reason == "max_proposals"
    assert session.proposals == 600
    assert session.calls < 300


@pytest.mark.parametrize("name", BOTH)
def test_it_goes_on_finding_new_designs_when_it_has_converged(name: str, searched) -> None:
    # 625 designs, of which a policy that has converged proposes one.
    _, _, session = searched(name, "AlwaysInvalid", budget=120)
    assert (session.calls, session.stop_reason) == (120, "budget")


@pytest.mark.parametrize("name", [*BOTH, *OTHERS])
def test_uneven_parameters_are_searched(name: str, searched, tmp_path: Path) -> None:
    path = tmp_path / "uneven.py"
    path.write_text(UNEVEN)
    rows, _, session = searched(name, f"{path}:Uneven", budget=60)
    assert session.space.contains(rows).all()
    assert session.best.reward == pytest.approx(np.log1p((19 / 39) ** 2), abs=0.01)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("toy", ["OneDesign", "AlwaysInvalid", "Flaky", "HugeSpace"])
def test_hard_toys_are_survived(name: str, toy: str, searched) -> None:
    rows, _, session = searched(name, toy, budget=90)
    assert session.space.contains(rows).all()
    assert session.stop_reason == ("exhausted" if toy == "OneDesign" else "budget")


@pytest.mark.parametrize("name", [*BOTH, *OTHERS])
def test_constraints_are_met(name: str, searched) -> None:
    _, _, session = searched(name, "Bowl", budget=150, objective="energy", constraints="time_ns<=170")
    assert session.best.feasible


@pytest.mark.parametrize("name", [*BOTH, *OTHERS])
def test_several_objectives_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match=f"agent '{name}' takes one objective, not 2"):
        archgym.search("toy/Bowl-v0", name, budget=5, objective=["time", "energy-delay"])


@pytest.mark.parametrize("name", [*BOTH, *OTHERS])
def test_importing_it_imports_no_library_and_without_the_extra_it_says_so(name: str) -> None:
    script = f"""
import sys, numpy as np
from archgym.registry import agent_class
from archgym.testing.toys import Bowl
agent = agent_class({name!r})
assert not {{"torch", "stable_baselines3", "sb3_contrib"}} & set(sys.modules)
sys.modules[agent.LIBRARY] = None
try:
    agent.create(Bowl().space, agent.Config(), np.random.default_rng(1), budget=10)
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(MissingExtra.__name__)
    assert done.stdout.strip().endswith("is not installed; run: pip install 'archgym[rl]'")


@pytest.mark.parametrize("name", OTHERS)
def test_wrong_settings_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match=r"unknown setting 'learning_rat'.*did you mean 'learning_rate'"):
        archgym.search("toy/Bowl-v0", name, budget=5, agent_options={"learning_rat": 0.1})
    with pytest.raises(InputError, match=r"learning_rate must be at least 1e-06 and at most 1\.0, not 2\.0"):
        archgym.search("toy/Bowl-v0", name, budget=5, agent_options={"learning_rate": 2.0})


def test_rewards_become_ranks_among_the_last_designs() -> None:
    from archgym.envs.sb3_bridge import Sb3VecEnv
    from archgym_agents._sb3 import RankedRewards

    envs = Sb3VecEnv("toy/Bowl-v0", 64, constraints="time_ns<=170")
    ranked = RankedRewards(envs, memory=64)
    ranked.reset()
    for _ in range(3):
        rows = envs.session.space.sample(64, np.random.default_rng(1))
        _, shown, _, infos = ranked.step(rows)
        scored = archgym.make_session("toy/Bowl-v0", constraints="time_ns<=170").evaluate(rows)
        order = np.argsort(shown)
        keys = list(zip(scored.feasible[order], scored.reward[order], strict=True))
        assert keys == sorted(keys)
        assert 0 < scored.feasible.sum() < 64
        assert -1.0 <= shown.min() < -0.5 < 0.5 < shown.max() <= 1.0
        assert all((info["status"] == "ok") == (status == 0) for info, status in zip(infos, scored.status, strict=True))


def test_failed_evaluations_say_nothing() -> None:
    from archgym.envs.sb3_bridge import Sb3VecEnv
    from archgym_agents._sb3 import RankedRewards

    ranked = RankedRewards(Sb3VecEnv("toy/Flaky-v0", 32), memory=64)
    ranked.reset()
    _, shown, _, infos = ranked.step(np.stack([ranked.action_space.sample() for _ in range(32)]))
    failed = np.array([info["status"] == "failed" for info in infos])
    assert 0 < failed.sum() < 32
    assert (shown[failed] == 0.0).all()
    assert np.abs(shown[~failed]).max() > 0.5
