import numpy as np

from archgym.testing.toys import Bowl


def test_a_small_space_is_exhausted_exactly_once_each(proposals) -> None:
    space = Bowl().space
    rows, session = proposals("random_search", "Bowl", budget=10 * space.size)
    assert len(rows) == space.canonical_size == session.calls == session.proposals
    assert (space.canonical(rows) == rows).all()
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_draws_are_uniform_over_canonical_designs(proposals) -> None:
    space = Bowl().space
    canonical = next(space.chunks(canonical=True))
    draws = np.concatenate([proposals("random_search", "Bowl", seed=seed, budget=200)[0] for seed in range(40)])
    for column, size in enumerate(space.nvec.tolist()):
        expected = np.bincount(canonical[:, column], minlength=size) / len(canonical)
        found = np.bincount(draws[:, column], minlength=size) / len(draws)
        assert np.abs(found - expected).max() < 5 * np.sqrt(0.25 / len(draws))


def test_the_batch_changes_no_odds_only_the_block_size(proposals) -> None:
    for batch in (1, 64, 500):
        rows, _ = proposals("random_search", "HugeSpace", budget=1500, options={"batch": batch})
        assert abs(rows.mean() - 4.5) < 0.1
