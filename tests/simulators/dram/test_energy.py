import numpy as np
import pytest

from archgym_simulators.dram.controller import ControllerDesign
from archgym_simulators.dram.device import device
from archgym_simulators.dram.energy import Activity, energy_of
from archgym_simulators.dram.model import simulate
from archgym_simulators.dram.standards import timing_tables
from archgym_simulators.dram.trace import Trace

PARTS = ("activate", "precharge", "read", "write", "refresh", "background")


def activity(*counts):
    return Activity(*(np.array([count]) for count in counts))


def parts_of(name, *counts):
    memory = device(name)
    energy = energy_of(activity(*counts), memory, timing_tables(memory))
    return {part: getattr(energy, part)[0] for part in PARTS}, energy.total[0]


def test_ddr3_coefficients():
    # 8 chips x 1.5 V x 1.25 ns = 15; activate 28 x (70 - 45), and so on.
    parts, total = parts_of("DDR3-1600", 1, 1, 1, 1, 1, 1, 1)
    expected = {"activate": 700, "precharge": 250, "read": 380, "write": 400, "refresh": 11000, "background": 90}
    assert parts == pytest.approx({part: 15 * value for part, value in expected.items()})
    assert total == pytest.approx(15 * sum(expected.values()))


def test_second_supply_adds_its_own_currents():
    # DDR4: VPP 2.5 V, IPP0 4.05 mA, eight chips, a clock of 1/1.2 ns.
    memory = device("DDR4-2400")
    parts, _ = parts_of("DDR4-2400", 1, 0, 0, 0, 0, 0, 0)
    core = 1.2 * (60.75 - 44.0) + 2.5 * 4.05
    assert parts["activate"] == pytest.approx(memory.timing["ras"] * core * 8 / 1.2)


def test_a_device_without_currents_has_no_energy():
    _, total = parts_of("HBM2", 1, 1, 1, 1, 1, 1, 1)
    assert np.isnan(total)


@pytest.mark.parametrize("rules", ["archgym", "realistic"])
def test_parts_add_up_and_power_is_energy_over_accounted_time(rules):
    trace = Trace.build("t", cycle=np.arange(50), is_write=np.arange(50) % 3 == 0, address=np.arange(50) * 4096)
    result = simulate(trace, [ControllerDesign(), ControllerDesign(page_policy="Closed")], rules=rules)
    total = sum(getattr(result, f"energy_{part}_pj") for part in PARTS)
    np.testing.assert_allclose(result.energy_pj, total, rtol=1e-12)
    time_ns = (result.active_cycles + result.precharged_cycles) * 1.25
    np.testing.assert_allclose(result.power_mw, result.energy_pj / time_ns, rtol=1e-12)
