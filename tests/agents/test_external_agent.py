"""External programs as agents: what they are told, and how a search with them goes on."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import archgym
from archgym.agent import AgentFailed
from archgym.optimum import certified_optimum
from archgym.registry import agent_class
from archgym.studies.results import load_study
from archgym.tasks import problem_of
from archgym.testing import check_agent
from archgym_simulators import InputError
from tests.agents.made_programs import HONEST, SEARCHES, search

ROOT = Path(__file__).parents[2]


def test_it_keeps_the_contract_of_every_agent(program) -> None:
    check_agent(program(HONEST + SEARCHES), light=True)


def test_the_first_message_says_what_is_searched_and_nothing_of_the_optimum(program, tmp_path) -> None:
    dump = f"open({str(tmp_path / 'start')!r}, 'w').write(json.dumps(start))\n"
    search(program(HONEST + dump + SEARCHES), constraints="energy_pj<=90", objective="time")
    start = json.loads((tmp_path / "start").read_text())
    assert start["type"] == "start"
    assert start["protocol"] == 1
    assert set(start) == {
        *("type", "protocol", "archgym", "environment", "parameters", "rules", "inert", "metrics", "objectives"),
        *("bounds", "baseline", "budget", "seed"),
    }
    assert {p["name"]: p["description"] for p in start["parameters"]}["banks"] == "number of banks"
    assert start["budget"] == {"limit": 12, "unit": "calls", "remaining": 12}
    assert start["objectives"][0]["terms"] == [{"metric": "time_ns", "better": "lower", "weight": 1.0}]
    assert start["bounds"] == ["energy_pj<=90"]
    assert start["baseline"]["design"]["memory"] == "cache"
    assert {"name": "speed_mhz", "description": "a maximised metric", "better": "higher"} in start["metrics"]


def test_nothing_it_hears_tells_a_certified_optimum(program, tmp_path) -> None:
    hear = f"""
heard = [start]
while heard[-1]["type"] != "end":
    heard.append(ask([design()]))
open({str(tmp_path / "heard")!r}, "w").write(json.dumps(heard))
"""
    task, _ = problem_of("dram-mixed-time")
    optimum = certified_optimum(task)
    archgym.search("dram-mixed-time", program(HONEST + hear), budget=5, seed=1)
    heard = (tmp_path / "heard").read_text()
    assert repr(optimum.reward) not in heard
    assert repr(optimum.metrics["total_time_ns"]) not in heard
    words = set(re.findall("[a-z]+", heard))
    assert "reward" in words
    assert not {"optimum", "optimal", "regret", "known", "certified"} & words


def test_evaluations_come_back_in_the_order_of_the_designs(program, tmp_path) -> None:
    keep = f"""
mine = [design() for _ in range(8)]
open({str(tmp_path / "heard")!r}, "w").write(json.dumps([mine, ask(mine)]))
print('{{"designs": []}}')
"""
    result = search(program(HONEST + keep))
    assert (result.stop_reason, result.calls) == ("agent", 8)
    designs, heard = json.loads((tmp_path / "heard").read_text())
    session = archgym.make_session("toy/Bowl-v0", budget=8)
    expected = session.evaluate([session.space.encode_row(design) for design in designs])
    assert heard["remaining"] == 4
    assert [one["reward"] for one in heard["evaluations"]] == expected.reward.tolist()
    assert [one["status"] for one in heard["evaluations"]] == [expected.status_name(i) for i in range(8)]
    assert [one["reason"] for one in heard["evaluations"]] == [expected.reason(i) for i in range(8)]
    for one, status in zip(heard["evaluations"], expected.status, strict=True):
        assert bool(one["metrics"]) == (status == 0)
    assert 0 < sum(expected.status == 0) < 8


def test_the_end_is_said(program, tmp_path) -> None:
    say = f"""
while (heard := ask([design() for _ in range(5)]))["type"] != "end":
    pass
open({str(tmp_path / "end")!r}, "w").write(json.dumps(heard))
"""
    result = search(program(HONEST + say))
    end = json.loads((tmp_path / "end").read_text())
    assert end["reason"] == "budget"
    assert end["best"]["reward"] == result.reward


def test_wrong_designs_are_sent_back_with_the_reason_and_cost_nothing(program, tmp_path) -> None:
    err = f"""
wrong = [
    {{"banks": 3}}, design() | {{"memory": "cash"}}, design() | {{"banks": 10**400}}, design() | {{"tile": "9" * 900}},
    design() | {{"speed": 1}}, design() | {{"banks": None}}, design() | {{"order": ["K"]}}, "fast", 3, None,
    design() | {{"memory": "x" * 2000}},
]
heard = []
for one in wrong:
    heard.append(ask([design(), one]))
    ask([design()])
open({str(tmp_path / "heard")!r}, "w").write(json.dumps(heard))
"""
    result = search(program(HONEST + err + SEARCHES), budget=30)
    heard = json.loads((tmp_path / "heard").read_text())
    assert {one["type"] for one in heard} == {"refused"}
    assert all(one["message"].startswith("design 2") and "\n" not in one["message"] for one in heard)
    assert "missing parameter 'memory'" in heard[0]["message"]
    assert "did you mean 'cache'" in heard[1]["message"]
    assert heard[0]["tries_left"] == 3
    assert result.calls == 30


def test_the_same_command_goes_on_after_a_fault_that_has_passed(program, tmp_path) -> None:
    stumble = HONEST + (
        f"import os\nfor i in range(99):\n"
        f"    if i == 2 and not os.path.exists({str(tmp_path / 'mended')!r}): sys.exit(1)\n"
        f"    if ask([design()])['type'] == 'end': break\n"
    )
    agent = program(stumble)
    with pytest.raises(AgentFailed):
        search(agent, out=tmp_path / "run")
    (tmp_path / "mended").touch()
    again = search(agent, out=tmp_path / "run")
    whole = search(agent, out=tmp_path / "whole")
    assert again.calls == whole.calls == 12
    for result in (again, whole):
        result.summary.pop("wall_s")
    assert again.summary == whole.summary
    assert "error" not in json.loads((tmp_path / "run" / "result.json").read_text())
    assert search(agent, out=tmp_path / "run").was_complete


def test_a_program_that_answers_otherwise_on_a_resume_is_detected(program, tmp_path) -> None:
    moody = HONEST + (
        f"from pathlib import Path\nmood = Path({str(tmp_path / 'mood')!r})\n"
        "mood.write_text(mood.read_text() + '+' if mood.exists() else '+')\n"
        "for _ in range(len(mood.read_text())): design()\n"
        "for _ in range(3): ask([design()])\n"
        "sys.exit('tired')\n"
    )
    agent = program(moody)
    with pytest.raises(AgentFailed, match="3 simulations until then are kept"):
        search(agent, out=tmp_path / "run")
    with pytest.raises(InputError, match="cannot be resumed: the record goes on with other designs"):
        search(agent, out=tmp_path / "run")
    assert len(archgym.load_dataset(str(tmp_path / "run"))) == 3


def test_another_program_under_the_same_name_is_detected(program, tmp_path) -> None:
    with pytest.raises(AgentFailed):
        search(program(HONEST + "ask([design()])\nsys.exit(1)\n"), out=tmp_path / "run")
    with pytest.raises(InputError, match="the content hash of the agent's file"):
        search(program(HONEST + SEARCHES), out=tmp_path / "run")


def test_a_fault_in_a_replay_leaves_the_record_as_it_was(program, tmp_path) -> None:
    flag = tmp_path / "early"
    agent = program(
        HONEST + f"import os\nask([design()])\n"
        f"if os.path.exists({str(flag)!r}): sys.exit('early')\nask([design()])\nsys.exit('late')\n"
    )
    with pytest.raises(AgentFailed, match="late"):
        search(agent, out=tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    flag.touch()
    with pytest.raises(AgentFailed, match=r"'early'$"):
        search(agent, out=tmp_path / "run")
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_answers_given_ahead_are_taken_in_order(program) -> None:
    ahead = "for _ in range(4): print(json.dumps({'designs': [design() for _ in range(2)]}))\n"
    result = search(program(HONEST + ahead + "for line in sys.stdin: pass"), budget=8)
    assert (result.calls, result.stop_reason) == (8, "budget")


def test_several_objectives_come_with_a_reward_each(program, tmp_path) -> None:
    keep = f"open({str(tmp_path / 'heard')!r}, 'w').write(json.dumps([start, ask([start['baseline']['design']])]))\n"
    search(program(HONEST + keep + SEARCHES), objective=["time", "energy-delay"])
    start, heard = json.loads((tmp_path / "heard").read_text())
    assert [one["name"] for one in start["objectives"]] == ["time", "energy-delay"]
    assert heard["evaluations"][0]["rewards"] == [0.0, 0.0]


def test_in_a_study_its_runs_are_kept_whether_they_end_or_fail(program, tmp_path) -> None:
    good = program(HONEST + SEARCHES, name="good.py")
    bad = program(HONEST + "ask([design()])\nsys.exit('broken')\n", name="bad.py")
    (tmp_path / "study.toml").write_text(
        "budget = 6\nseeds = 2\n[[tasks]]\nenv = 'archgym/DRAM-v0'\nworkload = 'random'\n"
        f"[[agents]]\nname = {json.dumps(good)}\n[[agents]]\nname = {json.dumps(bad)}\n"
    )
    command = [sys.executable, "-m", "archgym", "study", str(tmp_path / "study.toml"), "--out", str(tmp_path / "study")]
    subprocess.run([*command, "--workers", "2"], capture_output=True, check=False, cwd=ROOT)
    runs = load_study(tmp_path / "study").runs
    assert sorted(zip(runs["agent"], runs["state"], runs["evaluations"], strict=True)) == sorted(
        [(good, "complete", 6), (bad, "failed", 1)] * 2
    )
    assert runs.loc[runs["agent"] == bad, "error"].str.contains("ended with status 1: 'broken'").all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("exec:", "names no program"),
        ("exec:./no-such-program", "no program './no-such-program'"),
        ("exec:no-such-program-anywhere", "on PATH"),
        ("exec:'", "is no command line"),
        (f"exec:{ROOT / 'README.md'}", "not executable; run: chmod"),
    ],
)
def test_programs_that_cannot_be_run_are_refused_in_one_line(name, message) -> None:
    with pytest.raises(InputError, match=message):
        agent_class(name)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 3}, "unknown setting 'timeout'.*did you mean 'timeout_s'"),
        ({"timeout_s": 0.0}, "timeout_s must be at least 0.01"),
        ({"refusals": -1}, "refusals must be at least 0"),
    ],
)
def test_wrong_settings_are_refused(program, options, message) -> None:
    with pytest.raises(InputError, match=message):
        search(program(HONEST + SEARCHES), options=options)
