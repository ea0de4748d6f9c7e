"""The options of a simulator, checked against its constructor before it is called."""

from __future__ import annotations

__all__ = ["STAND_IN", "check_options"]

import inspect
import json
from collections.abc import Mapping
from typing import Any

from archgym_simulators import InputError, Simulator
from archgym_simulators.nearest import did_you_mean

STAND_IN = "simulator"
_SIMPLE: dict[str, tuple[type, ...]] = {"bool": (bool,), "int": (int,), "float": (int, float), "str": (str,)}
_SIMPLE["None"] = (type(None),)


def check_options(env_id: str, built: type[Simulator], options: Mapping[str, Any]) -> None:
    """Check names, JSON-ability and, where the constructor's annotation is simple, types.

    Raises:
        InputError: naming the option, what is allowed and the nearest match.
    """
    parameters = inspect.signature(built).parameters
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    named = [p for p in list(parameters.values())[1:] if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    allowed = {parameter.name: parameter for parameter in named}
    for name, value in options.items():
        if name == STAND_IN and name not in allowed:  # any family's; see archgym.enumerations
            continue
        if name not in allowed and not takes_any:
            hint = did_you_mean(name, allowed)
            raise InputError(f"unknown option {name!r} for {env_id}{hint}; allowed: {', '.join([*allowed, STAND_IN])}")
        _check_json(name, value)
        if name in allowed:
            _check_type(name, value, allowed[name].annotation)


def _check_json(name: str, value: object) -> None:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise InputError(
            f"option {name!r} must be a JSON value (number, text, boolean, list or mapping), "
            f"not {type(value).__name__} {str(value)[:80]!r}"
        ) from None


def _check_type(name: str, value: object, annotation: object) -> None:
    annotated = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    kinds = [kind.strip() for kind in annotated.split("|")]
    if not set(kinds) <= set(_SIMPLE):
        return
    types = tuple(kind for simple in kinds for kind in _SIMPLE[simple])
    is_stray_boolean = isinstance(value, bool) and "bool" not in kinds
    if is_stray_boolean or not isinstance(value, types):
        raise InputError(f"option {name!r} must be of type {annotated}, not {value!r}")
