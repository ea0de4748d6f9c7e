"""External programs as agents: what they are told, what they may do wrong, and that nothing of them remains."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import archgym
from archgym.agent import AgentFailed
from archgym.optimum import certified_optimum
from archgym.registry import agent_class
from archgym.studies.results import load_study
from archgym.tasks import problem_of
from archgym.testing import check_agent
from archgym.verification import verify
from archgym_simulators import InputError

ROOT = Path(__file__).parents[2]

HONEST = """
import json, random, sys

start = json.loads(sys.stdin.readline())
rng = random.Random(start["seed"])


def value(p):
    if "values" in p:
        return rng.choice(p["values"])
    if p["kind"] == "integer":
        return rng.randrange(p["low"], p["high"] + 1, p["step"])
    if p["kind"] == "permutation":
        return ">".join(rng.sample(p["items"], len(p["items"])))
    return "x".join(["1"] * (p["slots"] - 1) + [str(p["n"])])


def design():
    return {p["name"]: value(p) for p in start["parameters"]}


def ask(designs):
    print(json.dumps({"designs": designs}))
    return json.loads(sys.stdin.readline())


"""
SEARCHES = "while ask([design() for _ in range(3)])['type'] != 'end':\n    pass\n"


@pytest.fixture
def program(tmp_path):
    """Writes a program; its agent's name."""

    def write(source, *arguments, name="program.py"):
        path = tmp_path / name
        path.write_text(source)
        return "exec:" + shlex.join([sys.executable, "-S", str(path), *map(str, arguments)])

    return write


def search(agent, *, budget=12, toy="Bowl", options=None, **arguments):
    return archgym.search(f"toy/{toy}-v0", agent, budget=budget, seed=1, agent_options=options, **arguments)


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


FATAL = {
    "crash": ("sys.exit('no luck')", "ended with status 1: 'no luck'"),
    "traceback": ("raise ZeroDivisionError('by me')", "ended with status 1: 'ZeroDivisionError: by me'"),
    "signal": ("import os; os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
    "quiet end": ("sys.exit()", "ended with status 0"),
    "closed output": ("import os, time; os.close(1); time.sleep(60)", "closed its output"),
    "closed input": (
        "import os, time; os.close(0); print(json.dumps({'designs': [design()]})); time.sleep(60)",
        "closed its input",
    ),
    "silence": ("import time; time.sleep(60)", "gave no answer within 1 s"),
    "deaf": ("import os\nwhile True: os.write(2, b'x' * 65536)", "gave no answer within 1 s"),
    "garbage": ("print('hello world')", "answered 'hello world', which is no JSON"),
    "bytes": ("sys.stdout.buffer.write(bytes(range(128, 256)) + b'\\n'); sys.stdout.flush()", "which is no JSON"),
    "not an object": ("print('[1, 2]')", "answered '[1, 2]', which is no JSON object"),
    "not a number": ("print('{\"designs\": [NaN]}')", "which is no JSON"),
    "nesting": ("print('[' * 100000)", "which is no JSON"),
    "flood": ("import os\nwhile True: os.write(1, b'x' * 65536)", "wrote more than 4 MiB"),
    "blank flood": ("import os\nwhile True: os.write(1, b'\\n' * 65536)", "gave no answer within 1 s"),
    "wrong for ever": ("while True: ask([{}])", "gave 4 wrong answers in a row, the last: design 1: missing parameter"),
    "no designs": ("while True: print('{}'); sys.stdin.readline()", 'an answer must have "designs"'),
}


@pytest.mark.parametrize(("fault", "message"), FATAL.values(), ids=FATAL)
def test_a_fault_ends_the_run_in_one_line_and_keeps_what_was_evaluated(program, tmp_path, fault, message) -> None:
    agent = program(HONEST + "for _ in range(2):\n    ask([design() for _ in range(3)])\n" + fault)
    out = tmp_path / "run"
    with pytest.raises(AgentFailed, match="are kept in") as failure:
        search(agent, out=out, options={"timeout_s": 20.0 if "1 s" not in message else 1.0})
    text = str(failure.value)
    assert message in text
    assert "\n" not in text
    result = json.loads((out / "result.json").read_text())
    assert (result["stop_reason"], result["calls"]) == ("error", 7 if "closed its input" in text else 6)
    assert message in result["error"]
    kept = archgym.load_dataset(str(out))
    assert len(kept) == result["calls"]


def test_a_run_that_failed_is_verified_as_far_as_it_came(program, tmp_path) -> None:
    search(program(HONEST + SEARCHES, name="whole.py"), out=tmp_path / "whole")
    with pytest.raises(AgentFailed):
        search(program(HONEST + "ask([design()])\nsys.exit(1)"), out=tmp_path / "failed")
    for run in ("whole", "failed"):
        checks = verify(tmp_path / run, rerun=True)
        assert [check.name for check in checks][-1] == "trajectory"
        assert all(check.ok for check in checks), checks


def test_on_the_command_line_a_fault_is_one_line_and_status_2(program, tmp_path) -> None:
    command = ["search", "archgym/DRAM-v0", "--agent", program(HONEST + "ask([design()])\nsys.exit(3)")]
    command += ["--budget", "5", "--seed", "1", "--out", str(tmp_path / "run")]
    done = subprocess.run([sys.executable, "-m", "archgym", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "ended with status 3" in done.stderr
    assert "the 1 simulations until then are kept in" in done.stderr


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


def test_secrets_of_the_environment_are_not_inherited(program, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MODEL_API_KEY", "sesame")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame")
    dump = f"import os\nopen({str(tmp_path / 'seen')!r}, 'w').write(json.dumps(dict(os.environ)))\n"
    agent = program(HONEST + dump + SEARCHES)
    search(agent, out=tmp_path / "blind")
    seen = json.loads((tmp_path / "seen").read_text())
    allowed = {"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "LC_CTYPE"}
    assert set(seen) <= allowed | {"PYTHONUNBUFFERED", "PYTHONHASHSEED"}
    assert seen["HOME"] != os.environ.get("HOME")
    search(agent, options={"pass_env": "MODEL_API_KEY"}, out=tmp_path / "told")
    seen = json.loads((tmp_path / "seen").read_text())
    assert seen["MODEL_API_KEY"] == "sesame"
    assert "AWS_SECRET_ACCESS_KEY" not in seen
    assert b"sesame" not in b"".join(path.read_bytes() for path in (tmp_path / "told").iterdir())
    with pytest.raises(InputError, match="pass_env names 'NO_SUCH_KEY', which is not set"):
        search(agent, options={"pass_env": "NO_SUCH_KEY"})


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    except FileNotFoundError:
        return False


SPAWNS = """
import os, subprocess
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
"""
ENDINGS = {
    "end": "while ask([design()])['type'] != 'end': pass\nimport time; time.sleep(600)",
    "done": "print('{\"designs\": []}')",
    "crash": "sys.exit(1)",
    "silence": "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)",
}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_program_and_children_are_gone_at_the_end(program, tmp_path, ending) -> None:
    keep = f"open({str(tmp_path / 'pids')!r}, 'w').write(json.dumps([os.getpid(), child.pid]))\n"
    agent = program(HONEST + SPAWNS + keep + ending)
    with suppress(AgentFailed):
        search(agent, options={"timeout_s": 2.0}, budget=3)
    assert not any(map(_is_alive, json.loads((tmp_path / "pids").read_text())))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_they_are_gone_when_the_user_interrupts(program, tmp_path) -> None:
    keep = f"open({str(tmp_path / 'pids')!r}, 'w').write(json.dumps([os.getpid(), child.pid]))\n"
    agent = program(HONEST + SPAWNS + keep + "ask([design()])\nimport time; time.sleep(600)")
    command = ["search", "archgym/DRAM-v0", "--agent", agent, "--budget", "9", "--seed", "1"]
    searching = subprocess.Popen([sys.executable, "-m", "archgym", *command, "--out", str(tmp_path / "run")])
    give_up = time.monotonic() + 60
    while not (tmp_path / "pids").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    time.sleep(0.2)
    searching.send_signal(signal.SIGINT)
    assert searching.wait(timeout=60) == 130
    assert not any(map(_is_alive, json.loads((tmp_path / "pids").read_text())))


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


# ---- the example: a language model ---------------------------------------------------------------------------------


def _language_model(*arguments) -> str:
    return "exec:" + shlex.join([sys.executable, str(ROOT / "experiments/language_model/agent.py"), *arguments])


def test_a_language_model_searches_by_its_text_replies(tmp_path) -> None:
    agent = _language_model("--replies", str(ROOT / "experiments/language_model/replies.txt"))
    problem = {"workload": "random", "objective": "total-time", "budget": 6, "seed": 1}
    result = archgym.search("archgym/DRAM-v0", agent, out=tmp_path / "run", **problem)
    assert result.stop_reason in ("budget", "max_proposals")
    tried = archgym.load_dataset(str(tmp_path / "run")).readable()["scheduler"]
    assert {"FrFcfs", "FrFcfsGrp"} <= set(tried)


def test_a_model_that_is_a_command_reads_prompts_with_everything_known(tmp_path) -> None:
    model = tmp_path / "model.py"
    model.write_text(
        "import pathlib, sys\n"
        f"log = pathlib.Path({str(tmp_path / 'prompts')!r})\nprompt = sys.stdin.read()\n"
        "n = log.read_text().count('=====') if log.exists() else 0\n"
        "with log.open('a') as file: file.write(prompt + '=====')\n"
        "print('I would say', '{\"banks\": %d}' % (n + 1 if n != 2 else 99), 'is best.')\n"
    )
    agent = _language_model("--model", shlex.join([sys.executable, str(model)]))
    result = archgym.search("toy/Bowl-v0", agent, budget=4, seed=1)
    assert result.calls == 4
    prompts = (tmp_path / "prompts").read_text().split("=====")
    assert "banks: a whole number from 1 to 8 in steps of 1. number of banks" in prompts[0]
    assert "Rule too-many-banks" in prompts[0]
    assert "-> reward" in prompts[1]
    assert "banks must be" in prompts[3]
