"""What the packages offer, pinned: adding or removing a name is a decision."""

import importlib
import types

import pytest

import archgym
import archgym.testing
import archgym_simulators

ARCHGYM = [
    "Agent",
    "ArchgymError",
    "AskTell",
    "Budget",
    "ContinuousView",
    "DesignEnv",
    "DesignVectorEnv",
    "DictView",
    "EditView",
    "InputError",
    "MissingExtra",
    "Problem",
    "ProblemSpec",
    "ScoredEvaluation",
    "SearchResult",
    "SequentialView",
    "Session",
    "SessionOver",
    "Settings",
    "evaluate",
    "load_dataset",
    "make_session",
    "parallel_env",
    "register",
    "search",
    "setting",
]
SIMULATORS = [
    "ArchgymError",
    "Baseline",
    "Categorical",
    "Constraint",
    "Design",
    "DesignSpace",
    "Evaluation",
    "FAILED",
    "Factors",
    "Family",
    "INVALID",
    "InertWhen",
    "InputError",
    "Integer",
    "Metric",
    "MissingExtra",
    "NamedObjective",
    "OK",
    "Ordinal",
    "Parameter",
    "Permutation",
    "Reason",
    "STATUS_NAMES",
    "SimulationFailed",
    "Simulator",
    "Workload",
    "builtin_families",
    "load_simulator_class",
    "parameter_from_json",
]


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (archgym, ARCHGYM),
        (archgym_simulators, SIMULATORS),
        (archgym.testing, ["check_agent", "check_env", "check_simulator"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_exported_names_are_pinned_and_exist(package, names):
    assert sorted(package.__all__) == sorted(names)
    for name in names:
        assert getattr(package, name) is not None
        assert not isinstance(getattr(package, name), types.ModuleType), name
    with pytest.raises((AttributeError, ImportError)):
        package.no_such_name  # noqa: B018


def test_an_exported_name_is_the_one_of_its_module():
    for name, home in archgym._HOMES.items():
        assert getattr(archgym, name) is getattr(importlib.import_module(home), name)
    assert set(archgym._HOMES) | {"register"} == set(archgym.__all__)
    assert set(ARCHGYM) <= set(dir(archgym))
