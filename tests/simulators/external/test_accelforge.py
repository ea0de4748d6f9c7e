"""AccelForge as a second opinion: what is written for it, what is asked of it, and, where it installs, its answers."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from archgym_simulators.errors import InputError, MissingExtra, SimulationFailed
from archgym_simulators.external.accelforge import find_accelforge
from archgym_simulators.external.accelforge_files import charged_words, specification, unsupported
from archgym_simulators.layers.layer import conv, gemm
from archgym_simulators.mapping.model import LayerMapping, simulate
from archgym_simulators.mapping.presets import hardware_named

PRODUCT = gemm("g", 64, 32, 48)
TILED = LayerMapping(
    dram={"N": 4, "C": 2},
    dram_order=("N", "C"),
    glb={"K": 4},
    x={"K": 8},
    y={"C": 4},
    pe={"N": 16, "C": 6},
)
PYTHON = os.environ.get("ARCHGYM_ACCELFORGE_PYTHON")
# AccelForge 1.0.467: words read and written at PE, global buffer and DRAM; weights, inputs, outputs.
PRINTED = [
    [[98_304, 6_144], [98_304, 24_576], [106_496, 106_496]],
    [[6_144, 6_144], [3_072, 3_072], [4_096, 4_096]],
    [[6_144, 0], [3_072, 0], [0, 2_048]],
]


@pytest.fixture(scope="module")
def tool():
    try:
        return find_accelforge(PYTHON)
    except MissingExtra as error:
        pytest.skip(f"set ARCHGYM_ACCELFORGE_PYTHON to a Python with AccelForge: {error}")


@pytest.fixture
def stand_in(tmp_path):
    """An interpreter that calls itself AccelForge's, and answers as it is told."""

    def make(answer):
        program = tmp_path / "python"
        driven = f"open('answers.json', 'w').write({answer!r})" if answer is not None else "sys.exit('out of memory')"
        program.write_text(
            f"#!{sys.executable}\nimport sys\nif sys.argv[1] == '-c': print('1.0.467')\nelse: {driven}\n"
        )
        program.chmod(0o755)
        return find_accelforge(str(program))

    return make


def test_our_words_become_those_that_it_charges():
    counts = simulate(PRODUCT, hardware_named("reference-256"), [TILED]).counts[0]
    assert charged_words(counts, TILED).tolist() == PRINTED


def test_sums_that_pass_the_global_buffer_by_leave_the_pes_for_dram():
    bypassing = LayerMapping(dram={"N": 64, "K": 32}, y={"C": 4}, pe={"C": 12}, keep_glb=("weights", "inputs"))
    counts = simulate(PRODUCT, hardware_named("reference-256"), [bypassing]).counts[0]
    words = charged_words(counts, bypassing)
    assert words[1, 2].tolist() == [0, 0]
    assert words[0, 2, 0] - counts[0, 2, 0] == 4 * 64 * 32


def test_a_tensor_is_held_above_the_loops_that_do_not_touch_it():
    text = specification(PRODUCT, hardware_named("reference-256"), TILED)
    nodes = [line.strip() for line in text.split("mapping:")[1].splitlines() if line.strip().startswith("- !")]
    assert nodes == [
        "- !Storage {tensors: [weights, inputs, outputs], component: dram0}",
        "- !Temporal {rank_variable: n, tile_shape: 16}",
        "- !Storage {tensors: [outputs], component: glb0}",
        "- !Temporal {rank_variable: c, tile_shape: 24}",
        "- !Storage {tensors: [weights], component: glb0}",
        "- !Storage {tensors: [inputs], component: glb0}",
        "- !Spatial {rank_variable: k, tile_shape: 4, name: x, component: array}",
        "- !Spatial {rank_variable: c, tile_shape: 6, name: y, component: array}",
        "- !Storage {tensors: [inputs], component: pe0}",
        "- !Temporal {rank_variable: k, tile_shape: 1}",
        "- !Storage {tensors: [weights], component: pe0}",
        "- !Storage {tensors: [outputs], component: pe0}",
        "- !Temporal {rank_variable: n, tile_shape: 1}",
        "- !Temporal {rank_variable: c, tile_shape: 1}",
        "- !Compute {einsum: layer, component: mac}",
    ]


def test_a_tile_of_a_pe_that_outlasts_its_buffer_has_no_notation():
    outlasting = LayerMapping(dram={"N": 64}, pe={"K": 32, "C": 48})
    assert unsupported(outlasting) == (
        "a PE holds its weights while the loop over N off the chip runs: PEs lie inside it"
    )
    assert unsupported(TILED) == ""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="AccelForge may be installed")
def test_an_older_python_is_told_what_to_do():
    with pytest.raises(MissingExtra, match=r"needs Python 3\.12 or later, and this is 3\.11\.\d+; .* run: pip install"):
        find_accelforge()


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="AccelForge may be installed")
def test_an_interpreter_without_it_is_named():
    with pytest.raises(MissingExtra, match=r"has no accelforge \(ModuleNotFoundError: .*run: pip install 'archgym"):
        find_accelforge(sys.executable)


def test_an_interpreter_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="accelforge: no program '/nowhere/python'"):
        find_accelforge("/nowhere/python")


def test_mappings_are_checked_before_it_is_started(stand_in):
    tool = stand_in(None)
    with pytest.raises(InputError, match="factors of N must multiply to 64, not 2x1x1x1x1 = 2"):
        tool.evaluate(PRODUCT, hardware_named("reference-256"), [LayerMapping(dram={"N": 2})])
    with pytest.raises(InputError, match="mapping 1 is not in AccelForge's notation: a PE holds its weights"):
        tool.evaluate(
            PRODUCT, hardware_named("reference-256"), [TILED, LayerMapping(dram={"N": 64}, pe={"K": 32, "C": 48})]
        )


def test_its_refusals_and_crashes_are_one_line(stand_in):
    for answer, complaint in (
        ('[{"error": "ValueError: no such rank"}]', "accelforge refuses mapping 0: ValueError: no such rank"),
        (None, "accelforge: out of memory"),
    ):
        with pytest.raises(SimulationFailed, match=complaint):
            stand_in(answer).evaluate(PRODUCT, hardware_named("reference-256"), [TILED])


def test_accelforge_counts_what_we_count(tool):
    hardware = hardware_named("eyeriss-like")
    pointwise = conv("pointwise", 14, channels=(32, 48), kernel=1)
    mapping = LayerMapping(
        dram={"P": 14, "C": 4},
        dram_order=("P", "C"),
        glb={"Q": 7, "K": 6},
        glb_order=("K", "Q"),
        x={"Q": 2, "K": 4},
        y={"C": 4},
        pe={"K": 2, "C": 2},
        keep_glb=("inputs", "outputs"),
    )
    counts = simulate(pointwise, hardware, [mapping]).counts[0]
    (found,) = tool.evaluate(pointwise, hardware, [mapping])
    assert charged_words(counts, mapping).tolist() == found.words.tolist()
    (product,) = tool.evaluate(PRODUCT, hardware_named("reference-256"), [TILED])
    assert product.words.tolist() == PRINTED
    assert np.isclose(product.energy_pj, 2_810_880.0)
    assert product.cycles == 3_072.0


def test_what_neighbouring_windows_share_it_fetches_again(tool):
    windows = conv("windows", (8, 1), channels=(1, 4), kernel=(3, 1))
    mapping = LayerMapping(dram={"P": 4}, pe={"K": 4, "P": 2, "R": 3}, keep_pe=("inputs", "outputs"))
    counts = simulate(windows, hardware_named("reference-256"), [mapping]).counts[0]
    (found,) = tool.evaluate(windows, hardware_named("reference-256"), [mapping])
    ours = charged_words(counts, mapping)
    assert ours[:, 0].tolist() == found.words[:, 0].tolist()
    assert ours[:, 2].tolist() == found.words[:, 2].tolist()
    assert (ours[2, 1, 0], found.words[2, 1, 0]) == (10, 4 * 4)
