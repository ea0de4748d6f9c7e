"""Toys by id."""

from collections.abc import Callable

import pytest

from archgym.testing import toys


@pytest.fixture
def toy() -> Callable[[str], str]:
    """The id of a toy, as a path: nothing is registered, so no test sees another's."""
    return lambda name: f"{toys.__file__}:{name}"


@pytest.fixture
def bowl(toy: Callable[[str], str]) -> str:
    """The id of the toy with every parameter kind."""
    return toy("Bowl")
