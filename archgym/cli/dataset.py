"""``archgym dataset``: from recorded searches to a dataset, and what to do with one."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.cli import text
from archgym.cli.actions import Action, ActionParser
from archgym.cli.parser import Parser, number_type, one_of
from archgym.cli.problem_arguments import add_options, key_values, split_constraints
from archgym.cli.search import resumable
from archgym_simulators import InputError

if TYPE_CHECKING:
    from archgym.datasets.card import Publication
    from archgym.datasets.dataset import Dataset
    from archgym.studies.engine import StudyProgress

_WAYS_TO_SPLIT = ("rows", "agent", "workload", "run", "design", "region")
_FORMATS = ("parquet", "minari", "rlds")


def parser() -> ActionParser:
    """Arguments of ``archgym dataset``."""
    return ActionParser(
        "dataset",
        "Datasets of simulated designs, from recorded searches. 'archgym dataset ACTION --help' explains an action.",
        _ACTIONS,
        [
            "dataset collect dram-mixed-time --agents random_search,genetic_algorithm --seeds 5 --out data/dram",
            "dataset info data/dram/dataset",
            "dataset export runs/study --format minari --out data/minari",
        ],
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what the first argument says."""
    return _ACTIONS[arguments.action].run(arguments)


# ---- collect ---------------------------------------------------------------------------------------------------------


def _collect_parser() -> Parser:
    made = Parser(
        "dataset collect",
        "Search with several agents, from several seeds, and keep every design that they simulate. DIR is a study's\n"
        "directory; the dataset is DIR/dataset. The same command goes on where it was interrupted.",
        [
            "dataset collect dram-mixed-time --agents random_search,genetic_algorithm --seeds 5 --out data/dram",
            "dataset collect archgym/DRAM-v0 --workload stream --workload random --agents random_search \\\n"
            "          --budget 1000 --out data/two",
        ],
    )
    made.add_argument("task", metavar="TASK|ENV_ID", help="of 'archgym list tasks' or 'archgym list envs'")
    made.add_argument("--agents", metavar="A,B,...", required=True, help="of 'archgym list agents', or paths")
    made.add_argument("--budget", metavar="N", type=number_type(1), help="simulations a run; a task has its own")
    made.add_argument("--seeds", metavar="K", type=number_type(1), default=1, help="runs of each agent; 1")
    made.add_argument("--out", metavar="DIR", type=Path, required=True, help="the directory")
    made.add_argument("--workload", metavar="W", action="append", default=[], help="of an environment; repeatable")
    made.add_argument("--objective", metavar="O", help="what agents search for; the family's default")
    made.add_argument("--constraint", metavar="C", action="append", default=[], help="a bound; repeatable")
    add_options(made)
    made.add_argument("--workers", metavar="N", type=number_type(1), default=1, help="processes on this machine; 1")
    _add_publication(made)
    return made


def _collect(arguments: argparse.Namespace) -> int:
    from archgym.datasets.collecting import collect

    with text.ProgressLine() as line, resumable(arguments.out):

        def progress(state: StudyProgress) -> None:
            line.show(f"{state.done:,} of {state.total:,} runs, {state.evaluations:,} simulations")

        found = collect(
            arguments.task,
            [name.strip() for name in arguments.agents.split(",") if name.strip()],
            arguments.out,
            budget=arguments.budget,
            seeds=arguments.seeds,
            workloads=arguments.workload,
            objective=arguments.objective,
            constraints=split_constraints(arguments.constraint),
            options=key_values("--option", arguments.option),
            workers=arguments.workers,
            publication=_publication(arguments, "dataset"),
            progress=progress,
        )
    if found.was_complete:
        print(text.paragraph(f"{found.out} is complete already; nothing was done."))
    if found.failed:
        print(text.paragraph(f"{found.failed:,} runs failed; 'archgym report {arguments.out}' says why."))
    return _written(found.data, found.out)


# ---- info ------------------------------------------------------------------------------------------------------------


def _info_parser() -> Parser:
    made = Parser(
        "dataset info",
        "What runs, studies and datasets hold together: rows, workloads, agents, coverage of the design space.",
        ["dataset info data/dram/dataset", "dataset info runs/ga runs/study --json"],
    )
    _add_paths(made)
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def _info(arguments: argparse.Namespace) -> int:
    from archgym.cli.dataset_summary import as_json, as_text

    data = _load(arguments)
    print(as_json(data) if arguments.json else as_text(data))
    return 0


# ---- merge, split, export --------------------------------------------------------------------------------------------


def _merge_parser() -> Parser:
    made = Parser(
        "dataset merge",
        "Runs, studies and datasets as one dataset: each design once a workload, refused where units, simulators,\n"
        "options or versions differ.",
        ["dataset merge data/a data/b runs/ga --out data/all"],
    )
    _add_paths(made)
    _add_out(made)
    _add_publication(made)
    return made


def _merge(arguments: argparse.Namespace) -> int:
    return _export_parquet(arguments, _load(arguments))


def _split_parser() -> Parser:
    made = Parser(
        "dataset split",
        "Parts for training and testing, DIR/train and DIR/test, that share no evaluation: random rows, or groups\n"
        "that training never sees.",
        [
            "dataset split data/all --by rows --fraction 0.1 --seed 3 --out data/parts",
            "dataset split data/all --by agent --held-out ant_colony --out data/unseen-agent",
            "dataset split data/all --by region --held-out page_policy=Open --out data/unseen-region",
        ],
    )
    _add_paths(made)
    made.add_argument(
        "--by", metavar="WHAT", type=one_of(_WAYS_TO_SPLIT), required=True, help=", ".join(_WAYS_TO_SPLIT)
    )
    made.add_argument(
        "--held-out",
        metavar="NAME",
        action="append",
        default=[],
        help="a group for the test, PARAMETER=VALUE for a region; repeatable; drawn where not given",
    )
    made.add_argument("--fraction", metavar="F", default="0.2", help="share of rows for the test; 0.2")
    made.add_argument("--seed", metavar="S", type=number_type(0), default=0, help="of the draw; 0")
    _add_out(made)
    _add_publication(made)
    return made


def _split(arguments: argparse.Namespace) -> int:
    from archgym.datasets.export import write_dataset
    from archgym.datasets.new_directory import new_directory

    data, fraction = _load(arguments), _share(arguments.fraction)
    if arguments.by == "rows":
        if arguments.held_out:
            raise InputError("--held-out names groups; rows are drawn, a --fraction of them")
        train, test = data.split_rows((1.0 - fraction, fraction), seed=arguments.seed)
    else:
        held_out = _held_out(arguments.by, arguments.held_out)
        train, test = data.split_groups(arguments.by, held_out=held_out, fraction=fraction, seed=arguments.seed)
    out: Path = arguments.out
    with new_directory(out) as part:
        for name, piece in (("train", train), ("test", test)):
            write_dataset(piece, part / name, publication=_publication(arguments, f"{out.name}-{name}"))
    print(f"{len(train):,} rows for training in {out / 'train'}, {len(test):,} for testing in {out / 'test'}.")
    return 0


def _export_parser() -> Parser:
    made = Parser(
        "dataset export",
        "parquet: one file with a card and Croissant metadata. minari: one run is one episode; DIR serves as\n"
        "MINARI_DATASETS_PATH. rlds: one file of steps (observation, action, reward, is_first, is_last, is_terminal).\n"
        "minari and rlds need whole runs: name runs and studies, not a dataset without repeated designs.",
        [
            "dataset export runs/study --format parquet --license CC-BY-4.0 --creator 'A. Person' --out data/study",
            "dataset export runs/study --format minari --out data/minari",
        ],
    )
    _add_paths(made)
    made.add_argument("--format", metavar="F", type=one_of(_FORMATS), default="parquet", help=", ".join(_FORMATS))
    made.add_argument("--minari-id", metavar="ID", default="", help="made from the environment: archgym/dram/search-v0")
    made.add_argument("--minari-format", metavar="F", default="hdf5", help="hdf5 (default), arrow or parquet")
    _add_out(made)
    _add_publication(made)
    return made


def _export(arguments: argparse.Namespace) -> int:
    if arguments.format == "parquet":
        return _export_parquet(arguments, _load(arguments))
    data = _load(arguments, duplicates="keep")
    out: Path = arguments.out
    if arguments.format == "minari":
        from archgym.datasets.minari_export import write_minari

        made = write_minari(data, out, dataset_id=arguments.minari_id, data_format=arguments.minari_format)
        where = shlex.quote(str(out.absolute()))
        print(f"{len(data.runs):,} episodes, {len(data):,} steps. To load them:")
        print(f"  MINARI_DATASETS_PATH={where} python -c \"import minari; print(minari.load_dataset('{made}'))\"")
        return 0
    from archgym.datasets.episodes import write_steps
    from archgym.datasets.new_directory import new_directory

    with new_directory(out) as part:
        write_steps(data, part / "steps.parquet")
    print(f"{len(data.runs):,} episodes, {len(data):,} actions in {out / 'steps.parquet'}.")
    return 0


def _export_parquet(arguments: argparse.Namespace, data: Dataset) -> int:
    from archgym.datasets.export import write_dataset

    out: Path = arguments.out
    return _written(data, write_dataset(data, out, publication=_publication(arguments, out.name)))


# ---- arguments that several share ------------------------------------------------------------------------------------


def _add_paths(made: Parser) -> None:
    made.add_argument(
        "paths", metavar="PATH", nargs="+", type=Path, help="run directories, studies, their files, or datasets"
    )


def _add_out(made: Parser) -> None:
    made.add_argument("--out", metavar="DIR", type=Path, required=True, help="a directory that is not there yet")


def _add_publication(made: Parser) -> None:
    made.add_argument("--name", metavar="TEXT", default="", help="for the card; the directory's name")
    made.add_argument("--license", metavar="SPDX|URL", default="", help="for the card, such as CC-BY-4.0")
    made.add_argument("--creator", metavar="TEXT", default="", help="for the card: a person or an organisation")
    made.add_argument("--url", metavar="URL", default="", help="for the card: where the dataset is published")


def _publication(arguments: argparse.Namespace, name: str) -> Publication:
    from datetime import UTC, datetime

    from archgym.datasets.card import Publication

    return Publication(
        name=arguments.name or name,
        date=datetime.now(UTC).date().isoformat(),
        license=arguments.license,
        creator=arguments.creator,
        url=arguments.url,
    )


def _load(arguments: argparse.Namespace, *, duplicates: str = "drop") -> Dataset:
    from archgym.datasets.loading import load_dataset

    return load_dataset(arguments.paths, duplicates=duplicates)


def _share(given: str) -> float:
    try:
        share = float(given)
    except ValueError:
        share = float("nan")
    if not 0.0 < share < 1.0:
        raise InputError(f"--fraction must be a number between 0 and 1, not {given!r}")
    return share


def _held_out(by: str, given: list[str]) -> Any:
    """Names of groups, or values by parameter; None where nothing is given."""
    if by != "region":
        return given or None
    region: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise InputError(f"--held-out must read PARAMETER=VALUE for a region, not {one!r}")
        region.setdefault(name.strip(), []).append(value.strip())
    return region or None


def _written(data: Dataset, out: Path) -> int:
    summary = data.summary()
    runs = f"{summary.runs:,} run{'s' if summary.runs != 1 else ''}"
    print(f"{summary.rows:,} rows of {runs}, {summary.valid:.1%} valid, in {out}.")
    for note in summary.notes:
        print(text.paragraph(f"Note: {note}."))
    print(f"  archgym dataset info {shlex.quote(str(out))}")
    return 0


_ACTIONS = {
    "collect": Action("search with several agents and keep what they simulate", _collect_parser, _collect),
    "info": Action("rows, workloads, agents, coverage", _info_parser, _info),
    "merge": Action("several as one, each design once", _merge_parser, _merge),
    "split": Action("parts for training and testing", _split_parser, _split),
    "export": Action("as Parquet with a card, for Minari, or as RLDS steps", _export_parser, _export),
}
