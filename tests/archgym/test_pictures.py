"""Pictures of searches."""

import doctest
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

import archgym.pictures
import archgym.wording
from archgym.pictures import Curve, best_so_far, draw_best_so_far, spread


@pytest.mark.parametrize("module", [archgym.pictures, archgym.wording])
def test_examples_in_docstrings_hold(module):
    outcome = doctest.testmod(module, extraglobs={"np": np, "spread": spread})
    assert outcome.failed == 0
    assert outcome.attempted > 0


def test_best_so_far_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    rewards, feasible, metric = rng.normal(size=200).round(1), rng.random(200) < 0.3, rng.random(200)
    best, expected = None, []
    for reward, ok, value in zip(rewards, feasible, metric, strict=True):
        if ok and (best is None or reward > best[0]):
            best = (reward, value)
        expected.append(np.nan if best is None else best[1])
    np.testing.assert_array_equal(best_so_far(rewards, feasible, metric), expected)


def test_labels_keep_their_order_and_distance():
    places = sorted(np.random.default_rng(1).random(8))
    moved = spread(places, 0.09)
    assert np.diff(moved).min() >= 0.09 - 1e-12
    assert spread([0.0, 0.5, 1.0], 0.1) == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("n", [1, 2, 300])
def test_pictures_are_drawn_whole_and_the_same_each_time(tmp_path, n):
    curves = [Curve("first_agent", np.linspace(9, 5, n)), Curve("second", np.full(n, np.nan))]
    for name in ("a", "b"):
        paths = [tmp_path / f"{name}.png", tmp_path / f"{name}.svg"]
        draw_best_so_far(paths, curves, metric="time_ns", title="t", subtitle="s", baseline=8.0)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.png", "a.svg", "b.png", "b.svg"]
    for kind in ("png", "svg"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (1200, 675)
        assert len(picture.convert("L").getcolors(1 << 16)) > 10
    assert ET.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")


def test_long_labels_stay_within_the_picture(tmp_path):
    curves = [Curve(f"an_agent_with_a_long_name_{k}", np.linspace(183_245.0, 73_605.0, 300)) for k in range(3)]
    draw_best_so_far([tmp_path / "a.png"], curves, metric="total_time_ns", title="t", baseline=79_451.0)
    with Image.open(tmp_path / "a.png") as picture:
        ink = np.asarray(picture.convert("L")) < 250
    assert ink.any()
    assert not ink[:, -12:].any()
    assert not ink[:, :12].any()


def test_the_picture_shows_where_the_searches_end(monkeypatch, tmp_path):
    limits = []
    monkeypatch.setattr("archgym.pictures._save", lambda figure, path: limits.append(figure.axes[0].get_ylim()))
    best = np.concatenate([np.full(20, 183_245.0), np.linspace(79_000.0, 73_600.0, 280)])
    draw_best_so_far([tmp_path / "a.png"], [Curve("a", best)], metric="total_time_ns", title="t", baseline=79_451.0)
    low, high = limits[0]
    assert 73_000 < low < 73_600 < 79_451 < high < 80_000


def test_curves_differ_in_grey(tmp_path):
    dashes = archgym.pictures.DASHES
    assert len(set(dashes)) == len(dashes) == len(archgym.pictures.COLOURS)
