"""Cost models of computer architectures: designs and a workload in, metrics out. They have never heard of gym."""

from archgym_simulators.constraints import Constraint, InertWhen, Reason
from archgym_simulators.errors import ArchgymError, InputError, MissingExtra, SimulationFailed
from archgym_simulators.evaluation import FAILED, INVALID, OK, STATUS_NAMES, Evaluation
from archgym_simulators.family import Family, builtin_families, load_simulator_class
from archgym_simulators.parameters import Categorical, Integer, Ordinal, Parameter
from archgym_simulators.simulator import Baseline, Metric, NamedObjective, Simulator, Workload
from archgym_simulators.space import Design, DesignSpace
from archgym_simulators.structured_parameters import Factors, Permutation, parameter_from_json

__all__ = [
    "FAILED",
    "INVALID",
    "OK",
    "STATUS_NAMES",
    "ArchgymError",
    "Baseline",
    "Categorical",
    "Constraint",
    "Design",
    "DesignSpace",
    "Evaluation",
    "Factors",
    "Family",
    "InertWhen",
    "InputError",
    "Integer",
    "Metric",
    "MissingExtra",
    "NamedObjective",
    "Ordinal",
    "Parameter",
    "Permutation",
    "Reason",
    "SimulationFailed",
    "Simulator",
    "Workload",
    "builtin_families",
    "load_simulator_class",
    "parameter_from_json",
]
