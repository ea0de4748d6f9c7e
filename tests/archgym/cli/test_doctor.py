"""What is installed, what is missing, what works."""

import json
import sys
import types
from importlib.metadata import version

import gymnasium
import pytest

import archgym
from archgym import doctor, registry
from archgym.doctor import Finding


@pytest.fixture
def only(monkeypatch):
    """Pretend that there are only these environments and agents."""

    def choose(envs=(), agents=()):
        monkeypatch.setattr("archgym.cli.doctor.environments", lambda: dict.fromkeys(envs))
        monkeypatch.setattr("archgym.cli.doctor.agent_names", lambda: tuple(agents))

    return choose


def test_installation_names_versions_and_install_lines():
    found = {finding.subject: finding for finding in doctor.installation()}
    assert found["numpy"] == Finding("numpy", "package", "ok", version("numpy"))
    assert set(doctor.extras()) <= set(found)
    for name in doctor.extras():
        assert found[name].status in ("ok", "missing")
        if found[name].status == "missing" and "needs" in found[name].note:
            assert f"pip install 'archgym[{name}]'" in found[name].note
    assert {"python", "kernel cache", "processors", "torch"} <= set(found)


def test_a_missing_and_an_old_core_package_fail(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda name: ["numpy>=999", "no-such-package>=1", "pandas"])
    found = {finding.subject: finding for finding in doctor.installation()}
    assert found["numpy"].status == "FAILED"
    assert "pip install 'numpy>=999'" in found["numpy"].note
    assert found["no-such-package"].status == "FAILED"
    assert found["pandas"].status == "ok"


def test_an_extra_that_this_python_cannot_have_is_missing(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda name: ["later; python_version > '99' and extra == 'bo'"])
    found = {finding.subject: finding for finding in doctor.installation()}
    assert found["bo"].status == "missing"
    assert "has no packages for Python" in found["bo"].note


def test_an_unwritable_kernel_cache_is_said(monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc/no/such")
    found = {finding.subject: finding for finding in doctor.installation()}
    assert found["kernel cache"].status == "missing"
    assert "NUMBA_CACHE_DIR" in found["kernel cache"].note


@pytest.fixture
def registered(monkeypatch):
    """The id of a toy that is registered for this test."""
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    known = set(gymnasium.registry)
    archgym.register("toy/Doctor-v0", "archgym.testing.toys:Bowl")
    yield "toy/Doctor-v0"
    for env_id in set(gymnasium.registry) - known:
        del gymnasium.registry[env_id]


def test_a_toy_passes_every_quick_check(registered):
    found = list(doctor.environment_findings(registered))
    assert [(finding.check, finding.status) for finding in found] == [
        ("import", "ok"),
        ("baseline", "ok"),
        ("step", "ok"),
    ]


def test_an_agent_in_a_file_passes(agent):
    assert [finding.status for finding in doctor.agent_findings(str(agent))] == ["ok", "ok"]


def test_a_broken_plug_in_fails_with_its_error(cli, only, tmp_path):
    (tmp_path / "bad_agent.py").write_text("x = 1\n")
    only(envs=[f"{tmp_path}/no_chip.py:Chip"], agents=[tmp_path / "bad_agent.py"])
    only(envs=[f"{tmp_path}/no_chip.py:Chip"], agents=[str(tmp_path / "bad_agent.py")])
    outcome = cli("doctor")
    assert outcome.status == 1
    assert outcome.out.count("FAILED") == 2
    assert "2 checks failed" in outcome.out


def test_an_agent_whose_extra_is_missing_is_no_failure(cli, only, tmp_path):
    file = tmp_path / "needy.py"
    file.write_text(
        "from archgym_simulators.errors import import_extra\n"
        "from archgym import Agent\n"
        "class Needy(Agent):\n"
        "    @classmethod\n"
        "    def create(cls, space, config, rng, *, budget, n_objectives=1):\n"
        "        import_extra('no_such_module', 'rl')\n"
        "    def run(self, session): pass\n"
    )
    only(agents=[str(file)])
    outcome = cli("doctor")
    assert "pip install 'archgym[rl]'" in " ".join(outcome.out.split())
    assert "FAILED" not in outcome.out.split("Agents")[1]


def test_json_has_the_same_findings(cli, only, agent):
    only(agents=[str(agent)])
    found = json.loads(cli("doctor", "--json").out)
    assert set(found) == {"installation", "environments", "agents"}
    assert [finding["check"] for finding in found["agents"]] == ["import", "search"]


def test_the_matrix_runs_every_check_of_the_suites(cli, only, agent, registered, monkeypatch):
    called = []

    def suite(name, *, checks):
        called.append((name, *checks))
        assert checks != ["third"], "rewards differ\nat length"

    home = types.ModuleType("suites")
    home.CHECKS = dict.fromkeys(["first", "second", "third"])
    for name in doctor.SUITES:
        setattr(home, name, suite)
    monkeypatch.setitem(sys.modules, "suites", home)
    monkeypatch.setattr(doctor, "SUITES", dict.fromkeys(doctor.SUITES, ("suites", "CHECKS")))
    only(envs=[registered], agents=[str(agent)])
    outcome = cli("doctor", "--matrix")
    assert called == [
        (name, check) for name in (registered, registered, str(agent)) for check in ("first", "second", "third")
    ]
    assert outcome.status == 1
    assert outcome.flat.count("third: AssertionError: rewards differ") == 4  # once each, and once in the verdict


def test_a_wide_matrix_is_folded(monkeypatch):
    from archgym.cli.doctor import _matrix

    monkeypatch.setenv("COLUMNS", "60")
    findings = [Finding("some/Environment-v0", f"check-{i}", "ok") for i in range(12)]
    lines = "\n".join(_matrix(findings)).splitlines()
    assert max(map(len, lines)) <= 60
    assert sum(line.count(" ok") for line in lines) == 12
