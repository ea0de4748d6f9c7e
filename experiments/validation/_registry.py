"""Which tables are known, and which module compares them."""

from __future__ import annotations

__all__ = ["PROMISED", "Promise", "check_only", "comparator_of", "families", "matches_only", "promise_of"]

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache

import experiments.validation
from archgym_simulators.errors import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean
from experiments.validation._comparator import Comparator


@dataclass(frozen=True)
class Promise:
    """A table that the project promises to compare, whether or not its simulator is there yet."""

    prefix: str
    simulator: str


PROMISED = (
    Promise("dram/dramsys_other_devices", "DRAM"),
    Promise("dram/dramsys_dev", "DRAM"),
    Promise("dram/dramsys_heldout", "DRAM"),
    Promise("dnn/scalesim", "Systolic"),
    Promise("dnn/mapping_ref_nolink", "Mapping"),
    Promise("dnn/mapping_ref", "Mapping"),
    Promise("dnn/maestro_gamma_random", "Maestro"),
    Promise("dnn/maestro", "Maestro"),
    Promise("dnn/fusemax_attn", "Attention"),
    Promise("tpe/mhe_tpe_table5", "TPE"),
    Promise("tpe/mhe_tpe_table6", "TPE"),
    Promise("tpe/mhe_tpe_table8", "TPE"),
    Promise("tpe/sync_utilisation", "TPE"),
    Promise("tpe/hptpe_saed32", "TPE"),
    Promise("nas/hawqv3", "Quantisation"),
    Promise("nas/nb201_baselines", "NAS"),
    Promise("nas/nb201_published", "NAS"),
    Promise("soc/farsi_dev", "SoC"),
    Promise("soc/farsi_heldout", "SoC"),
    Promise("soc/astrasim_collectives", "Collective"),
    Promise("soc/llm_training_published", "Training"),
)


@cache
def families() -> tuple[str, ...]:
    """Names of the family modules: those of this package without a leading underscore."""
    names = (module.name for module in pkgutil.iter_modules(experiments.validation.__path__))
    return tuple(sorted(name for name in names if not name.startswith("_")))


@cache
def _comparators(family: str) -> tuple[Comparator, ...]:
    # One module at a time: a family whose extra is not installed must not stop the others.
    module = importlib.import_module(f"experiments.validation.{family}")
    return tuple(module.COMPARATORS)


def comparator_of(key: str) -> Comparator | None:
    """Return the comparator with the longest prefix of ``folder/file name``, or None."""
    family = key.partition("/")[0]
    if family not in families():
        return None
    return max(
        (comparator for comparator in _comparators(family) if key.startswith(comparator.prefix)),
        key=lambda comparator: len(comparator.prefix),
        default=None,
    )


def promise_of(key: str) -> Promise | None:
    """Return the promise with the longest prefix of ``folder/file name``, or None."""
    found = (promise for promise in PROMISED if key.startswith(promise.prefix))
    return max(found, key=lambda promise: len(promise.prefix), default=None)


def check_only(only: str) -> None:
    """Refuse a name that `--only` cannot select.

    Raises:
        InputError: one line with the name, the allowed ones and the nearest match.
    """
    folders = {*families(), *(promise.prefix.partition("/")[0] for promise in PROMISED)}
    simulators = {promise.simulator for promise in PROMISED}
    allowed = [*sorted(folders), *sorted(simulators)]
    if only.lower() not in (name.lower() for name in allowed):
        raise InputError(
            f"unknown family {only!r}; allowed are {allowed_values(allowed, most=30)}{did_you_mean(only, allowed)}"
        )


def matches_only(only: str | None, *, prefix: str, simulator: str) -> bool:
    """Whether a table is wanted; ``only`` names a family (a folder) or a simulator, in either case."""
    return only is None or only.lower() in (prefix.partition("/")[0].lower(), simulator.lower())
