"""Names: registered, installed, or a path."""

import gymnasium
import pytest

import archgym
from archgym import registry
from archgym.registry import agent_class, agent_names, environment, environments, simulator_class, source_digest
from archgym.testing import toys
from archgym_simulators import Family, InputError, MissingExtra
from tests.archgym import recording


@pytest.fixture
def forgetful(monkeypatch):
    """What is registered in a test is forgotten after it."""
    before = dict(gymnasium.registry)
    monkeypatch.setattr(registry, "_registered", {})
    simulator_class.cache_clear()
    yield
    gymnasium.registry.clear()
    gymnasium.registry.update(before)
    simulator_class.cache_clear()


@pytest.mark.usefixtures("forgetful")
def test_registering_again_replaces(monkeypatch):
    archgym.register("toy/Thing-v0", "archgym.testing.toys:Bowl")
    assert simulator_class("toy/Thing-v0") is toys.Bowl
    archgym.register("toy/Thing-v0", "archgym.testing.toys:HugeSpace", default_workload="large")
    assert simulator_class("toy/Thing-v0") is toys.HugeSpace
    assert environment("toy/Thing-v0").default_workload == "large"
    assert "toy/Thing-v0" in gymnasium.registry


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(
    ("env_id", "entry"), [("toy/Thing-v0", "toys"), ("no good id", "m:C"), ("", "m:C"), ("a/b/c-v0", "m:C")]
)
def test_a_malformed_registration_is_one_line_and_changes_nothing(env_id, entry):
    before = set(gymnasium.registry), set(environments())
    with pytest.raises(InputError) as caught:
        archgym.register(env_id, entry)
    assert "\n" not in str(caught.value)
    assert (set(gymnasium.registry), set(environments())) == before


def test_an_unknown_environment_names_the_nearest():
    with pytest.raises(InputError, match=r"unknown environment 'archgym/DRAN-v0'; did you mean 'archgym/DRAM-v0'\?"):
        environment("archgym/DRAN-v0")


@pytest.mark.usefixtures("forgetful")
def test_installed_packages_cannot_take_the_place_of_what_is_built_in(monkeypatch):
    bad = {
        "archgym/DRAM-v0": Family("archgym/DRAM-v0", "evil:Chip", "default", ""),
        "not an id": Family("not an id", "e:C", "d", ""),
    }
    monkeypatch.setattr(registry, "_installed_families", lambda: bad)
    assert environment("archgym/DRAM-v0").entry.startswith("archgym_simulators.")
    registry.register_all()  # a malformed id of one package does not break the import of another

    class Point:
        name = "random_search"
        dist = None

        def load(self):
            raise AssertionError("must not be loaded")

    monkeypatch.setattr(registry, "_installed_agents", lambda: {"random_search": Point()})
    assert agent_class("random-search").__module__ == "archgym_agents.random_search"
    assert agent_names().count("random_search") == 1


def test_an_installed_agent_that_does_not_load_is_one_line(monkeypatch):
    class Point:
        name = "broken"
        dist = None

        def load(self):
            raise ImportError("no module named 'nowhere'")

    class Wrong(Point):
        def load(self):
            return dict

    monkeypatch.setattr(registry, "_installed_agents", lambda: {"broken": Point(), "wrong": Wrong()})
    with pytest.raises(InputError, match="cannot load agent 'broken' from an installed package: ImportError"):
        agent_class("broken")
    with pytest.raises(InputError, match=r"installed agent 'wrong' must be a subclass of archgym\.Agent"):
        agent_class("wrong")


def test_paths_name_a_file_and_a_class(tmp_path):
    file = tmp_path / "chip.py"
    file.write_text("from archgym.testing.toys import Bowl\nclass Chip(Bowl):\n    pass\n")
    assert simulator_class(f"{file}:Chip").__name__ == "Chip"
    with pytest.raises(InputError, match=r"must name a class of the file: '.*chip.py:Class'"):
        environment(str(file))
    with pytest.raises(InputError, match="has no class 'Chop'; did you mean 'Chip'\\?; simulators in it: Bowl, Chip"):
        simulator_class(f"{file}:Chop")
    with pytest.raises(InputError, match="no file"):
        environment(f"{tmp_path}/none.py:Chip")
    assert len(source_digest(f"{file}:Chip")) == 16
    assert source_digest("archgym/DRAM-v0") == source_digest("random_search") == ""


@pytest.mark.parametrize(
    ("text", "error"), [("1/0", InputError), ("def", InputError), ("import nowhere_at_all", InputError)]
)
def test_a_file_that_does_not_import_is_one_line_and_may_be_mended(tmp_path, text, error):
    file = tmp_path / "chip.py"
    file.write_text(text)
    with pytest.raises(error, match="cannot import") as caught:
        environment(f"{file}:Chip")
    assert "\n" not in str(caught.value)
    file.write_text("from archgym.testing.toys import Bowl as Chip\n")
    assert simulator_class(f"{file}:Chip") is toys.Bowl


def test_a_file_that_needs_an_extra_says_so(tmp_path):
    file = tmp_path / "agent.py"
    file.write_text("from archgym_simulators.errors import import_extra\nimport_extra('nowhere_at_all', 'bo')\n")
    with pytest.raises(MissingExtra, match=r"pip install 'archgym\[bo\]'"):
        agent_class(str(file))


def test_an_agent_file_defines_one_agent(tmp_path):
    assert agent_class(str(recording.agent_file(tmp_path))).__name__ == "Wanderer"
    (tmp_path / "none.py").write_text("from archgym import AskTell\n")
    with pytest.raises(InputError, match=r"exactly one public subclass of archgym\.Agent, found 0"):
        agent_class(str(tmp_path / "none.py"))
    with pytest.raises(InputError, match=r"unknown agent 'randon_search'; did you mean 'random_search'\?"):
        agent_class("randon_search")
