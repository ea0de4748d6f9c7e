"""Tasks, optima and audits on the command line."""

import json

import pytest

from archgym.tasks import tasks

FRONT_AGENT = '''
"""Draws at random, for any number of objectives."""
from archgym import AskTell

class Random(AskTell):
    def __init__(self, space, rng):
        self.space, self.rng = space, rng
    @classmethod
    def create(cls, space, config, rng, *, budget, n_objectives=1):
        return cls(space, rng)
    def ask(self, n):
        return self.space.sample(min(n, 8), self.rng)
    def tell(self, rows, evaluation):
        assert evaluation.rewards.shape == (len(rows), 3)
'''


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_tasks_are_listed_with_role_and_standing(cli):
    shown = cli("list", "tasks").out
    entries = json.loads(cli("list", "tasks", "--json").out)
    assert [entry["name"] for entry in entries] == list(tasks())
    for one in tasks().values():
        assert one.name in shown
    assert "smoke test" in shown
    assert entries[0]["budget"] == 300


def test_a_task_describes_itself_and_its_environment(cli):
    outcome = cli("describe", "dram-mixed-p99")
    assert outcome.status == 0
    assert "Task dram-mixed-p99 of core-1 (test, headline)" in outcome.flat
    assert "subject to total_time_ns<=" in outcome.flat
    assert "page_policy" in outcome.out
    assert "ptimum" not in outcome.out
    assert json.loads(cli("describe", "dram-mixed-p99", "--json").out)["task"]["name"] == "dram-mixed-p99"


def test_an_optimum_is_revealed_on_demand_only(cli):
    plain = json.loads(cli("describe", "dram-mixed-time", "--json").out)
    assert "optimum" not in plain
    revealed = json.loads(cli("describe", "dram-mixed-time", "--json", "--reveal-optimum").out)["optimum"]
    assert revealed["objectives"] == ["total-time"]
    assert "Certified optimum" in cli("describe", "dram-mixed-time", "--reveal-optimum").out
    front = json.loads(cli("describe", "dram-mixed-front", "--json", "--reveal-optimum").out)["optimum"]
    assert front["hypervolume"] > 0


def test_a_stored_optimum_is_shown_with_its_design_and_effort(cli, cache):
    outcome = cli("optimum", "dram-mixed-time")
    assert outcome.status == 0
    for part in ("Optimum: total time", "designs have it", "page_policy", "636,480 designs", "archgym optimum"):
        assert part in outcome.flat
    found = json.loads(cli("optimum", "dram-mixed-time", "--json").out)
    assert found["design"]["refresh_policy"] == "AllBank"
    assert "Pareto front" in cli("optimum", "dram-mixed-front").flat
    assert not cache.exists()


def test_recompute_enumerates_and_leaves_the_table_for_later(cli, bowl, cache):
    cli("optimum", bowl).assert_is_one_line_error("no certified optimum is stored", "--recompute", "15,840 designs")
    first = json.loads(cli("optimum", bowl, "--recompute", "--json", "--threads", 2).out)
    assert first["designs"] == 15_840
    assert len(list(cache.rglob("*.parquet"))) == 1
    again = json.loads(cli("optimum", bowl, "--json").out)  # the enumeration is there now
    assert {**again, "peak_mib": 0} == {**first, "peak_mib": 0}
    other = json.loads(cli("optimum", bowl, "--objective", "edp", "--json").out)
    assert other["objectives"] == ["energy-delay"]
    assert cli("describe", bowl, "--option", "simulator=table").status == 0


def test_the_printed_command_finds_the_same(cli, bowl):
    words = ["--workload", "large", "--objective", "energy_pj * time_ns", "--constraint", "time_ns<=900", "--option"]
    first = json.loads(cli("optimum", bowl, *words, "scale=2.0", "--recompute", "--json").out)
    import shlex

    program, *command = shlex.split(first["command"])
    assert program == "archgym"
    again = json.loads(cli(*command, "--json").out)
    for varying in ("seconds", "peak_mib"):
        del first[varying], again[varying]
    assert first == again


def test_a_table_needs_no_enumeration(cli, cache):
    outcome = cli("optimum", "archgym/Table-v0")
    assert "615 designs" in outcome.flat
    assert not cache.exists()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["dram-mixd-time"], ["unknown environment or task 'dram-mixd-time'", "did you mean 'dram-mixed-time'?"]),
        (["dram-mixed-time", "--workload", "mixed"], ["fixes its workload", "archgym/DRAM-v0"]),
        (["dram-mixed-time", "--objective", "energy"], ["fixes its objective"]),
        (["dram-mixed-time", "--constraint", "power_mw<=1"], ["fixes its constraint"]),
        (["dram-mixed-time", "--option", "rules=archgym"], ["fixes its option"]),
        (["archgym/DRAM-v0", "--objective", "powr"], ["'powr'"]),
        (["archgym/DRAM-v0", "--objective", "energy", "--objective", "edp"], ["given twice, 'energy' and 'edp'"]),
        (["DRAM"], ["did you mean 'archgym/DRAM-v0'?"]),
    ],
)
@pytest.mark.parametrize("command", ["optimum", "audit", "describe"])
def test_wrong_names_are_one_line(cli, command, arguments, parts):
    cli(command, *arguments).assert_is_one_line_error(*parts)


@pytest.mark.parametrize(
    ("name", "arguments", "parts"),
    [
        ("HugeSpace", [], ["cannot be enumerated"]),
        ("AlwaysInvalid", [], ["no design of"]),
        ("Bowl", ["--constraint", "time_ns<=0.001"], ["no design of", "time_ns<=0.001"]),
        ("Bowl", ["--threads", "0"], ["--threads must be a whole number of at least 1"]),
    ],
)
def test_what_has_no_optimum_is_one_line(cli, toy, name, arguments, parts):
    cli("optimum", toy(name), "--recompute", *arguments).assert_is_one_line_error(*parts)


def test_a_cache_that_cannot_be_written_is_one_line(cli, bowl, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "file"))
    cli("optimum", bowl, "--recompute").assert_is_one_line_error("cannot write", "file")


def test_an_interrupted_enumeration_leaves_nothing(cli, bowl, cache, monkeypatch):
    def interrupt(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("archgym_simulators.simulator.Simulator.evaluate_all", interrupt)
    outcome = cli("optimum", bowl, "--recompute")
    assert outcome.status == 130
    assert [file for file in cache.rglob("*") if file.is_file()] == []


def test_an_audit_says_what_random_search_reaches(cli, bowl):
    outcome = cli("audit", bowl, "--designs", 300, "--seed", 1)
    assert outcome.status == 0
    for part in ("at 100 calls random search is", "Random search", "Parameters", "banks", "time_ns ~ speed_mhz"):
        assert part in outcome.flat
    report = json.loads(cli("audit", bowl, "--designs", 300, "--seed", 1, "--json").out)
    assert [one["budget"] for one in report["random_search"]] == [30, 100, 300, 1000]
    assert cli("audit", bowl, "--designs", 300, "--seed", 1).out == outcome.out


def test_an_audit_of_a_task_is_against_its_certificate(cli):
    assert "certified" in cli("audit", "dram-zipf-time", "--designs", 40).flat


def test_a_task_is_searched_by_name(cli, tmp_path):
    command = ["search", "dram-dev-p99", "--agent", "random_search", "--budget", 15, "--seed", 1]
    outcome = cli(*command, "--out", tmp_path / "run")
    assert (outcome.status, outcome.err) == (0, "")
    assert "objective p99-latency subject to total_time_ns<=" in outcome.flat
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["identity"]["task"]["name"] == "dram-dev-p99"
    assert cli("verify", tmp_path / "run", "--rerun").status == 0


def test_several_objectives_are_searched_by_agents_that_take_them(cli, tmp_path):
    agent = tmp_path / "front.py"
    agent.write_text(FRONT_AGENT)
    command = ["search", "dram-mixed-front", "--budget", 16, "--seed", 1, "--out", tmp_path / "run", "--agent"]
    cli(*command, "hill_climbing").assert_is_one_line_error("takes one objective, not 3")
    assert not (tmp_path / "run").exists()
    outcome = cli(*command, agent)
    assert (outcome.status, outcome.err) == (0, "")
    assert "mean reward of total-time, mean-latency, power" in outcome.flat


def test_a_repeated_objective_is_a_search_for_several(cli, bowl, tmp_path):
    agent = tmp_path / "front.py"
    agent.write_text(FRONT_AGENT)
    command = ["search", bowl, "--agent", agent, "--budget", 8, "--seed", 1, "--out", tmp_path / "run"]
    outcome = cli(*command, "--objective", "time_ns", "--objective", "edp", "--objective", "max:speed_mhz")
    assert (outcome.status, outcome.err) == (0, "")
    assert "mean reward of time_ns, energy-delay, max:speed_mhz" in outcome.flat
    assert cli("verify", tmp_path / "run", "--rerun").status == 0


def test_where_nothing_is_certified_the_best_known_design_is_shown(cli):
    words = cli("optimum", "dram-extended-power")
    words.assert_is_one_line_error(
        "too many to be enumerated", "'archgym describe dram-extended-power --reveal-optimum'"
    )
    assert "--recompute" not in words.err
    shown = cli("describe", "dram-extended-power", "--reveal-optimum")
    assert "Best known design (nobody has shown that there is none better)" in shown.flat
    described = json.loads(cli("describe", "dram-extended-power", "--reveal-optimum", "--json").out)
    assert described["optimum"] is None
    known = described["best_known"]
    assert f"Reward {known['reward']:.6f}, found by {known['found_by']}" in shown.flat
    assert "best_known" not in json.loads(cli("describe", "dram-extended-power", "--json").out)
    assert json.loads(cli("describe", "dram-zipf-time", "--reveal-optimum", "--json").out)["best_known"] is None


def test_only_a_task_has_a_budget_of_its_own(cli, bowl, agent, tmp_path):
    command = ["search", bowl, "--agent", agent, "--seed", 1, "--out", tmp_path / "run"]
    cli(*command).assert_is_one_line_error("search needs --budget")
    assert not (tmp_path / "run").exists()
