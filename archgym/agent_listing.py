"""What agents there are, from their files."""

from __future__ import annotations

__all__ = ["AgentEntry", "describe_agents"]

import ast
import importlib.util
import inspect
from dataclasses import dataclass
from pathlib import Path

from archgym.agent import refuse_several_objectives
from archgym.registry import agent_class, agent_names


@dataclass(frozen=True)
class AgentEntry:
    """One line of ``archgym list agents``.

    Attributes:
        name: what ``--agent`` takes.
        description: first sentence of the module.
        extra: the optional dependency group that it needs, or "".
        several_objectives: whether it takes more than one; False where that is not known.
    """

    name: str
    description: str
    extra: str
    several_objectives: bool = False


def describe_agents() -> list[AgentEntry]:
    """Every agent by name."""
    return [_describe(name) for name in agent_names()]


def _describe(name: str) -> AgentEntry:
    found = importlib.util.find_spec(f"archgym_agents.{name}") if name.isidentifier() else None
    if found is None or found.origin is None:
        return AgentEntry(name, "installed by another package", "")
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    paragraph = " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split())
    return AgentEntry(name, paragraph, _required_extra(tree), _takes_several_objectives(name))


def _takes_several_objectives(name: str) -> bool:
    """Agents for one objective begin their `create` with `archgym.agent.refuse_several_objectives`."""
    return refuse_several_objectives.__name__ not in inspect.getsource(agent_class(name).create)


def _required_extra(tree: ast.Module) -> str:
    """The value of ``REQUIRES = "rl"`` in the module or in one of its classes."""
    places = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    for node in (node for place in places for node in place):
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "REQUIRES" for target in targets):
                return str(node.value.value)
    return ""
