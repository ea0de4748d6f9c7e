"""REINFORCE, factorised and autoregressive."""

import subprocess
import sys

import numpy as np
import pytest

import archgym
from archgym.registry import agent_class
from archgym_simulators import InputError, MissingExtra

torch = pytest.importorskip("torch", reason="needs the extra rl")

BOTH = ("reinforce", "reinforce_autoregressive")
# Two parameters of eight values that pay only where they are equal, and one that is as good as any.
PAIRED = """
import numpy as np
from archgym.testing.toys import Bowl
from archgym_simulators import DesignSpace, Evaluation, Integer


class Paired(Bowl):
    def make_space(self):
        return DesignSpace([Integer(name, 0, 7, description="a number") for name in ("left", "idle", "right")])

    def simulate(self, rows):
        time = 100.0 * (1.0 + (rows[:, 0] != rows[:, 2]))
        return Evaluation.of(np.stack([time, time, 1e5 / time, time - time], axis=1), reasons=self.reasons)
"""


def policies(toy="Bowl", seed=1):
    from archgym_agents._softmax_policies import Autoregressive, Factorised
    from archgym_agents._values import ValueTable

    space = archgym.make_session(toy if ":" in toy else f"toy/{toy}-v0").space
    table = ValueTable(space)
    return space, table, Factorised(table, 0.2), Autoregressive(table, 16, 0.1, np.random.default_rng(seed))


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("toy", ["Bowl", "HugeSpace"])
def test_they_learn_and_beat_random_search(name: str, toy: str) -> None:
    def median(agent: str) -> float:
        runs = [archgym.search(f"toy/{toy}-v0", agent, budget=500, seed=seed) for seed in range(8)]
        return float(np.median([run.reward for run in runs]))

    assert median(name) > median("random_search")


def test_chances_add_up_to_one_for_each_parameter() -> None:
    space, _, *both = policies()
    rows = space.sample(5, np.random.default_rng(0))
    for policy in both:
        chances = policy.log_chances(policy._values(rows)).exp().detach().numpy()
        assert chances.sum(axis=2) == pytest.approx(1.0, abs=1e-5)
        assert (chances[:, ~policy._is_value] == 0.0).all()


def test_the_autoregressive_policy_draws_by_its_own_chances() -> None:
    space, _, _, policy = policies("AlwaysInvalid")
    rng = np.random.default_rng(0)
    for _ in range(5):  # away from uniform
        policy.improve(policy.draw(32, rng), rng.standard_normal(32), 0.0)
    everything = np.concatenate(list(space.chunks()))
    logs = policy.log_chances(everything).detach().numpy()
    chances = np.exp(np.take_along_axis(logs, everything[:, :, None], axis=2).sum(axis=(1, 2)))
    assert chances.sum() == pytest.approx(1.0, abs=1e-4)
    keys = np.asarray(space.keys(policy.draw(200_000, rng)))
    counts = np.array([np.count_nonzero(keys == key) for key in space.keys(everything)])
    assert np.abs(counts / 200_000 - chances).max() < 0.002
    assert chances.max() > 3 * chances.min()


def test_only_the_autoregressive_policy_learns_what_pays_together(tmp_path) -> None:
    path = tmp_path / "paired.py"
    path.write_text(PAIRED)
    space, _, *both = policies(f"{path}:Paired")
    share = []
    for policy in both:
        rng = np.random.default_rng(3)
        for _ in range(300):
            rows = space.sample(64, rng)  # so that no single pair can win
            policy.improve(rows, (rows[:, 0] == rows[:, 2]).astype(float), 0.0)
        rows = policy.draw(2000, rng)
        share.append(np.mean(rows[:, 0] == rows[:, 2]))
    factorised, autoregressive = share
    assert factorised < 0.4
    assert autoregressive > 0.8


def test_the_gradient_is_that_of_the_likelihood_ratio() -> None:
    # One step of plain gradient ascent on E[gain * log chance], against the softmax's own derivative.
    _, _, policy, _ = policies("AlwaysInvalid")
    policy._adam = torch.optim.SGD([policy._logits], lr=1.0)
    rows = np.array([[0, 1, 2, 3], [4, 1, 0, 0]])
    gains = np.array([1.0, -0.5])
    policy.improve(rows, gains, 0.0)
    expected = np.zeros((4, 5))
    for row, gain in zip(rows, gains, strict=True):
        expected += gain * (np.eye(5)[row] - 0.2) / 2
    assert policy._logits.detach().numpy()[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", BOTH)
def test_trajectories_do_not_depend_on_ask_sizes(name: str, proposals) -> None:
    whole, _ = proposals(name, "HugeSpace", budget=100)
    for largest in (1, 3):
        assert np.array_equal(proposals(name, "HugeSpace", budget=100, largest_ask=largest)[0][:100], whole[:100])


@pytest.mark.parametrize("name", BOTH)
def test_no_proposal_is_wasted_and_small_spaces_are_searched_whole(name: str, proposals) -> None:
    _, session = proposals(name, "AlwaysInvalid", budget=5000)
    assert session.calls == session.proposals == 625


@pytest.mark.parametrize("name", BOTH)
def test_threads_and_global_generators_are_left_alone(name: str) -> None:
    torch.manual_seed(7)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    archgym.search("toy/Bowl-v0", name, budget=50, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("name", [*BOTH, "ippo", "mappo"])
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
    for option, value, message in [
        ("learning_rate", 0.0, "learning_rate must be at least 1e-06 and at most 10.0"),
        ("inertia", 1.0, "at most 0.999"),
        ("entrpy", 1.0, "unknown setting 'entrpy'.*did you mean 'entropy'"),
        ("batch", 2.5, "batch must be a whole number such as 16"),
    ]:
        with pytest.raises(InputError, match=message):
            archgym.search("toy/Bowl-v0", name, budget=5, agent_options={option: value})
