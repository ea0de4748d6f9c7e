"""REINFORCE, factorised and autoregressive."""

import numpy as np
import pytest

import archgym
from archgym_simulators import InputError

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
        chances = np.exp(policy.log_chances(rows))
        assert chances.sum(axis=2) == pytest.approx(1.0, abs=1e-5)
        assert (chances.transpose(0, 2, 1)[~policy._columns.is_value] == 0.0).all()


def test_the_autoregressive_policy_draws_by_its_own_chances() -> None:
    space, _, _, policy = policies("AlwaysInvalid")
    rng = np.random.default_rng(0)
    for _ in range(5):  # away from uniform
        policy.improve(policy.draw(32, rng), rng.standard_normal(32), 0.0)
    everything = np.concatenate(list(space.chunks()))
    logs = policy.log_chances(everything)
    chances = np.exp(np.take_along_axis(logs, everything.T[:, :, None], axis=2).sum(axis=(0, 2)))
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


class Recorded:
    """Weights in double precision, and the slopes along which they would climb."""

    def __init__(self, adam):
        self.weights = [one.astype(np.float64) for one in adam.weights]
        self.slopes = [np.zeros_like(one) for one in self.weights]

    def climb(self):
        """Keep the weights."""


@pytest.mark.parametrize("which", [0, 1])
def test_the_written_out_gradient_is_that_of_gain_and_entropy(which: int) -> None:
    # Central differences in double precision of what is to rise, one weight at a time.
    space, _, *both = policies()
    policy, rng = both[which], np.random.default_rng(4)
    rows, gains, entropy = space.sample(6, rng), rng.standard_normal(6), 0.3
    for _ in range(3):  # away from the first weights, of which many are 0
        policy.improve(rows, rng.standard_normal(6), 0.0)
    policy._adam = Recorded(policy._adam)
    if which:
        policy._given, policy._start, policy._out, policy._logits = policy._adam.weights

    def to_rise() -> float:
        logs = policy.log_chances(rows)
        logs = np.broadcast_to(logs, (len(logs), len(rows), logs.shape[2]))
        chosen = np.take_along_axis(logs, rows.T[:, :, None], axis=2).sum(axis=(0, 2))
        return float((gains * chosen).mean() - entropy * (np.exp(logs) * logs).sum(axis=(0, 2)).mean())

    policy.improve(rows, gains, entropy)
    checked = 0
    for weights, slopes in zip(policy._adam.weights, policy._adam.slopes, strict=True):
        flat = weights.reshape(-1)
        for place in rng.permutation(len(flat))[:60]:
            kept, sides = flat[place], []
            for step in (1e-4, -1e-4):
                flat[place] = kept + step
                sides.append(to_rise())
            flat[place] = kept
            assert slopes.reshape(-1)[place] == pytest.approx((sides[0] - sides[1]) / 2e-4, abs=1e-6)
            checked += abs(sides[0] - sides[1]) > 2e-7
    assert checked > 10


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
