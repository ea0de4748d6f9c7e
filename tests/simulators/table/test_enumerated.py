import numpy as np
import pytest

from archgym.testing.toys import AlwaysInvalid, Bowl, Flaky, HugeSpace, OneDesign
from archgym_simulators import InputError, SimulationFailed
from archgym_simulators.table.enumerated import EnumeratedSimulator, save_enumeration


@pytest.mark.parametrize("toy", [Bowl, OneDesign, AlwaysInvalid])
def test_an_enumeration_answers_like_its_simulator(toy, tmp_path):
    simulator = toy()
    seen = []
    path = save_enumeration(
        simulator, tmp_path / "deep" / "e.parquet", rows_per_chunk=1000, progress=lambda *now: seen.append(now)
    )
    stored = EnumeratedSimulator(toy(), path)
    rows = simulator.space.canonical(simulator.space.sample(2000, np.random.default_rng(0)))
    ours, theirs = stored.evaluate(rows), simulator.evaluate(rows)
    assert np.array_equal(ours.values, theirs.values, equal_nan=True)
    for field in ("status", "violation", "reason_code", "cost"):
        assert np.array_equal(getattr(ours, field), getattr(theirs, field)), field
    assert [ours.reason(i) for i in range(200)] == [theirs.reason(i) for i in range(200)]
    assert seen[-1] == (simulator.space.canonical_size, simulator.space.canonical_size)
    assert [file.name for file in path.parent.iterdir()] == ["e.parquet"]
    assert len(stored.evaluate(rows[:0])) == 0


def test_rows_that_are_not_canonical_are_refused(tmp_path):
    stored = EnumeratedSimulator(Bowl(), save_enumeration(Bowl(), tmp_path / "e.parquet"))
    row = Bowl().space.encode_row({"memory": "none", "size_kib": 8, "banks": 2, "order": "K>C>X", "tile": "1x1x24"})
    with pytest.raises(InputError, match="canonical"):
        stored.evaluate(row[None])


class Newer(Bowl):
    version = "2"


class Shorter(Bowl):
    def make_space(self):
        return OneDesign.make_space(self)


@pytest.mark.parametrize(
    ("other", "word"),
    [
        (Newer(), "another simulator"),
        (Bowl("large"), "another workload"),
        (Shorter(), "another simulator"),
        (AlwaysInvalid(), "another simulator"),
    ],
)
def test_another_simulator_or_workload_is_refused(other, word, tmp_path):
    path = save_enumeration(Bowl(), tmp_path / "e.parquet")
    with pytest.raises(InputError, match=word) as caught:
        EnumeratedSimulator(other, path)
    assert "\n" not in str(caught.value)


def test_another_version_space_or_option_of_the_same_class_is_refused(tmp_path):
    path = save_enumeration(Bowl(), tmp_path / "e.parquet")
    changed = {
        "version": lambda bowl: setattr(bowl, "version", "2"),
        "space": lambda bowl: setattr(bowl, "space", OneDesign().space),
        "metrics": lambda bowl: setattr(bowl, "metrics", bowl.metrics[:2]),
        "options": lambda bowl: setattr(bowl, "describe_options", lambda: {"scale": 2.0}),
    }
    for what, change in changed.items():
        bowl = Bowl()
        change(bowl)
        with pytest.raises(InputError, match=f"another {what}"):
            EnumeratedSimulator(bowl, path)


class Forgetful(Bowl):
    """Does not name its option."""


def test_an_option_that_nobody_named_is_noticed_at_the_baseline(tmp_path):
    path = save_enumeration(Forgetful(scale=1.0), tmp_path / "e.parquet")
    EnumeratedSimulator(Forgetful(scale=1.0), path)
    with pytest.raises(InputError, match="gives the baseline"):
        EnumeratedSimulator(Forgetful(scale=2.0), path)


def test_missing_damaged_and_foreign_files_are_refused_in_one_line(tmp_path):
    whole = save_enumeration(Bowl(), tmp_path / "e.parquet").read_bytes()
    (tmp_path / "torn.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "text.parquet").write_text("hello")
    for name in ("absent", "torn", "empty", "text"):
        with pytest.raises(InputError) as caught:
            EnumeratedSimulator(Bowl(), tmp_path / f"{name}.parquet")
        assert "\n" not in str(caught.value)


def test_a_failed_simulation_leaves_no_file(tmp_path):
    with pytest.raises(SimulationFailed, match="the toy tool crashed"):
        save_enumeration(Flaky(), tmp_path / "e.parquet")
    assert not list(tmp_path.iterdir())


def test_a_space_too_large_to_enumerate_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be enumerated"):
        save_enumeration(HugeSpace(), tmp_path / "e.parquet")
