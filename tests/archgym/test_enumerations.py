"""Enumerations in the cache: made once, checked, made again where they are wrong, never half-written."""

import numpy as np
import pytest

from archgym.enumerations import enumerated, enumeration_path, is_enumerated, seconds_of
from archgym.problem import ProblemSpec
from archgym.registry import simulator_class
from archgym.testing import toys
from archgym_simulators import InputError
from archgym_simulators.mean import MeanOverWorkloads
from archgym_simulators.table.enumerated import EnumeratedSimulator

BOWL = f"{toys.__file__}:Bowl"
Bowl = simulator_class(BOWL)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "archgym" / "enumerations"


@pytest.fixture
def count(monkeypatch):
    """How many designs bowls have simulated."""
    simulated = []
    original = Bowl.simulate

    def counted(self, rows):
        simulated.append(len(rows))
        return original(self, rows)

    monkeypatch.setattr(Bowl, "simulate", counted)
    return simulated


def spec_of(workload="default", **options):
    return ProblemSpec.create(BOWL, workload=workload, options=options)


def simulator_of(workload="default", **options):
    return spec_of(workload, **options).bind().simulator


def canonical_rows(simulator):
    return np.concatenate(list(simulator.space.chunks(canonical=True)))


def assert_same(one, other):
    for name in ("values", "status", "violation", "reason_code", "cost"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("workload", ["default", "default + large"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_table_has_the_numbers_of_its_simulator(workload, threads):
    simulator = simulator_of(workload)
    table = enumerated(simulator, {}, threads=threads)
    rows = canonical_rows(simulator)
    assert_same(table.evaluate(rows), simulator.evaluate(rows))
    assert table.evaluate(rows).reason(int(np.argmax(table.evaluate(rows).status))) != ""


def test_it_is_made_once(count):
    enumerated(simulator_of(), {})
    made = sum(count)
    assert made > 100
    enumerated(simulator_of(), {})
    assert sum(count) <= made + 2  # baselines only
    enumerated(simulator_of(), {}, afresh=True)
    assert sum(count) >= 2 * made - 2


def test_options_workloads_and_versions_have_files_of_their_own(monkeypatch):
    paths = {enumeration_path(simulator_of(), {}), enumeration_path(simulator_of("large"), {})}
    paths.add(enumeration_path(simulator_of(scale=2.0), {"scale": 2.0}))
    monkeypatch.setattr(Bowl, "version", "another")
    paths.add(enumeration_path(simulator_of(), {}))
    assert len(paths) == 4


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_a_damaged_file_is_made_again(cache, content):
    table = enumerated(simulator_of(), {})
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    again = enumerated(simulator_of(), {})
    rows = canonical_rows(table)
    assert_same(again.evaluate(rows), table.evaluate(rows))


def test_a_file_of_something_else_is_made_again(cache):
    enumerated(simulator_of("large"), {})
    (file,) = cache.iterdir()
    file.rename(enumeration_path(simulator_of(), {}))
    table = enumerated(simulator_of(), {})
    assert_same(table.evaluate(canonical_rows(table)), simulator_of().evaluate(canonical_rows(table)))


def test_as_a_stand_in_a_damaged_file_is_refused_with_the_remedy(cache):
    with pytest.raises(InputError, match="'default' has not been enumerated with these options; run: archgym optimum"):
        spec_of(simulator="table").bind()
    enumerated(simulator_of(), {})
    assert isinstance(spec_of(simulator="table").bind().simulator, EnumeratedSimulator)
    (file,) = cache.iterdir()
    file.write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"is damaged.*run: archgym optimum .* --recompute") as caught:
        spec_of(simulator="table").bind()
    assert "\n" not in str(caught.value)


def test_an_unknown_stand_in_is_named():
    with pytest.raises(InputError, match="unknown simulator 'tabel'; did you mean 'table'"):
        spec_of(simulator="tabel").bind()


def test_a_mean_needs_every_part(cache):
    mean = simulator_of("default + large")
    enumerated(simulator_of(), {})
    assert not is_enumerated(mean, {})
    with pytest.raises(InputError, match="'large' has not been enumerated"):
        spec_of("default + large", simulator="table").bind()
    enumerated(mean, {})
    assert len(list(cache.iterdir())) == 2
    table = spec_of("default + large", simulator="table").bind()
    assert isinstance(table.simulator, MeanOverWorkloads)
    rows = canonical_rows(mean)
    np.testing.assert_array_equal(table.evaluate(rows).reward, spec_of("default + large").bind().evaluate(rows).reward)
    assert seconds_of(table.simulator) == sum(part.seconds for part in table.simulator.simulators) >= 0.0


def test_an_interrupt_leaves_nothing(cache, monkeypatch):
    original, calls = Bowl.simulate, []

    def interrupted(self, rows):
        calls.append(len(rows))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, rows)

    monkeypatch.setattr("archgym.enumerations._CHUNK", 100)
    simulator = simulator_of()
    calls.clear()
    monkeypatch.setattr(Bowl, "simulate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        enumerated(simulator, {})
    assert len(calls) == 3
    assert list(cache.iterdir()) == []


def test_a_file_that_is_being_replaced_stays_until_the_new_one_is_whole(cache, monkeypatch):
    enumerated(simulator_of(), {})
    (file,) = cache.iterdir()
    before, simulator = file.read_bytes(), simulator_of()
    monkeypatch.setattr(Bowl, "simulate_all", lambda *given, **named: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        enumerated(simulator, {}, afresh=True)
    assert [one.read_bytes() for one in cache.iterdir()] == [before]


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "occupied").write_text("a file")
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "occupied"))
    with pytest.raises(InputError, match=r"cannot write .*occupied"):
        enumerated(simulator_of(), {})


def test_progress_counts_designs():
    told = []
    enumerated(simulator_of(), {}, progress=lambda done, total: told.append((done, total)))
    size = simulator_of().space.canonical_size
    assert told[-1] == (size, size)
