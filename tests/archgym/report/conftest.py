import pytest

from tests.archgym.report.made_studies import SMALL_TASKS, made_study
from tests.archgym.report.read_sections import sections_of


@pytest.fixture(scope="module")
def mixed():
    return made_study(SMALL_TASKS, (("alpha", 1), ("beta", 3)), failed=0.1, nothing_feasible=0.1)


@pytest.fixture(scope="module")
def report(mixed):
    return sections_of(mixed)
