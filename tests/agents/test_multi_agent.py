"""IPPO and MAPPO: teams on the PettingZoo environment."""

import subprocess
import sys

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym_simulators import InputError, MissingExtra

torch = pytest.importorskip("torch", reason="needs the extra marl")
pytest.importorskip("pettingzoo", reason="needs the extra marl")

BOTH = ("ippo", "mappo")


def team_of(name, *, toy="Bowl", groups="parameter", seed=1, **settings):
    from archgym_agents._team import Team

    env = archgym.parallel_env(f"toy/{toy}-v0", groups=groups)
    agent = agent_class(name)
    config = agent.Config.from_options(settings)
    return env, Team(env, config, np.random.default_rng(seed), central=agent.CENTRAL)


@pytest.mark.parametrize("name", BOTH)
def test_teams_learn_and_beat_random_search(name: str) -> None:
    def median(agent: str) -> float:
        runs = [archgym.search("toy/HugeSpace-v0", agent, budget=250, seed=seed) for seed in range(3)]
        return float(np.median([run.reward for run in runs]))

    assert median(name) > median("random_search") + 0.2


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("settings", [{"groups": "declared"}, {"horizon": 3}, {"groups": "declared", "horizon": 2}])
def test_groups_and_longer_episodes_are_searched(name: str, settings: dict) -> None:
    result = archgym.search("archgym/SoC-v0", name, budget=40, seed=1, agent_options={**settings, "epochs": 2})
    assert result.calls == 40


@pytest.mark.parametrize("name", BOTH)
def test_agents_choose_among_different_numbers_of_values(name: str) -> None:
    env, team = team_of(name)
    assert len({space.n for space in env.action_spaces.values() if hasattr(space, "n")}) > 2
    observations = np.repeat(env.reset()[0]["memory"][None], 4000, axis=0)
    rows = team.draw(observations)
    assert env.session.space.contains(rows).all()
    for column, n in enumerate(env.session.space.nvec.tolist()):
        shares = np.bincount(rows[:, column], minlength=n) / len(rows)
        assert shares == pytest.approx(1 / n, abs=0.05)  # an untrained policy is nearly uniform


def test_chances_add_up_to_one_for_each_parameter() -> None:
    env, team = team_of("ippo")
    env.reset()
    logs = team._log_chances(torch.from_numpy(env.state()[None]))[0].exp().detach().numpy()
    ends = np.cumsum(env.session.space.nvec)
    assert np.add.reduceat(logs, [0, *ends[:-1]]) == pytest.approx(np.ones(len(ends)), abs=1e-5)


def test_an_update_makes_what_was_rewarded_more_likely_for_every_agent() -> None:
    env, team = team_of("mappo", toy="HugeSpace")
    env.reset()
    seen = np.repeat(env.state()[None], 16, axis=0)
    rows = np.repeat([[2] * 24, [7] * 24], 8, axis=0)
    before = team._log_chances(torch.from_numpy(seen[:1])).detach().numpy().reshape(24, 10)
    team.improve(seen, rows, np.repeat([1.0, -1.0], 8), 0.0)
    after = team._log_chances(torch.from_numpy(seen[:1])).detach().numpy().reshape(24, 10)
    assert (after[:, 2] > before[:, 2]).all()
    assert (after[:, 7] < before[:, 7]).all()


def test_independent_agents_do_not_touch_each_others_networks() -> None:
    # What one agent chose, and nothing else, differs between two teams: only its own weights may.
    def trained(value: int):
        env, team = team_of("ippo", toy="HugeSpace", epochs=3)
        env.reset()
        seen = np.repeat(env.state()[None], 8, axis=0)
        rows = np.random.default_rng(0).integers(0, 10, (8, 24))
        rows[:4, 5] = value
        team.improve(seen, rows, np.linspace(-1.0, 1.0, 8), 0.001)
        return team._actor_in.detach().numpy(), team._actor_out.detach().numpy().reshape(32, 24, 10)

    (first_in, first_out), (second_in, second_out) = trained(1), trained(8)
    others = np.arange(24) != 5
    assert np.array_equal(first_in[:, others], second_in[:, others])
    assert np.array_equal(first_out[:, others], second_out[:, others])
    assert not np.array_equal(first_out[:, 5], second_out[:, 5])


def test_mappo_has_one_critic_and_ippo_one_an_agent() -> None:
    for name, critics in (("ippo", 24), ("mappo", 1)):
        env, team = team_of(name, toy="HugeSpace")
        env.reset()
        assert team._values(torch.from_numpy(env.state()[None])).shape == (1, critics)


@pytest.mark.parametrize("name", BOTH)
def test_threads_and_global_generators_are_left_alone(name: str) -> None:
    torch.manual_seed(7)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    archgym.search("toy/Bowl-v0", name, budget=20, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("name", BOTH)
def test_importing_it_imports_no_library_and_without_the_extra_it_says_so(name: str) -> None:
    script = f"""
import sys, numpy as np
from archgym.registry import agent_class
from archgym.testing.toys import Bowl
agent = agent_class({name!r})
assert not {{"torch", "pettingzoo"}} & set(sys.modules)
sys.modules["torch"] = None
try:
    agent.create(Bowl().space, agent.Config(), np.random.default_rng(1), budget=10)
except ImportError as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(MissingExtra.__name__)
    assert f"pip install 'archgym[{agent_class(name).REQUIRES}]'" in done.stdout


@pytest.mark.parametrize("name", BOTH)
def test_bad_input_is_one_line(name: str) -> None:
    with pytest.raises(InputError, match=f"agent '{name}' takes one objective, not 2"):
        archgym.search("toy/Bowl-v0", name, budget=5, objective=["time", "energy-delay"])
    with pytest.raises(InputError, match="groups must be one of parameter, declared, not 'column'"):
        archgym.search("toy/Bowl-v0", name, budget=5, agent_options={"groups": "column"})
