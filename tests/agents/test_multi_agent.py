"""IPPO and MAPPO: teams on the PettingZoo environment."""

import subprocess
import sys

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym_simulators import InputError, MissingExtra

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


def chances_of(team, observation):
    """Of each value (D, C), 0 where a column has none, for an observation (L,)."""
    return np.exp(team._log_chances(team._actor_hidden(np.append(observation, 1.0).astype(np.float32)[None])))[:, 0]


def test_chances_add_up_to_one_for_each_parameter() -> None:
    env, team = team_of("ippo")
    env.reset()
    chances = chances_of(team, env.state())
    assert (np.count_nonzero(chances, axis=1) == env.session.space.nvec).all()
    assert chances.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_an_update_makes_what_was_rewarded_more_likely_for_every_agent() -> None:
    env, team = team_of("mappo", toy="HugeSpace")
    env.reset()
    seen = np.repeat(env.state()[None], 16, axis=0)
    rows = np.repeat([[2] * 24, [7] * 24], 8, axis=0)
    before = chances_of(team, seen[0])
    team.improve(seen, rows, np.repeat([1.0, -1.0], 8), 0.0)
    after = chances_of(team, seen[0])
    assert (after[:, 2] > before[:, 2]).all()
    assert (after[:, 7] < before[:, 7]).all()


class Recorded:
    """Weights in double precision, and the slopes along which they would climb."""

    def __init__(self, adam):
        self.weights = [one.astype(np.float64) for one in adam.weights]
        self.slopes = [np.zeros_like(one) for one in self.weights]

    def climb(self):
        """Keep the weights."""


@pytest.mark.parametrize("groups", ["parameter", "declared"])
@pytest.mark.parametrize("name", BOTH)
def test_the_written_out_gradient_is_that_of_the_clipped_surrogate(name: str, groups: str) -> None:
    # Central differences of what is to rise, as the papers have it, design by design: no state is taken for another.
    env, team = team_of(name, toy="Bowl", groups=groups)
    space, rng = env.session.space, np.random.default_rng(7)
    seen = rng.uniform(-1.0, 1.0, (6, env.state_space.shape[0])).astype(np.float32)
    seen[3:5] = seen[0]
    rows, goals, entropy, clip = space.sample(6, rng), rng.standard_normal(6), 0.3, 0.2
    for _ in range(3):  # away from the first weights, of which many are small
        team.improve(seen, space.sample(6, rng), rng.standard_normal(6), 0.0)
    batch = team._batch(seen, rows, goals)
    assert len(batch.states) == 4
    agents = list(env.groups.columns.values())

    def of_each_design():
        logs = team._log_chances(team._actor_hidden(batch.states))[:, batch.of_state.argmax(axis=1)]  # (D, N, C)
        chosen = np.take_along_axis(logs, rows.T[:, :, None], axis=2)[:, :, 0]
        values = team._expected(team._critic_hidden(batch.states))[batch.of_state.argmax(axis=1)]
        return np.stack([chosen[columns].sum(axis=0) for columns in agents]), logs, values

    before = of_each_design()[0] + rng.uniform(-0.3, 0.3, (len(agents), 6))  # so that some ratios are clipped
    gains = rng.standard_normal((len(agents) if name == "ippo" else 1, 6))
    team._adam = Recorded(team._adam)
    team._actor_in, team._actor_out, team._critic_in, team._critic_out = team._adam.weights

    def to_rise() -> float:
        chosen, logs, values = of_each_design()
        ratios = np.exp(chosen - before)
        surrogate = np.minimum(ratios * gains, ratios.clip(1.0 - clip, 1.0 + clip) * gains).mean(axis=1).sum()
        disorder = -(np.exp(logs) * logs).sum(axis=(0, 2)).mean()
        return float(surrogate + entropy * disorder - 0.5 * ((goals[:, None] - values) ** 2).mean(axis=0).sum())

    team._slope_actors(batch, before, gains, entropy)
    team._slope_critics(batch)
    for weights, slopes in zip(team._adam.weights, team._adam.slopes, strict=True):
        flat, checked = weights.reshape(-1), 0
        for place in rng.permutation(len(flat))[:50]:
            kept, sides = flat[place], []
            for step in (1e-4, -1e-4):
                flat[place] = kept + step
                sides.append(to_rise())
            flat[place] = kept
            assert slopes.reshape(-1)[place] == pytest.approx((sides[0] - sides[1]) / 2e-4, rel=1e-4, abs=1e-6)
            checked += abs(sides[0] - sides[1]) > 2e-7
        assert checked > 5


def test_independent_agents_do_not_touch_each_others_networks() -> None:
    # What one agent chose, and nothing else, differs between two teams: only its own weights may.
    def trained(value: int):
        env, team = team_of("ippo", toy="HugeSpace", epochs=3)
        env.reset()
        seen = np.repeat(env.state()[None], 8, axis=0)
        rows = np.random.default_rng(0).integers(0, 10, (8, 24))
        rows[:4, 5] = value
        team.improve(seen, rows, np.linspace(-1.0, 1.0, 8), 0.001)
        return team._actor_in.reshape(-1, 24, 32), team._actor_out

    (first_in, first_out), (second_in, second_out) = trained(1), trained(8)
    others = np.arange(24) != 5
    assert np.array_equal(first_in[:, others], second_in[:, others])
    assert np.array_equal(first_out[others], second_out[others])
    assert not np.array_equal(first_out[5], second_out[5])


def test_mappo_has_one_critic_and_ippo_one_an_agent() -> None:
    for name, critics in (("ippo", 24), ("mappo", 1)):
        env, team = team_of(name, toy="HugeSpace")
        env.reset()
        assert team._expected(team._critic_hidden(np.append(env.state(), 1.0)[None])).shape == (1, critics)


@pytest.mark.parametrize("name", BOTH)
def test_importing_it_imports_no_library_and_without_the_extra_it_says_so(name: str) -> None:
    script = f"""
import sys, numpy as np
from archgym.registry import agent_class
from archgym.testing.toys import Bowl
agent = agent_class({name!r})
assert not {{"torch", "pettingzoo"}} & set(sys.modules)
sys.modules["pettingzoo"] = None
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
