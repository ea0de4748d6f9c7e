"""``archgym data``: tables of published benchmarks that the user has."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
from pathlib import Path
from typing import Any

from archgym.cli import text
from archgym.cli.parser import Parser, one_of
from archgym_simulators import InputError, MissingExtra
from archgym_simulators.nas.official_store import KINDS, data_folder, load_table

ACTIONS = ("import", "list")


def parser() -> Parser:
    """Arguments of ``archgym data``."""
    made = Parser(
        "data",
        "Import a published benchmark that you have: read it without running anything in it, check it, and keep it as\n"
        f"one small Parquet file in {data_folder()} (or --out, $ARCHGYM_DATA). list says what is imported.\n"
        "Kinds: " + ";\n  ".join(f"{name}: {kind.sources}" for name, kind in KINDS.items()) + ".",
        [
            "data import nats-tss NATS-tss-v1_0-3ffb9-simple",
            "data import hw-nas-bench HW-NAS-Bench-v1_0.pickle",
            "data list",
        ],
    )
    made.add_argument("action", metavar="ACTION", type=one_of(ACTIONS), help=" or ".join(ACTIONS))
    made.add_argument("kind", metavar="KIND", nargs="?", help=f"what to import: {', '.join(KINDS)}")
    made.add_argument("path", metavar="PATH", nargs="?", type=Path, help="the file or folder that you have")
    made.add_argument("--out", metavar="DIR", type=Path, help="folder of imported tables, instead of your own")
    made.add_argument("--json", action="store_true", help="for programs")
    return made


def run(arguments: argparse.Namespace) -> int:
    """Import, or list what is imported."""
    if arguments.action == "list":
        if arguments.kind is not None:
            raise InputError(f"data list takes no kind, found {arguments.kind!r}")
        found = _imported(arguments.out)
        print(
            text.as_json(found) if arguments.json else text.table([[e["kind"], e["status"], e["note"]] for e in found])
        )
        return 0
    done = _import(arguments)
    print(text.as_json(done) if arguments.json else _in_words(done))
    return 0


def _import(arguments: argparse.Namespace) -> dict[str, Any]:
    from archgym_simulators.nas.official_imports import check_kind, import_data

    kind, path, folder = arguments.kind, arguments.path, arguments.out
    if kind is None or path is None:
        raise InputError(f"data import needs KIND and PATH; kinds: {', '.join(KINDS)}")
    check_kind(kind)
    with text.ProgressLine() as line:
        done = import_data(
            kind, path, folder=folder, progress=lambda part, all_: line.show(f"{kind}: {part:,} of {all_:,} read")
        )
    return {
        "kind": kind,
        "path": str(done.path),
        "rows": done.rows,
        "columns": list(done.columns),
        **_errors(done.notes),
    }


def _errors(notes: dict[str, Any]) -> dict[str, Any]:
    return {"errors": notes["errors"]} if "errors" in notes else {}


def _in_words(done: dict[str, Any]) -> str:
    lines = [f"Imported {done['kind']}: {done['rows']:,} rows, {len(done['columns'])} columns, in {done['path']}"]
    if "errors" in done:
        lines.append("On designs that the surrogate was not fitted to:")
        rows = [
            [name, f"{one['r2']:.4f}", f"{one['kendall']:.4f}", f"{one['mae']:.4g}", f"{one['rows']}"]
            for name, one in done["errors"].items()
        ]
        lines.append(text.table(rows, ("target", "R2", "Kendall", "mean abs. error", "rows")))
    return "\n".join(lines)


def _imported(folder: Path | None) -> list[dict[str, Any]]:
    found = []
    for name, kind in KINDS.items():
        try:
            manifest = load_table(name, folder, wanted_by="archgym data list").manifest
            status, note = (
                "imported",
                f"{manifest['source']}, SHA-256 {manifest['sha256'][:12]}...; {manifest['licence']}",
            )
        except MissingExtra:
            status, note = "missing", f"read from {kind.sources}"
        except InputError as error:
            status, note = "damaged", str(error)
        found.append({"kind": name, "status": status, "note": note, "about": kind.about})
    return found
