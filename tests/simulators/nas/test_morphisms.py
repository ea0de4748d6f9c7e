"""Edits of a cell: every neighbour has one name, and morphisms keep a function."""

import gymnasium as gym
import numpy as np
import pytest

from archgym.envs.edit_view import EditView
from archgym_simulators.errors import InputError
from archgym_simulators.nas.cells import cells_of_indices
from archgym_simulators.nas.digits_design import RESNET, cell_space
from archgym_simulators.nas.morphisms import EDITS, edit_mask, edits_of, kind_of_edit


@pytest.mark.parametrize("index", [0, 4321, 15624])
def test_all_edits_are_the_neighbours_of_the_space(index):
    cell = tuple(cells_of_indices(np.array([index]))[0].tolist())
    edits = edits_of(cell)
    neighbours = cell_space(20).neighbours(np.array(cell)).tolist()
    assert sorted(list(edit.cell) for edit in edits) == sorted(neighbours)
    assert len(edits) == 24
    by_kind = [edit for kind in EDITS for edit in edits_of(cell, (kind,))]
    assert sorted(by_kind, key=lambda edit: edit.cell) == sorted(edits, key=lambda edit: edit.cell)


def test_kinds_are_named_as_in_the_literature():
    none, skip, one, three, pool = range(5)
    assert kind_of_edit(skip, one) == kind_of_edit(skip, three) == "deepen"
    assert kind_of_edit(none, skip) == kind_of_edit(none, three) == kind_of_edit(one, three) == "widen"
    assert {kind_of_edit(three, one), kind_of_edit(skip, none), kind_of_edit(skip, pool)} == {"change"}


def test_the_mask_is_of_the_edit_views_actions(made_up):
    view = EditView(gym.make("archgym/NAS201Digits-v0", table=made_up.path, epochs=20))
    _, info = view.reset(seed=0)
    start = view.unwrapped.session.problem().simulator.baseline.row
    assert (edit_mask(start) == info["action_mask"].astype(bool)).all()
    action = int(np.flatnonzero(edit_mask(start, ("deepen",)))[0])
    _, _, _, _, after = view.step(action)
    (edit,) = [e for e in edits_of(start, ("deepen",)) if 5 * e.edge + e.operation == action]
    row = view.unwrapped.session.space.encode_row(after["design"])
    assert tuple(row.tolist()) == edit.cell
    view.close()


def test_an_unknown_edit_is_named():
    with pytest.raises(InputError, match="unknown edit 'deeper'; did you mean 'deepen'"):
        edits_of(RESNET, ("deeper",))
