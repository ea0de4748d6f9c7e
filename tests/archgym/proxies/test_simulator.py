"""A proxy is a simulator wherever one goes, and is never taken for the one that it learned from."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

import archgym
from archgym.datasets import Dataset
from archgym.envs.design_env import DesignEnv
from archgym.problem import ProblemSpec
from archgym.proxies import ProxySimulator, fit, save_proxy, search_and_verify
from archgym.testing import check_simulator
from archgym.verification import verify
from archgym_simulators import INVALID, OK, InputError
from tests.archgym.proxies.conftest import BOWL


def spec_of(folder, kind="proxy", **options):
    return ProblemSpec.create(BOWL, options={"simulator": f"{kind}:{folder}", **options})


@pytest.mark.parametrize("kind", ["proxy", "strict-proxy"])
@pytest.mark.parametrize("workload", ["default", "large"])
def test_a_proxy_keeps_the_contract_of_simulators(folder, kind, workload):
    check_simulator(spec_of(folder, kind).simulator(workload), n=64)


def test_a_proxy_of_some_metrics_keeps_the_contract(one_workload, tmp_path):
    made = fit(one_workload, metrics=["slack_ns", "time_ns"], settings={"trees": 5})
    simulator = spec_of(save_proxy(made, tmp_path / "proxy")).simulator()
    assert simulator.metric_names() == ("time_ns", "slack_ns")
    assert {one.name for one in simulator.objectives} == {"time"}
    check_simulator(simulator, n=64)


def test_it_predicts_what_the_proxy_predicts(folder, proxy, data):
    simulator = spec_of(folder).simulator("large")
    rows = simulator.space.canonical(simulator.space.sample(300, np.random.default_rng(1)))
    rows = rows[(simulator.space.violations(rows) <= 0).all(axis=1)]
    outcome, found = simulator.evaluate(rows), proxy.predict(rows, "large")
    ok = outcome.status == OK
    assert ok.any()
    assert np.array_equal(ok, found.valid)
    assert outcome.values[ok].tobytes() == found.values[ok].tobytes()
    assert np.array_equal(outcome.diagnostics[:, 1] == 1.0, found.outside)


def test_designs_outside_the_training_region_are_marked_or_refused(data, tmp_path):
    train, _ = data.split_groups("region", held_out={"memory": ["scratchpad"]})
    folder = save_proxy(fit(train, settings={"trees": 10}), tmp_path / "proxy")
    flagged, strict = (spec_of(folder, kind).simulator() for kind in ("proxy", "strict-proxy"))
    rows = train.space.sample(400, np.random.default_rng(0))
    rows[:, 0] = 1
    rows = flagged.space.canonical(rows)
    rows = rows[(flagged.space.violations(rows) <= 0).all(axis=1)]
    assert (flagged.evaluate(rows).diagnostics[:, 1] == 1.0).all()
    assert (flagged.evaluate(rows).status == OK).any()
    refused = strict.evaluate(rows)
    assert (refused.status == INVALID).all()
    assert refused.reason_name(0) == "outside_training"
    assert "new to the proxy" in refused.reason(0)
    assert (refused.violation > 0).all()


def test_the_baseline_is_never_refused_for_where_it_is(data, tmp_path):
    train, _ = data.split_groups("region", held_out={"memory": ["cache"]})
    folder = save_proxy(fit(train, metrics=["time_ns"], settings={"trees": 10}), tmp_path / "proxy")
    simulator = spec_of(folder, "strict-proxy").simulator()
    row = simulator.space.canonical(np.array([simulator.baseline.row], np.int64))
    outcome = simulator.evaluate(row)
    assert outcome.diagnostics[0, 1] == 1.0
    assert outcome.reason_name(0) != "outside_training"


def test_searches_environments_and_verification_take_it(folder, tmp_path):
    found = archgym.search(BOWL, "genetic_algorithm", budget=60, simulator=f"proxy:{folder}", out=tmp_path / "run")
    assert found.feasible
    assert all(check.ok for check in verify(tmp_path / "run"))
    with DesignEnv(BOWL, simulator=f"proxy:{folder}") as env:
        env.reset(seed=0)
        _, reward, *_, info = env.step(env.action_space.sample())
    assert np.isfinite(reward)
    assert info["status"] in ("ok", "invalid")


def test_its_records_are_not_taken_for_simulations(folder, tmp_path, data):
    archgym.search(BOWL, "random_search", budget=60, simulator=f"proxy:{folder}", out=tmp_path / "run")
    archgym.search(BOWL, "random_search", budget=60, out=tmp_path / "real")
    with pytest.raises(InputError, match=r"simulator version is '1\+proxy"):
        Dataset.load([tmp_path / "run", tmp_path / "real"])


def test_another_proxy_at_the_same_place_is_another_simulator(folder, one_workload):
    before = spec_of(folder).simulator()
    shutil.rmtree(folder)
    save_proxy(fit(one_workload, settings={"trees": 5}), folder)
    after = spec_of(folder).simulator()
    assert before.version != after.version
    rows = before.space.sample(50, np.random.default_rng(0))
    assert before.simulate(rows).values.tobytes() != after.simulate(rows).values.tobytes()


def test_a_mean_over_workloads_is_predicted(folder):
    simulator = spec_of(folder).simulator("default + large")
    rows = simulator.space.canonical(simulator.space.sample(20, np.random.default_rng(0)))
    assert len(simulator.evaluate(rows)) == 20


def bowl(**changes):
    """The toy with other attributes."""
    simulator = ProblemSpec.create(BOWL).simulator()
    for name, value in changes.items():
        setattr(simulator, name, value)
    return simulator


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "2"}, "simulator version is '1', here '2'"),
        ({"metrics": ()}, "predicts 'time_ns', which the simulator does not report"),
        ({"workload": None}, "another one now"),
    ],
)
def test_a_proxy_of_something_else_is_refused(proxy, changes, message):
    simulator = bowl()
    if "workload" in changes:
        changes = {"workload": replace(simulator.workload, digest="changed")}
        proxy = replace(proxy, workloads=tuple(replace(one, digest="as it was") for one in proxy.workloads))
    with pytest.raises(InputError, match=message):
        ProxySimulator(bowl(**changes), proxy)


def test_a_proxy_of_one_workload_says_nothing_of_another(one_workload, tmp_path):
    folder = save_proxy(fit(one_workload, settings={"trees": 5}), tmp_path / "proxy")
    with pytest.raises(InputError, match="says nothing of workload 'large'"):
        spec_of(folder).simulator("large")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("proxi:x", "unknown simulator 'proxi:x'; did you mean 'proxy:PATH'"),
        ("proxy:", "unknown simulator 'proxy:'"),
        ("proxy", "unknown simulator 'proxy'.*allowed: model, table, proxy:PATH"),
        ("proxy:nowhere", "nowhere does not exist"),
    ],
)
def test_a_stand_in_that_is_none_is_refused(value, message):
    with pytest.raises(InputError, match=message):
        ProblemSpec.create(BOWL, options={"simulator": value}).simulator()


def test_a_proxy_of_other_options_is_refused(folder):
    assert spec_of(folder, scale=1.0).simulator().version.startswith("1+proxy."), "the default, spelt out"
    with pytest.raises(InputError, match=r"trained with the option scale=1.0, here it is 2.0"):
        spec_of(folder, scale=2.0).simulator()


def test_a_proxy_of_a_file_that_has_changed_is_refused(proxy, tmp_path):
    changed = replace(proxy, schema=replace(proxy.schema, source="another"))
    with pytest.raises(InputError, match="as its file is now"):
        spec_of(save_proxy(changed, tmp_path / "changed")).simulator()


# ---- the optimism gap ------------------------------------------------------------------------------------------------


def test_the_gap_is_what_was_promised_less_what_is_true(folder):
    found = search_and_verify(BOWL, str(folder), "random_search", budget=300, verify=5, seed=1)
    assert found.predictions == 300
    assert found.simulations == 5
    assert found.optimism_gap == found.promised - found.found
    assert found.design is not None
    session = archgym.make_session(BOWL)
    truth = session.evaluate(session.space.encode_row(found.design)[None])
    assert found.reward == float(truth.reward[0])
    assert found.metrics["time_ns"] == float(truth.values[0, 0])
    assert found.reward >= found.found


def test_a_proxy_that_is_exact_has_no_gap(data, tmp_path, monkeypatch):
    folder = save_proxy(fit(data, settings={"trees": 5}), tmp_path / "proxy")
    exact = ProblemSpec.create(BOWL).simulator()
    monkeypatch.setattr(ProxySimulator, "simulate", lambda self, rows: exact.simulate(rows))
    found = search_and_verify(BOWL, str(folder), "random_search", budget=100, verify=4)
    assert (found.optimism_gap, found.mean_gap) == (0.0, 0.0)
    assert found.rank_correlation == pytest.approx(1.0)


def test_a_verification_of_nothing_is_refused(folder):
    with pytest.raises(InputError, match="verify must be at least 1, not 0"):
        search_and_verify(BOWL, str(folder), "random_search", budget=10, verify=0)
