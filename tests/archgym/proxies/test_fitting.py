"""Proxies learn, say how sure they are, and refuse what cannot be learned."""

from dataclasses import replace

import numpy as np
import pytest

from archgym.datasets import Dataset
from archgym.proxies import fit, score
from archgym.proxies.proxy import coverage_needs
from archgym.proxies.quality import spearman
from archgym.proxies.regressors import KINDS
from archgym.proxies.tuning import tune
from archgym_simulators import OK, InputError
from tests.archgym.datasets.made_data import made

SMALL = {
    "lightgbm": {"trees": 60},
    "random-forest": {"trees": 20},
    "extra-trees": {"trees": 20},
    "gaussian-process": {"most": 80},
    "deep-ensemble": {"members": 2, "units": 32, "epochs": 60},
}


@pytest.mark.parametrize("regressor", KINDS)
def test_every_regressor_learns_and_gives_the_same_bits_in_any_batch(one_workload, regressor):
    if regressor == "deep-ensemble":
        pytest.importorskip("torch")
    proxy = fit(one_workload, regressor=regressor, metrics=["time_ns", "slack_ns"], settings=SMALL.get(regressor))
    truth = one_workload.valid().column("time_ns")
    spread = 100 * truth.std() / truth.mean()
    share = 0.95 if regressor == "ridge" else 0.75  # a line learns little of a bowl
    assert proxy.scores["time_ns"]["rmse_percent"] < share * spread
    assert proxy.scores["time_ns"]["spearman"] > share - 0.45
    rows = one_workload.designs[:97]
    whole = proxy.predict(rows).values
    single = np.concatenate([proxy.predict(rows[i : i + 1]).values for i in range(len(rows))])
    assert whole.tobytes() == single.tobytes()
    assert proxy.predict(rows[::-1]).values[::-1].tobytes() == whole.tobytes()


def test_the_same_seed_gives_the_same_proxy(one_workload):
    one, same, other = (fit(one_workload, metrics=["time_ns"], settings={"trees": 20}, seed=s) for s in (1, 1, 2))
    rows = one_workload.designs
    assert one.predict(rows).values.tobytes() == same.predict(rows).values.tobytes()
    assert one.predict(rows).values.tobytes() != other.predict(rows).values.tobytes()
    assert one.training == same.training
    assert one.scores == same.scores


def test_metrics_are_learned_on_the_scale_that_they_declare(proxy):
    assert {model.metric.name: model.is_log for model in proxy.models} == {
        "time_ns": True, "energy_pj": True, "speed_mhz": True, "slack_ns": False
    }  # fmt: skip


def test_a_log_metric_that_reaches_zero_is_learned_as_it_is(one_workload):
    values = one_workload.values.copy()
    values[np.flatnonzero(one_workload.status == OK)[0], 0] = 0.0
    found = fit(replace(one_workload, values=values), metrics=["time_ns"], settings={"trees": 5})
    assert not found.models[0].is_log


def test_intervals_hold_what_they_promise_on_designs_of_the_same_source():
    # 400 held out: the share within has a standard deviation of 2 % from each side.
    data = made(4000, workloads=("a",))
    noise = np.exp(np.random.default_rng(0).normal(0, 0.2, (len(data), 1)))
    data = replace(data, values=data.values * noise, distinct=True)
    train, test = data.split_rows((0.5, 0.5), seed=1)
    found = fit(train, metrics=["time_ns"], settings={"trees": 40})
    for coverage in (0.5, 0.9, 0.97):
        assert score(found, test, coverage=coverage)["time_ns"].coverage == pytest.approx(coverage, abs=0.07)
    narrow, wide = (found.predict(test.designs, coverage=share) for share in (0.5, 0.9))
    assert (narrow.low > wide.low).all()
    assert (narrow.high < wide.high).all()
    assert ((wide.low < wide.values) & (wide.values < wide.high)).all()


@pytest.mark.parametrize("coverage", [0.0, 1.0, float("nan"), 0.9999])
def test_a_coverage_that_cannot_be_promised_is_refused(proxy, data, coverage):
    with pytest.raises(InputError, match="coverage"):
        proxy.predict(data.designs[:1], "default", coverage=coverage)


def test_one_proxy_covers_several_workloads(proxy, data, one_workload):
    found = score(proxy, data)
    assert found["time_ns"].spearman > 0.9
    rows = one_workload.designs[:50]
    small, large = (proxy.predict(rows, name).values[:, 0] for name in ("default", "large"))
    assert (large > 2 * small).all(), "the larger workload takes four times as long"
    with pytest.raises(InputError, match=r"covers several workloads; name one of default, large"):
        proxy.predict(rows)
    with pytest.raises(InputError, match=r"not trained on workload 'larg'; did you mean 'large'"):
        proxy.predict(rows, "larg")


def test_the_training_set_is_on_record(proxy, data):
    training = proxy.training
    assert training["rows"] == len(data)
    assert training["valid_rows"] == len(data.valid())
    assert training["agents"] == ["random_search"]
    assert len(training["digest"]) == 64
    values = data.values.copy()
    values[np.flatnonzero(data.status == OK)[5], 0] *= 1.5
    from archgym.proxies.fitting import training_digest

    assert training_digest(data) == training["digest"]
    assert training_digest(replace(data, values=values)) != training["digest"]


def test_importance_finds_the_parameter_that_counts():
    data = made(1000, workloads=("a",))
    values = np.where(np.isnan(data.values), np.nan, 1.0 + data.rows[:, :1].astype(float))
    found = fit(replace(data, values=values), metrics=["time_ns"], settings={"trees": 30})
    gains = found.training["importance"]["time_ns"]
    assert gains["banks"] > 0.5
    assert max(gain for name, gain in gains.items() if name != "banks") < 0.05


def test_designs_unlike_those_of_training_are_outside(data):
    train, test = data.split_groups("region", held_out={"memory": ["none"]})
    found = fit(train, metrics=["time_ns"], settings={"trees": 10})
    inside = found.predict(train.valid().designs, train.workloads[0])
    outside = found.predict(test.valid().designs, train.workloads[0])
    assert inside.outside.mean() < 0.05
    assert outside.outside.all()
    assert score(found, test)["time_ns"].outside == 1.0


def test_a_workload_beyond_those_of_training_is_outside(proxy, data):
    far = replace(data.workloads[0], name="far", features=(9.0,), digest="")
    near = replace(far, name="near", features=(0.25,))
    rows = data.designs[:20]
    assert proxy.predict(rows, far).outside.all()
    assert not proxy.predict(rows, near).outside.all()


def test_invalid_designs_are_foreseen(data, proxy):
    found = proxy.predict(data.designs, "default")
    mine = data.workload_index == 0
    agreed = (found.valid == (data.status == OK))[mine]
    assert proxy.validity is not None
    assert agreed.mean() > 0.9


# ---- refusals --------------------------------------------------------------------------------------------------------


def with_values(data: Dataset, values) -> Dataset:
    return replace(data, values=np.where(np.isnan(data.values), np.nan, values))


@pytest.mark.parametrize(
    ("data", "how", "message"),
    [
        (made(5), {}, "valid rows are too few: a proxy needs at least 50"),
        (with_values(made(200), 7.0), {}, "metric 'time_ns' is constant, 7.0 in all"),
        (made(200), {"metrics": ["time_n"]}, "unknown metric 'time_n'; did you mean 'time_ns'"),
        (made(200), {"metrics": []}, "at least one"),
        (made(200), {"regressor": "lightgb"}, "unknown regressor 'lightgb'; did you mean 'lightgbm'"),
        (made(200), {"settings": {"leavs": 3}}, "unknown setting 'leavs' of lightgbm; did you mean 'leaves'"),
        (made(200), {"settings": {"leaves": 3.5}}, "must be a whole number above 0, not 3.5"),
        (made(200), {"settings": {"rate": float("nan")}}, "must be a number above 0, not nan"),
    ],
    ids=["five rows", "constant", "metric", "no metric", "regressor", "setting", "fraction", "nan"],
)
def test_what_cannot_be_learned_is_refused(data, how, message):
    with pytest.raises(InputError, match=message) as caught:
        fit(data, **how)
    assert "\n" not in str(caught.value)


def test_too_few_rows_for_intervals_are_refused_before_training(monkeypatch):
    few = made(70)
    monkeypatch.setattr("archgym.proxies.fitting._models", lambda *_: pytest.fail("trained"))
    with pytest.raises(InputError, match=r"15 % of them calibrate, which are \d+, and intervals of 99% need 99; give"):
        fit(few, coverage=0.99)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95, 0.99, 1 / 3, 0.07])
def test_intervals_can_be_promised_from_the_fewest_designs_on(proxy, coverage):
    needed = coverage_needs(coverage)
    model = proxy.models[0]
    assert replace(model, residuals=np.arange(float(needed))).half_width(coverage) == needed - 1
    assert (needed + 1) * coverage <= needed + 1e-9
    if needed > 1:
        assert needed * coverage > needed - 1 + 1e-9
        with pytest.raises(InputError, match="needs more designs for calibration"):
            replace(model, residuals=np.arange(needed - 1.0)).half_width(coverage)


def test_nan_of_a_valid_design_is_refused():
    data = made(200)
    values = data.values.copy()
    row = int(np.flatnonzero(data.status == OK)[3])
    values[row, 1] = np.nan
    with pytest.raises(InputError, match=f"energy_pj of row {row} is nan"):
        fit(replace(data, values=values))


def test_workloads_that_cannot_be_told_apart_are_refused():
    data = made(200)
    same = tuple(replace(one, features=(0.5,)) for one in data.workloads)
    with pytest.raises(InputError, match="two of the 2 workloads have the same features"):
        fit(replace(data, workloads=same))
    with pytest.raises(InputError, match="features of workload 'a' are not on record"):
        fit(replace(data, workloads=(replace(data.workloads[0], features=()), data.workloads[1])))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"simulator_version": "8"}, "simulator version is '7' in the proxy and '8' in the data"),
        ({"space_digest": "x"}, "content hash of the design space"),
    ],
)
def test_rows_of_another_simulator_are_not_scored(changes, message):
    data = made(300)
    found = fit(data, settings={"trees": 5})
    with pytest.raises(InputError, match=message):
        score(found, replace(data, schema=replace(data.schema, **changes)))


def test_rows_of_other_units_or_without_a_metric_are_not_scored():
    found = fit(made(300), settings={"trees": 5})
    with pytest.raises(InputError, match="mixed units, 'time_ns' in the proxy and 'time_us' in the data"):
        score(found, made(300, metrics=("time_us", "energy_pj")))
    with pytest.raises(InputError, match="metrics"):
        score(found, made(300, metrics=("energy_pj",)))


# ---- tuning ----------------------------------------------------------------------------------------------------------


def test_tuning_is_seeded_and_never_worse_than_the_defaults_on_what_it_sees():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    y = x @ [1.0, 2.0, 0.0, -1.0] + rng.normal(0, 0.1, 300)
    one, same = (tune(KINDS["ridge"], x, y, seconds=60.0, trials=8, seed=3) for _ in range(2))
    assert one == same
    assert one.trials == 8
    assert one.error <= one.default_error
    assert tune(KINDS["ridge"], x, y, seconds=0.0, trials=8).trials == 1, "the defaults only"


def test_trials_are_on_record(one_workload):
    found = fit(one_workload, regressor="ridge", metrics=["time_ns"], tune_seconds=60, trials=5)
    assert found.training["trials"] == {"time_ns": 5}


def test_rank_correlation_shares_the_ranks_of_ties():
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([10.0, 20, 30, 40])) == pytest.approx(1)
    assert spearman(np.array([1.0, 2, 2, 3]), np.array([3.0, 2, 2, 1])) == pytest.approx(-1)
    assert spearman(np.array([1.0, 1, 2, 2]), np.array([1.0, 2, 1, 2])) == pytest.approx(0)
    assert np.isnan(spearman(np.ones(3), np.arange(3.0)))
