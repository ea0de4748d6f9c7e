"""Subnets as a simulator: golden counts, costs of our own models, no test accuracy where a search sees it."""

import subprocess
import sys

import numpy as np
import pytest

from archgym.problem import ProblemSpec
from archgym.session import Session
from archgym.testing import check_simulator
from archgym_simulators.errors import InputError
from archgym_simulators.layers.inline import spell_inline
from archgym_simulators.nas.supernet_design import BIGGEST, MIDDLE, SMALLEST, subnets_of_rows
from archgym_simulators.nas.supernet_shape import fixed_layers, slot_layers, slots
from archgym_simulators.nas.supernet_simulator import SupernetDigitsSimulator
from archgym_simulators.systolic.simulator import SystolicSimulator

ENV = "archgym/SupernetDigits-v0"
NAMED = np.array([SMALLEST, MIDDLE, BIGGEST])
GOLDEN = {500: [401, 437, 462], 2000: [1597, 1761, 1853]}
"""Validation images that the smallest, the middle and the biggest subnet name rightly."""
GOLDEN_TEST = [82.3, 88.85, 94.1]


@pytest.fixture(scope="module")
def simulator():
    return SupernetDigitsSimulator()


def asked(rows, images):
    return np.column_stack([rows, np.full(len(rows), (500, 2000).index(images))])


def column(simulator, name, rows):
    return simulator.column(simulator.evaluate(simulator.space.canonical(rows)), name)


def test_it_keeps_the_contract_with_every_option():
    check_simulator(ENV, n=16, workload="judge", images=500, area_class="mobile", array={"dataflow": "os", "rows": 8})


@pytest.mark.parametrize("images", [500, 2000])
def test_committed_weights_name_these_images_rightly(simulator, images):
    right = column(simulator, "val_accuracy", asked(NAMED, images)) * images / 100.0
    np.testing.assert_array_equal(np.rint(right), GOLDEN[images])
    fixed = SupernetDigitsSimulator(images=images)
    np.testing.assert_array_equal(column(fixed, "val_accuracy", NAMED), 100.0 * right / images)
    np.testing.assert_array_equal(column(fixed, "val_error", NAMED), 100.0 - 100.0 * right / images)


def test_test_accuracy_is_a_diagnostic_of_the_judge_only(simulator):
    judge = SupernetDigitsSimulator("judge", images=2000)
    judged = judge.evaluate(NAMED)
    np.testing.assert_allclose(judged.diagnostics[:, 0], GOLDEN_TEST)
    assert np.isnan(simulator.evaluate(asked(NAMED, 500)).diagnostics).all()
    assert not any("test" in name for name in judge.metric_names())
    searched = column(simulator, "val_accuracy", asked(NAMED, 2000))
    assert (judge.column(judged, "val_accuracy") != searched).all(), "other places, other noise"


def test_hardware_costs_and_macs_are_those_of_the_subnets_layers(simulator):
    rows = simulator.space.canonical(simulator.space.sample(4, np.random.default_rng(1)))
    rows[:, -1] = 0
    outcome = simulator.evaluate(rows)
    for number, subnet in enumerate(subnets_of_rows(rows).tolist()):
        layers = fixed_layers()
        for slot in slots():
            if subnet[slot.number][0]:
                layers += slot_layers(slot, *subnet[slot.number])
        array = SystolicSimulator(",".join(map(spell_inline, layers)), area_class="edge")
        expected = array.evaluate(np.array([array.baseline.row]))
        assert outcome.status[number] == expected.status[0] == 0
        for name in ("latency_ns", "energy_pj", "area_mm2"):
            found = simulator.column(outcome, name)[number]
            assert found == pytest.approx(array.column(expected, name)[0], rel=1e-12)
        assert simulator.column(outcome, "macs")[number] == sum(layer.macs for layer in layers)


def test_more_images_go_on_from_fewer(simulator):
    session = Session(ProblemSpec.create(ENV))
    few, many = (session.evaluate(asked(NAMED[1:2], images)).cost[0] for images in (500, 2000))
    assert few + many == pytest.approx(simulator.evaluate(asked(NAMED[1:2], 2000)).cost[0])
    other = session.evaluate(asked(NAMED[2:], 2000)).cost[0]
    assert other == simulator.evaluate(asked(NAMED[2:], 2000)).cost[0], "another subnet pays in full"


def test_what_is_bigger_is_more_accurate_and_slower(simulator):
    accuracy, latency = (column(simulator, name, asked(NAMED, 2000)) for name in ("val_accuracy", "latency_ns"))
    assert (np.diff(accuracy) > 0).all()
    assert (np.diff(latency) > 0).all()


def test_wrong_input_is_one_line():
    for options, sentence in (
        ({"workload": "serch"}, "unknown workload 'serch'; did you mean 'search'"),
        ({"images": 1000}, "images must be one of 500, 2000, not 1000"),
        ({"area_class": "huge"}, "huge"),
        ({"array": {"row": 8}}, "unknown parameter 'row' of array"),
        ({"array": [8]}, "array must be a mapping"),
    ):
        with pytest.raises(InputError, match=sentence) as caught:
            SupernetDigitsSimulator(**options)
        assert "\n" not in str(caught.value)


def test_looking_at_a_subnet_needs_neither_torch_nor_scikit_learn():
    code = (
        "import sys, numpy as np\n"
        "sys.modules['torch'] = sys.modules['sklearn'] = None\n"
        "import archgym\n"
        f"session = archgym.make_session({ENV!r}, images=500)\n"
        f"print(session.evaluate(np.array([{list(MIDDLE)}])).values[0, 0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert round(float(done.stdout) * 5) == GOLDEN[500][1]
