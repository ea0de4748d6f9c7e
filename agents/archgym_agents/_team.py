"""Agents of the multi-agent environment that learn side by side; importing this module needs the extra ``marl``."""

from __future__ import annotations

__all__ = ["train_team"]

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from archgym.envs.parallel_env import parallel_env
from archgym.session import Session
from archgym_agents._rewards import Floats, Ranks, exploration_change
from archgym_agents._torch import isolated, log_softmax_by_column
from archgym_agents._values import ValueTable

_MOST_ENTROPY = 1.0
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
    with isolated():
        while True:
            before = session.calls, session.proposals
            team.improve(*_episodes(envs, team, ranks, config.horizon), entropy)
            factor = exploration_change(session.calls - before[0], session.proposals - before[1], config.novelty)
            entropy = min(max(entropy * factor, config.entropy), _MOST_ENTROPY)


class Team:
    """The networks of A agents: each sees an observation (L,) and draws its own of the D index columns.

    Agents share nothing: they are slices of the same arrays only because that is faster. Adam works element by element.
    """

    def __init__(self, env: Any, config: Any, rng: np.random.Generator, *, central: bool) -> None:
        space, length = env.session.space, env.state_space.shape[0]
        self._config, self._rng, self._table = config, rng, ValueTable(space)
        owners = np.empty(space.width, dtype=np.int64)
        for agent, columns in enumerate(env.groups.columns.values()):
            owners[columns] = agent
        self._owners = torch.from_numpy(owners)  # (D,) agent of each column
        self._agents = len(env.groups.columns)
        self._column_of = torch.from_numpy(self._table.column_of())  # (V,)
        critics = 1 if central else self._agents
        self._actor_in = self._weights(length, self._agents, config.hidden)
        self._actor_out = self._weights(config.hidden, self._table.size, scale=0.01)  # (H, V)
        self._critic_in = self._weights(length, critics, config.hidden)
        self._critic_out = self._weights(config.hidden, critics, scale=0.01)
        everything = [self._actor_in, self._actor_out, self._critic_in, self._critic_out]
        self._adam = torch.optim.Adam(everything, lr=config.learning_rate)

    def draw(self, seen: NDArray[np.float32]) -> NDArray[np.int64]:
        """Index rows (N, D) for observations (N, L)."""
        with torch.no_grad():
            scores = self._log_chances(torch.from_numpy(seen)).numpy().astype(np.float64)
        return self._table.highest(scores + self._rng.gumbel(size=scores.shape), self._rng)

    def improve(self, seen: NDArray[np.float32], rows: NDArray[np.int64], returns: Floats, entropy: float) -> None:
        """Clipped policy gradients from observations (N, L), what was drawn (N, D), and returns (N,)."""
        config, observed = self._config, torch.from_numpy(seen)
        places = torch.from_numpy(self._table.places(rows))
        goals = torch.from_numpy(returns.astype(np.float32))[:, None]
        with torch.no_grad():
            before = self._by_agent(self._log_chances(observed).gather(1, places))
            gains = goals - self._values(observed)  # (N, A)
            gains = (gains - gains.mean(dim=0)) / (gains.std(dim=0, correction=0) + _TINY)
        for _ in range(config.epochs):
            logs = self._log_chances(observed)
            ratios = (self._by_agent(logs.gather(1, places)) - before).exp()
            clipped = ratios.clamp(1.0 - config.clip, 1.0 + config.clip)
            surprise = torch.minimum(ratios * gains, clipped * gains).mean(dim=0).sum()
            disorder = -(logs.exp() * logs).sum(dim=1).mean()
            misses = (goals - self._values(observed)).square().mean(dim=0).sum()
            self._adam.zero_grad()
            (0.5 * misses - surprise - entropy * disorder).backward()  # type: ignore[no-untyped-call]
            self._adam.step()

    def _log_chances(self, seen: Tensor) -> Tensor:
        """Logarithms of the probabilities of all values of all columns: (N, V)."""
        logits = torch.einsum(
            "nvh,hv->nv", _hidden(seen, self._actor_in)[:, self._owners[self._column_of]], self._actor_out
        )
        return log_softmax_by_column(logits, self._column_of, len(self._owners))

    def _values(self, seen: Tensor) -> Tensor:
        """What each agent's critic, or the central one, expects: (N, A) or (N, 1)."""
        return torch.einsum("nah,ha->na", _hidden(seen, self._critic_in), self._critic_out)

    def _by_agent(self, columns: Tensor) -> Tensor:
        """Sums (N, A) over each agent's columns (N, D)."""
        return torch.zeros(len(columns), self._agents).index_add(1, self._owners, columns)

    def _weights(self, inputs: int, *shape: int, scale: float = 1.0) -> Tensor:
        size = (inputs + (scale == 1.0), *shape)  # first layers have a bias, the weight of a constant 1
        drawn = self._rng.standard_normal(size) * scale / np.sqrt(inputs)
        return torch.from_numpy(drawn.astype(np.float32)).requires_grad_()


def _hidden(seen: Tensor, weights: Tensor) -> Tensor:
    with_one = torch.cat([seen, torch.ones(len(seen), 1)], dim=1)
    return torch.tanh(torch.einsum("nl,lah->nah", with_one, weights))


def _episodes(
    envs: list[Any], team: Team, ranks: Ranks, horizon: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], Floats]:
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
