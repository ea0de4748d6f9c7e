"""Commands that consist of several: ``archgym dataset info ...``."""

from __future__ import annotations

__all__ = ["Action", "ActionParser"]

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from archgym.cli.parser import Parser
from archgym_simulators import InputError
from archgym_simulators.nearest import did_you_mean


@dataclass(frozen=True)
class Action:
    """One of the things that a command does.

    Attributes:
        about: in a few words.
        parser: makes its parser.
        run: does it; returns the exit status.
    """

    about: str
    parser: Callable[[], Parser]
    run: Callable[[argparse.Namespace], int]


class ActionParser(Parser):
    """The parser of a command whose first argument says what to do; the namespace has ``action``."""

    def __init__(
        self, command: str, description: str, actions: Mapping[str, Action], examples: Sequence[str] = ()
    ) -> None:
        width = max(map(len, actions)) + 2
        listed = "\n".join(f"  {name:<{width}}{action.about}" for name, action in actions.items())
        super().__init__(command, f"{description}\n\n{listed}", examples)
        self.usage = f"archgym {command} {{{','.join(actions)}}} ..."
        self._name = command
        self._actions_by_name = actions

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse an action's arguments.

        Raises:
            InputError: no action, an unknown one, or what its parser refuses.
        """
        if arguments and arguments[0] in ("-h", "--help"):
            self.print_help()
            self.exit()
        if not arguments:
            raise InputError(f"{self._name} needs one of {', '.join(self._actions_by_name)}")
        name = arguments[0]
        if name not in self._actions_by_name:
            self._unknown(name)
        namespace = self._actions_by_name[name].parser().parse(arguments[1:])
        namespace.action = name
        return namespace

    def _unknown(self, name: str) -> NoReturn:
        allowed = list(self._actions_by_name)
        raise InputError(
            f"unknown action {name!r} of {self._name}{did_you_mean(name, allowed)}; allowed: {', '.join(allowed)}"
        )
