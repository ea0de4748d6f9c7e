"""What there is, and what it is made of."""

import json

import numpy as np
import pytest

from archgym.registry import agent_class, agent_names, environments
from archgym_simulators import DesignSpace, InputError, Integer, MissingExtra


@pytest.mark.parametrize("kind", ["envs", "agents", "tasks"])
def test_lists_are_the_same_for_people_and_programs(cli, kind):
    entries = json.loads(cli("list", kind, "--json").out)
    shown = cli("list", kind).out
    for entry in entries:
        assert entry.get("id", entry.get("name")) in shown


def test_list_without_a_kind_has_every_section(cli):
    assert set(json.loads(cli("list", "--json").out)) == {"envs", "agents", "tasks"}
    shown = cli("list").out
    assert all(f"{title}\n" in shown for title in ("envs", "agents", "tasks"))


def test_every_registered_name_is_listed(cli):
    listed = json.loads(cli("list", "--json").out)
    assert {entry["id"] for entry in listed["envs"]} == set(environments())
    assert [entry["name"] for entry in listed["agents"]] == list(agent_names())
    assert all(entry["description"] for entry in listed["agents"])


def test_agents_say_whether_they_take_several_objectives(cli):
    entries = {entry["name"]: entry["several_objectives"] for entry in json.loads(cli("list", "agents", "--json").out)}
    space = DesignSpace([Integer("x", 0, 3)])
    for name, several in entries.items():
        agent = agent_class(name)
        try:
            agent.create(space, agent.Config(), np.random.default_rng(0), budget=10, n_objectives=2)
        except MissingExtra:
            continue
        except InputError:
            assert not several, name
        else:
            assert several, name
    assert entries["nsga2"]
    assert cli("list", "agents").flat.count("takes several objectives") == sum(entries.values())


@pytest.mark.parametrize("arguments", [("describe",), ("audit",), ("optimum",), ("list", "workloads")])
def test_an_id_for_several_objectives_is_answered_with_the_one_that_is_meant(cli, arguments):
    outcome = cli(*arguments, "archgym/DRAM-MO-v0")
    outcome.assert_is_one_line_error("'archgym/DRAM-MO-v0'", "'archgym/DRAM-v0'", "repeating --objective")


def test_workloads_mark_the_default(cli, bowl):
    entries = json.loads(cli("list", "workloads", bowl, "--json").out)
    assert [(entry["name"], entry["default"]) for entry in entries] == [("default", True), ("large", False)]
    assert "the default" in cli("list", "workloads", bowl).out


def test_objectives_name_aliases_and_needs(cli, bowl):
    entries = {entry["name"]: entry for entry in json.loads(cli("list", "objectives", bowl, "--json").out)}
    assert entries["energy-delay"]["aliases"] == ["edp"]
    assert entries["energy"]["requires"] == ["time_ns"]
    assert [name for name, entry in entries.items() if entry["default"]] == ["time"]


def test_workloads_need_an_environment(cli):
    cli("list", "workloads").assert_is_one_line_error("list workloads needs an environment")


def test_agents_take_no_environment(cli):
    cli("list", "agents", "x").assert_is_one_line_error("takes no environment")


@pytest.mark.parametrize("command", [["list", "workloads"], ["list", "objectives"], ["describe"]])
def test_an_unknown_environment_is_named(cli, command):
    cli(*command, "archgym/DRAN-v0").assert_is_one_line_error("unknown environment 'archgym/DRAN-v0'")


def test_describe_for_programs_is_complete(cli, bowl):
    about = json.loads(cli("describe", bowl, "--json").out)
    assert (about["size"], about["canonical_size"]) == (21600, 15840)
    assert [parameter["kind"] for parameter in about["parameters"]] == [
        "categorical",
        "ordinal",
        "integer",
        "permutation",
        "factors",
    ]
    assert all(parameter["description"] for parameter in about["parameters"])
    assert about["parameters"][1]["values"] == [1, 2, 4, 8, 16]
    assert about["parameters"][1]["unit"] == "KiB"
    assert about["inert"] == [{"parameter": "size_kib", "when": "memory", "is": ["none"]}]
    assert about["constraints"][0]["name"] == "too-many-banks"
    assert [(m["name"], m["unit"], m["better"]) for m in about["metrics"]][2] == ("speed_mhz", "MHz", "higher")
    assert about["options"] == [{"name": "scale", "type": "float", "default": 1.0, "required": False}]
    assert about["baseline"]["design"]["memory"] == "cache"
    assert about["baseline"]["metrics"]["time_ns"] > 0
    assert about["diagnostics"] == ["distance"]
    assert "optimum" not in about


def test_describe_for_people_says_the_same(cli, bowl):
    shown = cli("describe", bowl).out
    for part in (
        "21,600 designs",
        "15,840",
        "too-many-banks",
        "<banks> banks",
        "energy-delay",
        "edp",
        "scale",
        "large",
    ):
        assert part in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_describe_fits_a_narrow_terminal(cli, bowl, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, cli("describe", bowl).out.splitlines())) <= 60


def test_describe_binds_workload_and_options(cli, bowl):
    plain = json.loads(cli("describe", bowl, "--json").out)
    scaled = json.loads(cli("describe", bowl, "--json", "--workload", "large", "--option", "scale=2").out)
    assert scaled["workload"] == "large"
    assert scaled["baseline"]["metrics"]["time_ns"] == 8 * plain["baseline"]["metrics"]["time_ns"]


def test_the_optimum_is_shown_only_on_request(cli, bowl):
    assert "optimum" not in cli("describe", bowl).out
    assert "No certified optimum is stored" in cli("describe", bowl, "--reveal-optimum").out
    assert json.loads(cli("describe", bowl, "--reveal-optimum", "--json").out)["optimum"] is None


def test_a_space_of_1e24_designs_is_described_exactly(cli, toy):
    assert json.loads(cli("describe", toy("HugeSpace"), "--json").out)["size"] == 10**24
    assert f"{10**24:,} designs" in cli("describe", toy("HugeSpace")).out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--workload", "larg"], ["'larg'", "did you mean 'large'?"]),
        (["--option", "scal=2"], ["'scal'", "did you mean 'scale'?"]),
        (["--option", "scale=abc"], ["scale", "'abc'", "float"]),
        (["--option", "scale"], ["KEY=VALUE", "'scale'"]),
        (["--option", "=2"], ["KEY=VALUE"]),
        (["--option", "scale=1", "--option", "scale=2"], ["given twice"]),
        (["--option", "workload=large"], ["unknown option 'workload'"]),
    ],
)
def test_wrong_options_are_named(cli, bowl, arguments, parts):
    cli("describe", bowl, *arguments).assert_is_one_line_error(*parts)
