import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from archgym_simulators.errors import InputError, MissingExtra, SimulationFailed
from archgym_simulators.external import yosys as yosys_module
from archgym_simulators.external.yosys import find_yosys
from archgym_simulators.tpe import liberty as liberty_module
from archgym_simulators.tpe import synthesis
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.liberty import liberty_file, typical_inverter
from archgym_simulators.tpe.model import evaluate
from archgym_simulators.tpe.synthesis import synthesise
from archgym_simulators.tpe.workloads import workload

SKIPPING = {"architecture": "matrix", "opt1": True, "opt2": True, "opt3": True}
WIDTHS = (16, 24, 32, 40, 48)


def toy_cell(name, area, function, inputs, resistance):
    """A cell whose delay is an own part and one that grows with the load, the same for rise and fall."""
    loads, slews = (0.0, 1.0), (0.0, 1.0)
    table = ", ".join(f'"{0.05 + resistance * loads[0]}, {0.05 + resistance * loads[1]}"' for _ in slews)
    arcs = ""
    for pin in inputs:
        tables = "".join(
            f"{kind}(grid) {{ values({table}); }} "
            for kind in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
        )
        arcs += f'timing() {{ related_pin : "{pin}"; timing_sense : non_unate; {tables}}} '
    pins = " ".join(f"pin({pin}) {{ direction : input; capacitance : 0.01; }}" for pin in inputs)
    return (
        f"cell({name}) {{ area : {area}; {pins} "
        f'pin(Y) {{ direction : output; max_capacitance : 1.0; function : "{function}"; {arcs}}} }}\n'
    )


TOY = (
    'library(toy) { delay_model : table_lookup; time_unit : "1ns"; capacitive_load_unit(1, pf);\n'
    "lu_table_template(grid) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance; "
    'index_1("0, 1"); index_2("0, 1"); }\n'
    + toy_cell("INV", 2, "!A", "A", 1.0)
    + toy_cell("BUF", 3, "A", "A", 0.5)
    + toy_cell("NAND2", 3, "!(A & B)", "AB", 1.5)
    + toy_cell("NOR2", 3, "!(A | B)", "AB", 1.5)
    + toy_cell("XOR2", 6, "(A ^ B)", "AB", 2.0)
    + 'cell(DFF) { area : 12; ff(IQ, IQN) { clocked_on : "C"; next_state : "D"; } '
    "pin(C) { direction : input; clock : true; capacitance : 0.01; } pin(D) { direction : input; capacitance : 0.01; } "
    'pin(Q) { direction : output; function : "IQ"; } }\n}\n'
)


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy.lib"
    path.write_text(TOY)
    return path


@pytest.fixture(autouse=True)
def _fresh():
    synthesis._reports.clear()


@pytest.fixture
def _tool():
    try:
        find_yosys()
    except MissingExtra as error:
        pytest.skip(str(error))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty temporary directory."""
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def program(tmp_path, then, version="9.99"):
    """A stand-in for Yosys that says its version, and for any other script does ``then``."""
    path = tmp_path / f"yosys-{version}"
    path.write_text(
        "#!/bin/sh\n"
        f"if grep -q version.txt script.ys; then echo 'Yosys {version} (stand-in)' > version.txt; exit 0; fi\n"
        f"{then}\n"
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.usefixtures("_tool")
def test_a_library_gives_area_delay_and_cells(toy):
    report = synthesise(TpeDesign(accumulator_bits=16), liberty=toy, a_bits=4, b_bits=4)
    assert report.encoder is None
    assert report.flip_flops == report.pe.cells["DFF"] == 4 + 4 + 16
    weights = {"INV": 2, "BUF": 3, "NAND2": 3, "NOR2": 3, "XOR2": 6, "DFF": 12}
    assert report.area_um2 == pytest.approx(sum(weights[name] * n for name, n in report.pe.cells.items()))
    assert report.cells == sum(report.pe.cells.values())
    assert report.delay_ns > 0.5
    assert report.luts is None


@pytest.mark.usefixtures("_tool")
def test_without_a_library_there_are_look_up_tables_and_flip_flops(toy):
    report = synthesise(TpeDesign(opt1=True, accumulator_bits=16), a_bits=4, b_bits=4)
    assert (report.area_um2, report.delay_ns, report.library) == (None, None, "")
    assert report.luts > 30
    # The two lowest carry bits are always 0: two of the last three words are carries.
    assert report.flip_flops == 4 + 4 + 2 * 16 - 2


@pytest.mark.usefixtures("_tool")
def test_an_encoder_outside_of_the_pe_is_reported_beside_it(toy):
    design = TpeDesign(**SKIPPING, encoder_placement="group", lanes=2, accumulator_bits=12, skip_group=4)
    report = synthesise(design, liberty=toy, a_bits=4, b_bits=4)
    assert report.encoders == 2
    assert report.area_um2 == report.pe.area_um2 + 2 * report.encoder.area_um2
    assert report.delay_ns == report.pe.delay_ns


@pytest.mark.usefixtures("_tool")
def test_an_encoder_of_wires_alone_costs_nothing(toy):
    report = synthesise(TpeDesign(encoding="tc-serial", encoder_placement="column"), liberty=toy, a_bits=4, b_bits=4)
    assert (report.encoder.area_um2, report.encoder.delay_ns, report.encoder.cells) == (0.0, 0.0, {})


@pytest.mark.usefixtures("_tool")
def test_carry_save_accumulation_makes_the_delay_independent_of_the_accumulator(toy):
    delays = np.array([synthesise(TpeDesign(opt1=True, accumulator_bits=w), liberty=toy).delay_ns for w in WIDTHS])
    assert np.abs(delays / delays.mean() - 1).max() <= 0.05
    ends = (TpeDesign(final_adder="ripple", accumulator_bits=width) for width in (16, 48))
    narrow, wide = (synthesise(design, liberty=toy).delay_ns for design in ends)
    assert wide / narrow >= 1.6


@pytest.mark.usefixtures("_tool")
def test_the_same_with_the_cells_of_osu018():
    try:
        liberty_file("osu018")
    except InputError as error:
        pytest.skip(str(error))
    designs = [TpeDesign(opt1=True, accumulator_bits=width) for width in WIDTHS]
    delays = np.array([synthesise(design, liberty="osu018").delay_ns for design in designs])
    assert np.abs(delays / delays.mean() - 1).max() <= 0.05
    ends = (TpeDesign(final_adder="ripple", accumulator_bits=width) for width in (16, 48))
    narrow, wide = (synthesise(design, liberty="osu018").delay_ns for design in ends)
    assert wide / narrow >= 1.6


@pytest.mark.usefixtures("_tool")
def test_a_report_is_made_once_for_the_same_content(toy, tmp_path, monkeypatch):
    design = TpeDesign(accumulator_bits=12)
    folder = tmp_path / "reports"
    first = synthesise(design, liberty=toy, a_bits=3, b_bits=3, cache_folder=folder)
    assert len(list(folder.iterdir())) == 1
    synthesis._reports.clear()
    monkeypatch.setattr(yosys_module.Yosys, "run", None)
    same = TpeDesign(accumulator_bits=12, rows=4, k_tile=8, frequency_ghz=2.0)
    assert synthesise(same, liberty=toy, a_bits=3, b_bits=3, cache_folder=folder) == first
    toy.write_text(TOY.replace("area : 12", "area : 13"))
    with pytest.raises(TypeError):
        synthesise(design, liberty=toy, a_bits=3, b_bits=3, cache_folder=folder)


@pytest.mark.usefixtures("_tool")
def test_a_torn_report_is_made_anew(toy, tmp_path):
    design = TpeDesign(accumulator_bits=12)
    first = synthesise(design, liberty=toy, a_bits=3, b_bits=3, cache_folder=tmp_path / "reports")
    (stored,) = (tmp_path / "reports").iterdir()
    stored.write_text(stored.read_text()[:50])
    synthesis._reports.clear()
    assert synthesise(design, liberty=toy, a_bits=3, b_bits=3, cache_folder=tmp_path / "reports") == first


@pytest.mark.usefixtures("_tool")
def test_nothing_is_left_in_the_temporary_directory(toy, folder):
    synthesise(TpeDesign(accumulator_bits=8), liberty=toy, a_bits=2, b_bits=2)
    assert not list(folder.iterdir())


def test_a_synthesis_that_hangs_is_killed_with_its_children(tmp_path, toy, folder):
    pid = tmp_path / "pid"
    hanging = program(tmp_path, f"sleep 300 & echo $! > {pid}; touch left-behind; wait")
    with pytest.raises(SimulationFailed, match=r"^yosys: no result within 1 s; killed$"):
        synthesise(TpeDesign(), liberty=toy, program=hanging, time_limit_s=1.0)
    assert not list(folder.iterdir())
    assert not is_running(int(pid.read_text()))


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    return state != "Z"


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ("echo 'ERROR: syntax error' >&2; exit 1", "yosys: ERROR: syntax error"),
        ("exit 0", "yosys: exit status 0"),
        ("for m in pe; do echo 'no statistics' > $m.stat; echo > $m.abc; done", "its statistics of pe cannot be read"),
        (
            """printf '%s' '{"modules": {"\\\\pe": {"num_cells_by_type": {"A": 1}}}}' > pe.stat; echo > pe.abc""",
            "no area or no",
        ),
    ],
)
def test_what_yosys_says_is_one_line(tmp_path, toy, folder, then, message):
    with pytest.raises(SimulationFailed, match=message) as error:
        synthesise(TpeDesign(), liberty=toy, program=program(tmp_path, then))
    assert "\n" not in str(error.value)
    assert not list(folder.iterdir())


def test_another_version_of_the_tool_makes_its_own_report(tmp_path, toy):
    def area(version, cells):
        found = f"""'{{"modules": {{"\\\\pe": {{"num_cells_by_type": {{"A": 1}}, "area": {cells}}}}}}}'"""
        then = f"printf '%s' {found} > pe.stat; echo 'Delay = 100 ps' > pe.abc"
        return synthesise(TpeDesign(), liberty=toy, program=program(tmp_path, then, version)).area_um2

    assert [area("9.98", 5), area("9.99", 6), area("9.98", 7)] == [5.0, 6.0, 5.0]


def test_the_model_agrees_that_carry_save_accumulation_is_independent_of_the_accumulator():
    work = workload("gemm:64x64x64@int8")
    kinds = ({"opt1": True}, {"final_adder": "ripple"})
    carry_save, ripple = (
        evaluate([TpeDesign(accumulator_bits=width, **kind) for width in WIDTHS], work).column("shortest_period_ns")
        for kind in kinds
    )
    assert np.abs(carry_save / carry_save.mean() - 1).max() <= 0.05
    assert ripple[-1] / ripple[0] >= 1.6


def test_a_missing_tool_is_one_line_with_what_to_install(tmp_path, toy, monkeypatch):
    with pytest.raises(InputError, match="yosys: no program 'no-such-yosys' on PATH"):
        synthesise(TpeDesign(), liberty=toy, program="no-such-yosys")
    monkeypatch.setattr(yosys_module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra, match=r"pip install 'archgym\[synthesis\]'"):
        synthesise(TpeDesign(), liberty=toy)


def test_a_program_that_is_not_yosys_is_told(toy):
    with pytest.raises(SimulationFailed, match="does not run"):
        synthesise(TpeDesign(), liberty=toy, program="true")


def test_a_missing_library_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"no file 'osu18'; did you mean 'osu018'\?; a path, or one of osu018"):
        liberty_file("osu18")
    monkeypatch.setitem(liberty_module.DEBIAN_LIBRARIES, "osu018", tmp_path / "none.lib")
    with pytest.raises(InputError, match="apt-get install qflow-tech-osu018"):
        liberty_file("osu018")


@pytest.mark.parametrize(
    ("text", "message"),
    [("not a library", "no cells; is it a Liberty file"), (TOY.replace('"!A"', '"A"'), "no inverter among 6 cells")],
)
def test_a_file_that_is_no_usable_library_is_told(tmp_path, text, message):
    path = tmp_path / "wrong.lib"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        synthesise(TpeDesign(), liberty=path, program=program(tmp_path, "exit 0"))


def test_the_inverter_that_drives_inputs_is_of_middle_size():
    text = "".join(toy_cell(f"INVX{n}", 2 * n, "!A", "A", 1.0) for n in (1, 8, 2, 4))
    assert typical_inverter(text, "here").name == "INVX4"
    assert typical_inverter(text, "here").capacitance == 0.01
