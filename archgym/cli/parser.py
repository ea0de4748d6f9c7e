"""Arguments: argparse whose every complaint is one line with the value, what is allowed and the nearest match."""

from __future__ import annotations

__all__ = ["Parser", "number_type", "one_of"]

import argparse
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from archgym_simulators import InputError
from archgym_simulators.nearest import allowed_values, did_you_mean


class Parser(argparse.ArgumentParser):
    """The parser of one command. Wrong input raises `InputError`; options cannot be abbreviated."""

    def __init__(self, command: str, description: str, examples: Sequence[str] = ()) -> None:
        epilog = "examples:\n" + "\n".join(f"  archgym {example}" for example in examples) if examples else None
        super().__init__(
            prog=f"archgym {command}",
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._command = command

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse a command's arguments.

        Raises:
            InputError: for an unknown option, a missing or superfluous argument, or a wrong value.
        """
        unknown = [a for a in arguments if re.match(r"--\w", a) and a.split("=")[0] not in self._option_strings]
        if unknown:
            # Before argparse complains that something is missing, which would hide the misspelling.
            self._refuse(unknown[0])
        known, rest = self.parse_known_args(list(arguments))
        if rest:
            self._refuse(rest[0])
        return known

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into ours."""
        missing = re.match(r"the following arguments are required: (.*)", message)
        if missing:
            raise InputError(f"{self._command} needs {missing[1]}; see archgym {self._command} --help")
        named = re.match(r"argument ([^\s:/]+)(?:/\S+)?: (.*)", message, re.DOTALL)
        raise InputError(f"{named[1]} {named[2]}" if named else message)

    @property
    def _option_strings(self) -> list[str]:
        return [text for action in self._actions for text in action.option_strings]

    def _refuse(self, argument: str) -> NoReturn:
        if not argument.startswith("-"):
            raise InputError(f"unexpected argument {argument!r}; see archgym {self._command} --help")
        name, allowed = argument.split("=")[0], [text for text in self._option_strings if text.startswith("--")]
        raise InputError(
            f"unknown option {name!r} for {self._command}{did_you_mean(name, allowed)}; allowed: {', '.join(allowed)}"
        )


def one_of(values: Sequence[str]) -> Callable[[str], str]:
    """A type for an argument that takes one of a few words."""

    def check(text: str) -> str:
        if text not in values:
            raise argparse.ArgumentTypeError(
                f"must be one of {allowed_values(values)}, not {text!r}{did_you_mean(text, values)}"
            )
        return text

    return check


def number_type(low: int, high: int = 2**63 - 1) -> Callable[[str], int]:
    """A type for an argument that takes a whole number between ``low`` and ``high``."""

    def check(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {low}, not {text!r}") from None
        if value < low:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {low}, not {text}")
        if value > high:
            raise argparse.ArgumentTypeError(f"must be at most {high}, not {text}")
        return value

    return check
