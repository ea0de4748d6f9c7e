"""The examples in the docstrings hold."""

import doctest
import importlib
import pkgutil

import pytest

import archgym.statistics as package


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(package.__path__)])
def test_examples_hold(name):
    assert doctest.testmod(importlib.import_module(f"archgym.statistics.{name}")).failed == 0
