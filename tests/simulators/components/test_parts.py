"""Costs of SRAM against the rows of CACTI's table that they are made of, and in between."""

from __future__ import annotations

import numpy as np
import pytest

from archgym_simulators.components.parts import NODES, SRAM_DEPTHS, WIDE_DEPTHS, sram_cost, wide_sram_cost

QUANTITIES = ("read_pj", "write_pj", "area_um2", "leak_uw")


@pytest.mark.parametrize("nm", sorted(NODES))
def test_tabulated_macros_cost_what_the_table_says(nm):
    node = NODES[nm]
    narrow = wide_sram_cost(node, np.array(SRAM_DEPTHS), width=1)
    wide = wide_sram_cost(node, np.array(WIDE_DEPTHS), width=4)
    for name in QUANTITIES:
        assert getattr(narrow, name) == pytest.approx(getattr(sram_cost(node, np.array(SRAM_DEPTHS)), name))
        assert getattr(wide, name) == pytest.approx(node.wide_sram[name])


@pytest.mark.parametrize("nm", sorted(NODES))
def test_deeper_and_wider_macros_cost_more(nm):
    depths = np.array([16.0, 100, 1000, 2048, 3000, 10_000, 65_536, 1e6])
    for name in QUANTITIES:
        costs = np.array([getattr(wide_sram_cost(NODES[nm], depths, width=width), name) for width in (1, 2, 4, 8, 64)])
        assert (np.diff(costs, axis=0) > 0).all(), name
        assert (np.diff(costs, axis=1) > 0).all(), name


def test_macros_beyond_the_table_are_as_far_off_as_said():
    four_banks = wide_sram_cost(NODES[45], np.array([65_536.0]), width=8).read_pj[0]
    eight_banks = wide_sram_cost(NODES[45], np.array([131_072.0]), width=16).read_pj[0]
    assert four_banks / 144.16 == pytest.approx(0.83, abs=0.005)
    assert eight_banks / 565.27 == pytest.approx(0.57, abs=0.01)
