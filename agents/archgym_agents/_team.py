"""Agents of the multi-agent environment that learn side by side; importing this module needs the extra ``marl``."""

from __future__ import annotations

__all__ = ["train_team"]

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.envs.parallel_env import parallel_env
from archgym.session import Session
from archgym_agents._adam import Adam, Singles
from archgym_agents._rewards import Floats, Ranks, exploration_change
from archgym_agents._softmax import PaddedColumns, free_slope, log_softmax
from archgym_agents._values import ValueTable

_MOST_ENTROPY = 1.0
_MOST_LOG_RATIO = 30.0  # of agents that choose many columns; more would overflow Adam's squares
_TINY = 1e-6


def train_team(session: Session, config: Any, rng: np.random.Generator, *, central: bool) -> None:
    """Train until the session is over.

    Args:
        session: what is searched; `SessionOver` ends the training.
        config: an `archgym_agents.ippo.IPPOConfig`.
        rng: of first weights and of choices.
        central: one critic of the state for all agents, else one an agent.
    """
    envs = [parallel_env(session=session, groups=config.groups, horizon=config.horizon) for _ in range(config.envs)]
    team, ranks = Team(envs[0], config, rng, central=central), Ranks(config.memory)
    entropy = config.entropy
    while True:
        before = session.calls, session.proposals
        team.improve(*_episodes(envs, team, ranks, config.horizon), entropy)
        factor = exploration_change(session.calls - before[0], session.proposals - before[1], config.novelty)
        entropy = min(max(entropy * factor, config.entropy), _MOST_ENTROPY)


class _Batch(NamedTuple):
    """What an update is made from: the U different observations among N, and what was chosen in them.

    At horizon 1 and on one workload all are the same, so that networks are asked once instead of N times.
    """

    states: Singles  # (U, L + 1) with a constant 1
    of_state: Singles  # (N, U) 1 where a design was chosen in that state
    picks: NDArray[np.intp]  # (D, N) where the chosen values are among (D, U, C)
    goals: Singles  # (N,) returns


class Team:
    """The networks of A agents: each sees an observation (L,) and draws its own of the D index columns.

    Agents share nothing: they are slices of the same arrays only because that is faster. Adam works element by element.
    Gradients are written out.
    """

    def __init__(self, env: Any, config: Any, rng: np.random.Generator, *, central: bool) -> None:
        space, length = env.session.space, env.state_space.shape[0]
        self._config, self._rng, self._table = config, rng, ValueTable(space)
        self._columns = PaddedColumns(self._table)
        agents, hidden = len(env.groups.columns), config.hidden
        critics = 1 if central else agents
        self._owner = np.empty(space.width, np.int64)  # (D,) agent of each column
        for agent, columns in enumerate(env.groups.columns.values()):
            self._owner[columns] = agent
        self._owns = (np.arange(agents)[:, None] == self._owner).astype(np.float32)  # (A, D)
        actor_in = self._drawn(length, agents * hidden, first=True)
        actor_out = np.zeros((*self._columns.is_value.shape, hidden), np.float32)
        actor_out[self._columns.is_value] = self._drawn(hidden, self._table.size).T
        critic_in = self._drawn(length, critics * hidden, first=True)
        critic_out = self._drawn(hidden, critics).T
        self._adam = Adam([actor_in, actor_out, critic_in, critic_out], config.learning_rate)
        self._actor_in, self._actor_out, self._critic_in, self._critic_out = self._adam.weights

    def draw(self, seen: Singles) -> NDArray[np.int64]:
        """Index rows (N, D) for observations (N, L)."""
        chances = self._log_chances(self._actor_hidden(_with_one(seen)))
        scores = chances.transpose(1, 0, 2)[:, self._columns.is_value].astype(np.float64)  # (N, V)
        return self._table.highest(scores + self._rng.gumbel(size=scores.shape), self._rng)

    def improve(self, seen: Singles, rows: NDArray[np.int64], returns: Floats, entropy: float) -> None:
        """Clipped policy gradients from observations (N, L), what was drawn (N, D), and returns (N,)."""
        batch = self._batch(seen, rows, returns)
        before = self._of_choices(self._log_chances(self._actor_hidden(batch.states)), batch)
        gains = batch.goals - (batch.of_state @ self._expected(self._critic_hidden(batch.states))).T  # (A, N)
        gains = (gains - gains.mean(axis=1, keepdims=True)) / (gains.std(axis=1, keepdims=True) + _TINY)
        for _ in range(self._config.epochs):
            self._slope_actors(batch, before, gains, entropy)
            self._slope_critics(batch)
            self._adam.climb()

    def _batch(self, seen: Singles, rows: NDArray[np.int64], returns: Floats) -> _Batch:
        states, which = np.unique(seen, axis=0, return_inverse=True)
        bins = self._table.places(rows).T - self._columns.firsts[:, None]  # (D, N)
        columns, most = self._columns.is_value.shape
        picks = (np.arange(columns)[:, None] * len(states) + which) * most + bins
        of_state = (which[:, None] == np.arange(len(states))).astype(np.float32)
        return _Batch(_with_one(states), of_state, picks, returns.astype(np.float32))

    def _slope_actors(self, batch: _Batch, before: Singles, gains: Singles, entropy: float) -> None:
        """Of the clipped surrogate and the entropy."""
        hidden = self._actor_hidden(batch.states)
        logs = self._log_chances(hidden)
        ratios = np.exp(np.minimum(self._of_choices(logs, batch) - before, _MOST_LOG_RATIO))  # (A, N)
        clipped = ratios.clip(1.0 - self._config.clip, 1.0 + self._config.clip)
        pull = np.where(ratios * gains <= clipped * gains, ratios * gains, 0.0) / len(batch.goals)
        pulls = self._owns.T @ pull.astype(np.float32)  # (D, N)
        slope = free_slope(logs, pulls @ batch.of_state, np.float32(entropy) * batch.of_state.mean(axis=0))  # (D, U, C)
        slope += np.bincount(batch.picks.ravel(), pulls.ravel(), slope.size).reshape(slope.shape)
        by_column = self._by_column(hidden)  # (D, U, H)
        np.matmul(slope.transpose(0, 2, 1), by_column, out=self._adam.slopes[1])
        back = self._owns @ (slope @ self._actor_out).reshape(len(slope), -1)  # (A, U * H)
        back = back.reshape(len(self._owns), *hidden.shape[::2]).transpose(1, 0, 2)
        sums = back * (1.0 - hidden * hidden)  # (U, A, H), of what tanh is taken of
        np.matmul(batch.states.T, sums.reshape(len(hidden), -1), out=self._adam.slopes[0])

    def _slope_critics(self, batch: _Batch) -> None:
        """Of minus half the mean of squared misses."""
        hidden = self._critic_hidden(batch.states)  # (U, K, H)
        count = batch.of_state.sum(axis=0)[:, None]
        misses = ((batch.goals @ batch.of_state)[:, None] - count * self._expected(hidden)) / len(batch.goals)  # (U, K)
        np.einsum("uk,ukh->kh", misses, hidden, out=self._adam.slopes[3])
        sums = misses[:, :, None] * self._critic_out * (1.0 - hidden * hidden)
        np.matmul(batch.states.T, sums.reshape(len(hidden), -1), out=self._adam.slopes[2])

    def _actor_hidden(self, states: Singles) -> Singles:
        """Hidden layers (U, A, H) of states (U, L + 1)."""
        return np.asarray(np.tanh(states @ self._actor_in)).reshape(len(states), len(self._owns), -1)

    def _critic_hidden(self, states: Singles) -> Singles:
        """As those of actors: (U, K, H), K critics."""
        return np.asarray(np.tanh(states @ self._critic_in)).reshape(len(states), len(self._critic_out), -1)

    def _by_column(self, hidden: Singles) -> Singles:
        """The layer that each column is chosen from, (D, U, H), of those of agents (U, A, H)."""
        return np.asarray(hidden.transpose(1, 0, 2)[self._owner])

    def _log_chances(self, hidden: Singles) -> Singles:
        """Logarithms of the probabilities of all values of all columns (D, U, C), from hidden layers (U, A, H)."""
        return log_softmax(self._by_column(hidden) @ self._actor_out.transpose(0, 2, 1) + self._columns.padding)

    def _of_choices(self, logs: Singles, batch: _Batch) -> Singles:
        """Logarithms (A, N) of the probability of what each agent chose."""
        return np.asarray(self._owns @ logs.ravel()[batch.picks])

    def _expected(self, hidden: Singles) -> Singles:
        """What each agent's critic, or the central one, expects: (U, K)."""
        return np.asarray(np.einsum("ukh,kh->uk", hidden, self._critic_out))

    def _drawn(self, inputs: int, outputs: int, *, first: bool = False) -> Singles:
        """Weights of a layer; a first one has a bias, the weight of a constant 1, and is not small."""
        drawn = self._rng.standard_normal((inputs + first, outputs)) / np.sqrt(inputs)
        return np.asarray(drawn if first else 0.01 * drawn, dtype=np.float32)


def _with_one(seen: Singles) -> Singles:
    return np.concatenate([seen, np.ones((len(seen), 1), np.float32)], axis=1)


def _episodes(envs: list[Any], team: Team, ranks: Ranks, horizon: int) -> tuple[Singles, NDArray[np.int64], Floats]:
    """One episode of each environment: observations (T * N, L), rows (T * N, D), returns until its end (T * N,)."""
    for env in envs:
        env.reset()
    observations, rows, rewards = [], [], []
    for _ in range(horizon):
        observations.append(np.stack([env.state() for env in envs]))
        rows.append(team.draw(observations[-1]))
        steps = [_step(env, row) for env, row in zip(envs, rows[-1], strict=True)]
        rewards.append(ranks.of_infos(np.array([reward for reward, _ in steps]), [info for _, info in steps]))
    returns = np.cumsum(rewards[::-1], axis=0)[::-1]  # (T, N)
    return np.concatenate(observations), np.concatenate(rows), returns.ravel()


def _step(env: Any, row: NDArray[np.int64]) -> tuple[float, dict[str, Any]]:
    """Every agent's choice at once; all are told the same."""
    _, rewards, _, _, infos = env.step({agent: one[0] for agent, one in env.groups.actions(row[None]).items()})
    return rewards[env.possible_agents[0]], infos[env.possible_agents[0]]
