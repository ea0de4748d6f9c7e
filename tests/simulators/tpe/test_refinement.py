import numpy as np
import pytest

from archgym_simulators.errors import InputError, MissingExtra, SimulationFailed
from archgym_simulators.evaluation import FAILED, OK
from archgym_simulators.external.yosys import find_yosys
from archgym_simulators.tpe import refinement
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.layout import design_table
from archgym_simulators.tpe.libraries import library_of
from archgym_simulators.tpe.model import evaluate
from archgym_simulators.tpe.precision import precision_of
from archgym_simulators.tpe.refinement import SynthesisedUnits
from archgym_simulators.tpe.simulator import TpeSimulator
from archgym_simulators.tpe.synthesis import ModuleReport, SynthesisReport
from archgym_simulators.tpe.workloads import workload

BASELINE = TpeDesign(rows=16, columns=16)


@pytest.fixture
def synthesised(monkeypatch, tmp_path):
    """Units whose synthesis is a table: the carry-save PE takes twice the area and half the time of the plain one."""
    asked = []

    def report(design, **options):
        asked.append((design, options))
        if design.final_adder == "ripple":
            raise SimulationFailed("yosys: no result within 1 s; killed")
        area, delay = (2000.0, 1.5) if design.opt1 else (1000.0, 3.0)
        return SynthesisReport(ModuleReport(area, delay, {}, 0, None), None, 0, "9.99", "cells.lib")

    monkeypatch.setattr(refinement, "synthesise", report)
    monkeypatch.setattr(refinement, "find_yosys", lambda program: type("Found", (), {"version": "9.99"}))
    (tmp_path / "cells.lib").write_text("")
    units = SynthesisedUnits(
        library_of("saed32"), (precision_of("int8"), precision_of("int8")), liberty=str(tmp_path / "cells.lib")
    )
    return units, asked


def corrected(units, designs):
    work = workload("gemm:64x64x64@int8")
    model = evaluate(designs, work)
    result, failed = units.corrected(design_table(designs), model, design_table([BASELINE])[0])
    return model, result, failed


def test_the_baseline_is_the_same_in_both_fidelities(synthesised):
    model, result, failed = corrected(synthesised[0], [BASELINE])
    assert np.array_equal(model.table, result.table)
    assert not failed.any()


def test_areas_and_periods_follow_the_synthesised_pe_relative_to_that_of_the_baseline(synthesised):
    designs = [TpeDesign(rows=4, columns=8, opt1=True)]
    model, result, _ = corrected(synthesised[0], designs)
    units = [TpeDesign(rows=1, columns=1, opt1=opt1, frequency_ghz=0.01) for opt1 in (False, True)]
    alone = evaluate(units, workload("gemm:64x64x64@int8"), bare=True)
    area = 2.0 * alone.area_um2[0] / alone.area_um2[1]
    period = 0.5 * alone.column("shortest_period_ns")[0] / alone.column("shortest_period_ns")[1]
    assert result.column("compress_um2")[0] == pytest.approx(model.column("compress_um2")[0] * area)
    assert result.column("finish_um2")[0] == model.column("finish_um2")[0]
    assert result.area_um2[0] == pytest.approx(sum(part[0] for part in result.part_um2().values()))
    assert result.column("shortest_period_ns")[0] == pytest.approx(model.column("shortest_period_ns")[0] * period)
    assert result.slack_ns[0] == pytest.approx(1.0 - result.column("shortest_period_ns")[0])
    for same in ("cycles", "energy_pj"):
        assert result.column(same)[0] == model.column(same)[0]


def test_designs_of_one_pe_are_synthesised_once(synthesised):
    units, asked = synthesised
    corrected(units, [TpeDesign(rows=r, columns=4, k_tile=64, opt1=True, frequency_ghz=0.5) for r in (2, 4, 8)])
    assert len(asked) == 2  # with the baseline


def test_a_synthesis_that_fails_makes_that_design_failed_and_no_other(synthesised):
    designs = [TpeDesign(opt1=True), TpeDesign(final_adder="ripple"), TpeDesign()]
    _, _, failed = corrected(synthesised[0], designs)
    assert failed.tolist() == [False, True, False]


def test_minifloats_and_missing_files_are_refused_in_one_line(tmp_path):
    eight, four = precision_of("int8"), precision_of("e2m1")
    with pytest.raises(InputError, match="fidelity synthesis is for integers, not e2m1"):
        SynthesisedUnits(library_of("saed32"), (eight, four), liberty="osu018")
    with pytest.raises(InputError, match="no program 'no-such-yosys'"):
        SynthesisedUnits(library_of("saed32"), (eight, eight), liberty="osu018", program="no-such-yosys")
    try:
        find_yosys()
    except MissingExtra:
        return
    with pytest.raises(InputError, match="no file"):
        SynthesisedUnits(library_of("saed32"), (eight, eight), liberty=str(tmp_path / "none.lib"))


def test_the_simulator_has_synthesis_as_a_fidelity(synthesised, tmp_path):
    model = TpeSimulator("gemm:64x64x64", timing="report", area_cap=0, throughput_floor=0)
    options = {"fidelity": "synthesis", "liberty": str(tmp_path / "cells.lib")}
    exact = TpeSimulator("gemm:64x64x64", timing="report", area_cap=0, throughput_floor=0, **options)
    assert exact.version == f"{model.version}, yosys 9.99"
    rng = np.random.default_rng(1)
    rows = np.vstack([[model.baseline.row], exact.space.sample(200, rng)])
    cheap, dear = model.evaluate(rows), exact.evaluate(rows)
    assert np.array_equal(cheap.values[0], dear.values[0])
    ripple = exact.space.decode(rows)["final_adder"] == "ripple"
    failed = dear.status == FAILED
    assert np.array_equal(failed, ripple)
    assert dear.reason(int(np.flatnonzero(failed)[0])) == "the synthesis of the PE failed, or took longer than 120 s"
    both = (cheap.status == OK) & (dear.status == OK)
    area = [metric.name for metric in exact.metrics].index("area_mm2")
    assert both.sum() > 10
    assert not np.allclose(cheap.values[both, area], dear.values[both, area])
    assert np.array_equal(cheap.values[both, 0], dear.values[both, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fidelity": "gates"}, "fidelity must be model or synthesis, not 'gates'"),
        ({"fidelity": "synthesis", "synthesis_limit_s": 0}, "synthesis_limit_s must be above 0"),
        ({"fidelity": "synthesis", "workload": "gemm:8x8x8@e2m1"}, "for integers, not e2m1"),
    ],
)
def test_options_of_the_fidelity_are_checked(options, message):
    with pytest.raises(InputError, match=message):
        TpeSimulator(**options)
