"""What of a Liberty file the synthesis needs to know beyond what Yosys and ABC read themselves: a typical inverter."""

from __future__ import annotations

__all__ = ["DEBIAN_LIBRARIES", "Inverter", "liberty_file", "typical_inverter"]

import re
from dataclasses import dataclass
from pathlib import Path

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import did_you_mean

DEBIAN_LIBRARIES = {
    name: Path(f"/usr/share/qflow/tech/{name}/{name}_stdcells.lib") for name in ("osu018", "osu035", "osu050")
}
"""Libraries that Debian's packages ``qflow-tech-...`` install."""

_CELL = re.compile(r"^\s*cell\s*\(\s*\"?(\w+)\"?\s*\)", re.MULTILINE)
_AREA = re.compile(r"\barea\s*:\s*([\d.eE+-]+)")
_PIN = re.compile(r"\bpin\s*\(")
_INVERTS = re.compile(r"\bfunction\s*:\s*\"\s*\(?\s*(?:!\s*\(?\s*\w+\s*\)?|\w+\s*')\s*\)?\s*\"")
_CAPACITANCE = re.compile(r"\bcapacitance\s*:\s*([\d.eE+-]+)")


@dataclass(frozen=True)
class Inverter:
    """A cell that drives inputs and loads outputs.

    Attributes:
        name: of the cell.
        capacitance: of its input, in the library's unit.
    """

    name: str
    capacitance: float


def liberty_file(liberty: str | Path) -> Path:
    """The file of a library given by path, or by name for one of `DEBIAN_LIBRARIES`.

    Raises:
        InputError: there is no such file.
    """
    named = DEBIAN_LIBRARIES.get(str(liberty))
    if named is not None:
        if not named.is_file():
            raise InputError(
                f"liberty {liberty!s}: no {named}; run: apt-get install qflow-tech-{liberty}, or give a path"
            )
        return named
    path = Path(liberty).expanduser()
    if not path.is_file():
        names = list(DEBIAN_LIBRARIES)
        hint = did_you_mean(path.name, names)
        raise InputError(f"liberty: no file {str(liberty)!r}{hint}; a path, or one of {', '.join(names)}")
    return path


def typical_inverter(text: str, where: str) -> Inverter:
    """The inverter of middle size in the text of a Liberty file.

    Raises:
        InputError: the text has no cells, or none of them inverts.
    """
    starts = [match.start() for match in _CELL.finditer(text)]
    if not starts:
        raise InputError(f"liberty {where}: no cells; is it a Liberty file?")
    found: list[tuple[float, Inverter]] = []
    for begin, end in zip(starts, [*starts[1:], len(text)], strict=True):
        cell = text[begin:end]
        name, area = _CELL.search(cell), _AREA.search(cell)
        loads = [float(value) for value in _CAPACITANCE.findall(cell)]
        if name and area and loads and len(_PIN.findall(cell)) == 2 and _INVERTS.search(cell):
            found.append((float(area.group(1)), Inverter(name.group(1), max(loads))))
    if not found:
        raise InputError(f"liberty {where}: no inverter among {len(starts)} cells")
    found.sort(key=lambda pair: (pair[0], pair[1].name))
    return found[len(found) // 2][1]
