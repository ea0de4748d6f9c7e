"""The file of a study: what it may say, and what is refused before anything runs."""

import pytest

from archgym.studies.plan import StudyPlan
from archgym.studies.study_file import parse_study, read_study
from archgym_simulators import InputError
from tests.archgym.studies.small_studies import BOWL, content, fragile, toml

TASK = {"env": BOWL, "budget": 10}


def small(**changes):
    return {"tasks": [TASK], "agents": ["random_search"], "seeds": 2, **changes}


def agent(**entry):
    return small(agents=[{"name": "genetic_algorithm", **entry}])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (small(task=[]), r"unknown key 'task' in study; did you mean 'tasks'\?; allowed: name, "),
        (small(tasks=["dram-mixed-tim"]), r"unknown task 'dram-mixed-tim'; did you mean 'dram-mixed-time'\?"),
        (small(tasks=["archgym/DRAMM-v0"]), r"unknown task 'archgym/DRAMM-v0'; did you mean 'archgym/DRAM-v0'\?"),
        (small(tasks=[{**TASK, "enviroment": 1}]), r"unknown key 'enviroment' in tasks"),
        (small(tasks=[{**TASK, "name": "x"}]), "needs a name .* or an env, and not both"),
        (small(tasks=[{"budget": 3}]), "needs a name .* or an env"),
        (small(tasks=[{"env": BOWL}]), "is no task of a suite, so it needs a budget"),
        (small(tasks=[{**TASK, "budget": 0}]), "budget must be a whole number of at least 1, not 0"),
        (small(tasks=[{**TASK, "budget": "many"}]), "budget must be a whole number"),
        (small(tasks=[{**TASK, "objective": "tmie"}]), r"'tmie'.*did you mean 'time'\?"),
        (small(tasks=[{**TASK, "options": {"scael": 2}}]), r"unknown option 'scael'.*did you mean 'scale'\?"),
        (small(tasks=[{"name": "dram-mixed-time", "workload": "random"}]), "fixes its workload"),
        (small(tasks=[{**TASK, "reference_point": "x"}]), "reference_point must be a list of numbers"),
        (small(tasks=[TASK, TASK]), "task .*Bowl .default. is listed twice"),
        (small(tasks=[TASK, {**TASK, "budget": 20}]), "is listed twice"),
        (small(tasks=[]), "nothing to run: tasks is an empty list"),
        (small(agents=[]), "nothing to run: agents is an empty list"),
        (small(seeds=0), "nothing to run: seeds is 0"),
        (small(seeds=[]), r"nothing to run: seeds is \[\]"),
        (small(seeds=[1, 1]), "seed 1 is listed twice"),
        (small(seeds=[1, -1]), "seed must be a whole number of at least 0, not -1"),
        (small(seeds=2.5), "a study needs seeds"),
        (small(seeds=True), "a study needs seeds"),
        (small(agents="random_search"), "a study needs agents: a list"),
        (small(agents=["random_serch"]), r"unknown agent 'random_serch'; did you mean 'random_search'\?"),
        (small(agents=[{"settings": {}}]), "an entry of agents needs a name"),
        (small(agents=[3]), "an entry of agents must be a name or a table, not 3"),
        (agent(setings={}), r"unknown key 'setings' in agents; did you mean 'settings'\?"),
        (agent(settings={"populaton": 3}), r"agent 'genetic_algorithm': unknown setting 'populaton'; did you mean"),
        (agent(settings={"population": "x"}), "population must be a whole number"),
        (agent(grid={"populaton": [3]}), r"unknown setting 'populaton'; did you mean 'population'\?"),
        (agent(grid={"population": []}), "grid.population must be a list of at least one value"),
        (agent(grid={"population": [4, 1]}), "population must be at least 2, not 1"),
        (agent(samples=-1), "samples must be a whole number of at least 0, not -1"),
        (agent(samples=3, settings={"population": 1}), "population must be at least 2"),
        (agent(samples=10**5), r"has only 45,360 settings to draw from, not 100,000"),
        (small(agents=[{"name": "hill_climbing", "samples": 640}]), r"has only \d+ other settings to draw, not 640"),
        (small(agents=[{"name": "random_search", "samples": 2}]), "has no hyperparameters to draw"),
        (agent(default=False), "agent 'genetic_algorithm': nothing to run: without its defaults it needs a grid"),
        (agent(default=3), "default must be true or false, not 3"),
        (small(record="everything"), "record must be 'all' or 'improvements', not 'everything'"),
        (small(record=3), "record must be"),
        (small(sampling_seed="x"), "seed must be a whole number"),
    ],
)
def test_what_is_wrong_is_named_before_anything_runs(wrong, message, monkeypatch):
    monkeypatch.setattr("archgym.studies.settings._DRAWS_PER_SETTING", 1)
    with pytest.raises(InputError, match=message) as caught:
        parse_study(wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (small(tasks=[{**TASK, "workload": "lagre"}]), r"unknown workload 'lagre'; did you mean 'large'\?"),
        (small(tasks=[{**TASK, "objective": ["time", "energy_pj"]}]), "and agent 'random_search' do not go together"),
        (small(tasks=[{**TASK, "reference_point": [1.0, 2.0]}]), "has 2 numbers for 1 objectives"),
    ],
)
def test_what_binding_refuses_is_found_before_the_first_run_too(wrong, message):
    with pytest.raises(InputError, match=message):
        StudyPlan.create(parse_study(wrong))


def test_tasks_of_the_suite_bring_everything(tmp_path):
    study = parse_study(small(tasks=["dram-mixed-time", "dram-mixed-front"], options={"simulator": "model"}))
    assert [task.name for task in study.tasks] == ["dram-mixed-time", "dram-mixed-front"]
    assert [task.limits.limit for task in study.tasks] == [300, 300]
    assert study.tasks[1].reference_point == (-0.25, -0.25, -0.25)
    assert study.tasks[0].spec.options == {"simulator": "model"}


def test_one_run_serves_every_budget(tmp_path):
    study = parse_study(small(tasks=[{**TASK, "budget": [100, 30, 100]}, "dram-dev-time"], budget=[5, 7]))
    assert study.tasks[0].limits.limit == 100
    assert study.tasks[0].budgets == (30, 100)
    assert (study.tasks[1].limits.limit, study.tasks[1].budgets) == (7, (5, 7))


def test_settings_are_crossed_drawn_and_never_twice(tmp_path):
    grid = parse_study(agent(grid={"population": [8, 16], "children": [8, 4]}, settings={"mutation": 0.2}))
    assert len(grid.settings) == 4
    assert {one.values["mutation"] for one in grid.settings} == {0.2}
    both = parse_study(agent(grid={"population": [8, 16]}, samples=5, default=True))
    assert len(both.settings) == len({one.digest for one in both.settings}) == 7
    assert [one.is_default for one in both.settings] == [True] + 6 * [False]
    twice = parse_study(
        small(agents=["genetic_algorithm", {"name": "genetic-algorithm", "settings": {"population": 8}}])
    )
    assert len(twice.settings) == 1


def test_the_first_of_many_drawn_settings_are_those_of_few():
    few, many = (parse_study(agent(samples=n)).settings for n in (3, 9))
    assert many[:4] == few
    other = parse_study({**agent(samples=3), "sampling_seed": 1}).settings
    assert other[1:] != few[1:]


def test_drawn_settings_do_not_depend_on_other_agents():
    alone = parse_study(agent(samples=3)).settings
    beside = parse_study(
        small(agents=[{"name": "hill_climbing", "samples": 2}, {"name": "genetic_algorithm", "samples": 3}])
    )
    assert beside.settings[3:] == alone


def test_a_stand_in_changes_no_seed():
    model, other = (
        parse_study(small(tasks=["dram-mixed-time"], options=options)) for options in ({}, {"simulator": "model"})
    )
    seeds = [[one.seeds.seed(k, one.tasks[0].spec, one.settings[0]) for k in range(2)] for one in (model, other)]
    assert seeds[0] == seeds[1]
    assert seeds[0][0] != seeds[0][1]


def test_a_file_is_what_its_content_says(tmp_path):
    file = toml(tmp_path)
    study = read_study(file)
    assert (study.name, study.size) == ("study", 12)
    assert study.text == file.read_text()
    parsed = parse_study(content(tmp_path))
    assert (study.tasks, study.settings, study.seeds) == (parsed.tasks, parsed.settings, parsed.seeds)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.toml: No such file"):
        read_study(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("tasks = [")
    with pytest.raises(InputError, match=r"bad\.toml is no TOML: Invalid value"):
        read_study(tmp_path / "bad.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match=r"cannot read .*bytes\.toml"):
        read_study(tmp_path / "bytes.toml")
    with pytest.raises(InputError, match=r"study\.toml: nothing to run"):
        read_study(toml(tmp_path, agents=[]))


def test_an_agent_by_path_is_part_of_the_identity_by_content(tmp_path):
    path = fragile(tmp_path)
    before = [cell.run_id for cell in StudyPlan.create(parse_study(small(agents=[path]))).cells()]
    (tmp_path / "fragile.py").write_text((tmp_path / "fragile.py").read_text() + "# changed\n")
    after = [cell.run_id for cell in StudyPlan.create(parse_study(small(agents=[path]))).cells()]
    assert not set(before) & set(after)
