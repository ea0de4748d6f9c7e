import importlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from archgym import AskTell, Settings, setting
from archgym.testing import check_agent
from archgym.testing.agents import AGENT_CHECKS
from archgym_simulators import InputError

HONEST = """
import numpy as np
from archgym import AskTell


class Honest(AskTell):
    @classmethod
    def create(cls, space, config, rng, *, budget, n_objectives=1):
        self = cls()
        self.space, self.rng = space, rng
        return self

    def ask(self, n):
        return self.space.sample(min(n, 5), self.rng)

    def tell(self, rows, evaluation):
        pass
"""


TWISTED = """

class Twisted(Honest):
    def ask(self, n):
        return (super().ask(n) + len(sys.orig_argv[-1])) % self.space.nvec
"""


class Sampler(AskTell):
    @classmethod
    def create(cls, space, config, rng, *, budget, n_objectives=1):
        self = cls()
        self.space, self.config, self.rng, self.objectives = space, config, rng, n_objectives
        return self

    def ask(self, n):
        return self.space.sample(min(n, 5), self.rng)

    def tell(self, rows, evaluation):
        pass


class OverAsks(Sampler):
    def ask(self, n):
        return self.space.sample(n + 1, self.rng)


class OverAsksAtTheEnd(Sampler):
    def ask(self, n):
        return self.space.sample(5, self.rng)


class Floats(Sampler):
    def ask(self, n):
        return super().ask(n).astype(float)


class Lists(Sampler):
    def ask(self, n):
        return super().ask(n).tolist()


class OutOfRange(Sampler):
    def ask(self, n):
        return super().ask(n) + 1


class Unseeded(Sampler):
    def ask(self, n):
        return self.space.sample(min(n, 5), np.random.default_rng())


class ReadsTheClock(Sampler):
    def ask(self, n):
        self.rng.random()
        return self.space.sample(min(n, 5), np.random.default_rng(time.perf_counter_ns()))


class IgnoresItsSeed(Sampler):
    @classmethod
    def create(cls, space, config, rng, *, budget, n_objectives=1):
        return super().create(space, config, np.random.default_rng(0), budget=budget)


class RepeatsForEver(Sampler):
    def ask(self, n):
        return np.zeros((1, self.space.width), np.int64)


class NeverFinishes(Sampler):
    def run(self, session):
        while True:
            session.evaluate(np.zeros((0, session.space.width), np.int64))


class GoesOnAfterTheEnd(Sampler):
    def run(self, session):
        while True:
            try:
                session.evaluate(self.ask(5))
            except Exception:
                continue


class Cheats(Sampler):
    def run(self, session):
        everything = session.space.sample(200, self.rng)
        best = session.problem().simulator.evaluate(everything).values[:, 0].argmin()
        session.evaluate(everything[best : best + 1])


class DoesNothing(Sampler):
    def ask(self, n):
        return np.zeros((0, self.space.width), np.int64)


class BreaksOnInvalid(Sampler):
    def tell(self, rows, evaluation):
        if np.isnan(evaluation.values).any():
            raise ZeroDivisionError("no metrics")


class BreaksItsOwnAssertion(Sampler):
    def tell(self, rows, evaluation):
        raise AssertionError("mine")


class BreaksOnSeveralObjectives(Sampler):
    def tell(self, rows, evaluation):
        evaluation.rewards.reshape(len(rows))


class RemembersAcrossRuns(Sampler):
    told = 0

    def ask(self, n):
        for _ in range(type(self).told % 3):
            self.rng.random()
        type(self).told += 1
        return super().ask(n)


@dataclass(frozen=True)
class NarrowConfig(Settings):
    batch: int = setting(4, "designs at a time", values=(1, 4, 16), low=2)


class SweepsWhatItRefuses(Sampler):
    Config = NarrowConfig


@dataclass(frozen=True)
class SilentConfig(Settings):
    batch: int = 4


class SettingWithoutHelp(Sampler):
    Config = SilentConfig


@dataclass(frozen=True)
class TupleConfig(Settings):
    layers: tuple[int, ...] = setting((8, 8), "hidden layers")


class SettingsThatDoNotSurviveJson(Sampler):
    Config = TupleConfig


BROKEN = {
    OverAsks: "rows on Bowl where at most 1 were wanted",
    OverAsksAtTheEnd: "rows on Bowl where at most 1 were wanted",
    Floats: "asks with float64",
    Lists: "asks with list",
    OutOfRange: "outside the space",
    Unseeded: "when run again with seed 1",
    ReadsTheClock: "when run again with seed 1",
    IgnoresItsSeed: "same designs with seeds 1 and 2",
    RepeatsForEver: "repeats itself on Bowl",
    NeverFinishes: "empty batches for ever",
    GoesOnAfterTheEnd: "goes on after the session is over",
    Cheats: "simulated 201 designs on Bowl with a budget of 1, 1 were charged",
    DoesNothing: "evaluated nothing on Bowl",
    BreaksOnInvalid: "raised ZeroDivisionError on .*: no metrics",
    BreaksItsOwnAssertion: "raised AssertionError on Bowl .*: mine",
    BreaksOnSeveralObjectives: "raised ValueError on Bowl with 2 objectives",
    RemembersAcrossRuns: "when run again with seed 1",
    SweepsWhatItRefuses: "cannot be built with {'batch': 1}",
    SettingWithoutHelp: "a setting 'batch' without help",
    SettingsThatDoNotSurviveJson: "do not survive JSON",
}


@pytest.mark.parametrize(("agent", "sentence"), BROKEN.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_agent_fails_with_a_sentence(agent: type[AskTell], sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_agent(agent)


def test_an_honest_agent_passes_as_class_and_as_file(tmp_path: Path) -> None:
    check_agent(Sampler)
    (tmp_path / "honest.py").write_text(HONEST)
    check_agent(str(tmp_path / "honest.py"))


def test_only_the_check_that_is_broken_fails() -> None:
    for check in ("settings", "objectives", "max-proposals"):
        check_agent(RepeatsForEver, checks=[check])
    check_agent(IgnoresItsSeed, checks=[name for name in AGENT_CHECKS if name != "seed"])


def test_an_agent_that_says_it_is_deterministic_may_ignore_its_seed() -> None:
    class Grid(IgnoresItsSeed):
        DETERMINISTIC = True

    check_agent(Grid)


def test_an_extra_imported_with_the_module_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "skops.py").write_text("")
    (tmp_path / "eager.py").write_text("import skops\n" + HONEST)
    (tmp_path / "lazy.py").write_text(HONEST.replace("self = cls()", "import skops; self = cls()"))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssertionError, match="imports skops with its module"):
        check_agent(str(tmp_path / "eager.py"), checks=["process"])
    check_agent(str(tmp_path / "lazy.py"), checks=["process"])


def test_an_order_that_depends_on_the_process_fails(tmp_path: Path) -> None:
    hashed = HONEST.replace(
        "return self.space.sample(min(n, 5), self.rng)",
        "rows = {str(row.tolist()): row for row in self.space.sample(5, self.rng)}\n"
        "        return np.stack([rows[key] for key in set(rows)])[:n]",
    )
    (tmp_path / "hashed.py").write_text(hashed)
    with pytest.raises(AssertionError, match="in another process with seed 1"):
        check_agent(str(tmp_path / "hashed.py"), checks=["process"])


def test_a_class_of_an_importable_module_is_checked_in_another_process_too(tmp_path, monkeypatch) -> None:
    (tmp_path / "honest_package").mkdir()
    (tmp_path / "honest_package" / "__init__.py").write_text("")
    (tmp_path / "honest_package" / "settings.py").write_text("")
    (tmp_path / "honest_package" / "agent.py").write_text("from . import settings\nimport sys" + HONEST + TWISTED)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("honest_package.agent")
    check_agent(module.Honest, checks=["process"])
    with pytest.raises(AssertionError, match="'Twisted' proposed other designs on HugeSpace in another process"):
        check_agent(module.Twisted, checks=["process"])


def test_a_difference_that_only_a_resume_shows_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class CountsItsRuns(Sampler):
        runs = 0

        def ask(self, n):
            return super().ask(n) if type(self).runs < 4 else self.space.sample(min(n, 3), self.rng)

        def run(self, session):
            type(self).runs += 1
            super().run(session)

    with pytest.raises(AssertionError, match=r"when a run is resumed|after an interruption"):
        check_agent(CountsItsRuns, checks=["resume"])


def test_a_batch_beyond_the_limit_is_noticed_in_a_run_too() -> None:
    with pytest.raises(AssertionError, match="asked for 5 rows where 1 were left on Bowl"):
        check_agent(OverAsksAtTheEnd, checks=["budget"])


def test_unknown_agents_and_options_are_input_errors() -> None:
    with pytest.raises(InputError, match="random_serch"):
        check_agent("random_serch")
    with pytest.raises(InputError, match="bach"):
        check_agent("random_search", options={"bach": 1})


def test_slow_agents_are_checked_lightly() -> None:
    class Counts(Sampler):
        proposed = 0

        def ask(self, n):
            rows = super().ask(n)
            type(self).proposed += len(rows)
            return rows

    def proposed(*, slow=False, **options) -> int:
        Counts.SLOW, Counts.proposed = slow, 0
        check_agent(Counts, **options)
        return Counts.proposed

    light = proposed(slow=True)
    assert light == proposed(light=True)
    assert 5 * light < proposed() == proposed(slow=True, light=False)


LIGHTLY = [agent for agent in BROKEN if agent is not OverAsksAtTheEnd]


@pytest.mark.parametrize("agent", LIGHTLY, ids=lambda agent: agent.__name__)
def test_a_light_check_finds_what_a_full_one_finds(agent: type[AskTell]) -> None:
    with pytest.raises(AssertionError, match=BROKEN[agent]):
        check_agent(agent, light=True)


def test_further_environments_are_checked() -> None:
    import archgym

    archgym.register("check-agent/Bowl-v0", "archgym.testing.toys:Bowl")
    with pytest.raises(AssertionError, match="check-agent/Bowl-v0"):
        check_agent(BreaksOnlyThere, environments=["check-agent/Bowl-v0"])
    check_agent(BreaksOnlyThere)


class BreaksOnlyThere(Sampler):
    def run(self, session):
        if session.spec.env_id.startswith("check-agent"):
            raise ZeroDivisionError("elsewhere")
        super().run(session)
