"""Simulated designs of the toy with every parameter kind, and a proxy of them."""

import pytest

import archgym
from archgym.datasets import Dataset
from archgym.proxies import fit, save_proxy
from archgym.testing import toys

BOWL = f"{toys.__file__}:Bowl"


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Dataset:
    """Random designs of both workloads."""
    folder = tmp_path_factory.mktemp("searches")
    for seed, workload in enumerate(("default", "large")):
        archgym.search(BOWL, "random_search", budget=700, seed=seed, workload=workload, out=folder / workload)
    return Dataset.load([folder / "default", folder / "large"])


@pytest.fixture(scope="session")
def one_workload(data) -> Dataset:
    """The designs on the default workload."""
    return data.take(data.workload_index == 0)


@pytest.fixture(scope="session")
def proxy(data):
    """Of all metrics, on both workloads."""
    return fit(data, settings={"trees": 60}, seed=3)


@pytest.fixture
def folder(proxy, tmp_path):
    """The proxy on disk."""
    return save_proxy(proxy, tmp_path / "proxy")
