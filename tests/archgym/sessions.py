"""What tests of sessions share."""

import contextlib

import numpy as np

from archgym.budget import SessionOver


class Counting:
    """A recorder that remembers what it was given and replays nothing."""

    def __init__(self):
        self.written = []

    def replay(self, proposal, workload, positions, rows):
        return None

    def write(self, proposal, workload, positions, rows, evaluation):
        self.written.append((proposal, workload, list(positions), rows.copy(), evaluation))


def distinct(session, n, seed=0):
    """``n`` rows of different canonical designs."""
    rows = session.space.canonical(session.space.sample(4 * n, np.random.default_rng(seed)))
    _, first = np.unique(rows, axis=0, return_index=True)
    return rows[np.sort(first)][:n]


def until_over(session, batches):
    """Evaluate batches until the session is over, and say why it was."""
    with contextlib.suppress(SessionOver):
        for batch in batches:
            session.evaluate(batch)
    return session.stop_reason


def in_batches(rows, size):
    return [rows[start : start + size] for start in range(0, len(rows), size)]
