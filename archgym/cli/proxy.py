"""``archgym proxy``: cost models learned from datasets: fit, look, score, predict, search and verify."""

from __future__ import annotations

__all__ = ["parser", "run"]

import argparse
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

from archgym.cli import proxy_summary, text
from archgym.cli.actions import Action, ActionParser
from archgym.cli.parser import Parser, number_type
from archgym.cli.problem_arguments import (
    add_objective,
    add_options,
    add_problem,
    add_workload,
    key_values,
    split_constraints,
)
from archgym_simulators import InputError


def parser() -> ActionParser:
    """Arguments of ``archgym proxy``."""
    return ActionParser(
        "proxy",
        "Proxy cost models, learned from simulated designs. In the simulator's place: --option simulator=proxy:DIR.\n"
        "'archgym proxy ACTION --help' explains an action.",
        _ACTIONS,
        [
            "proxy fit data/dram/dataset --metrics total_time_ns,energy_pj --out proxies/dram",
            "proxy score proxies/dram data/unseen-agent/test",
            "proxy search dram-mixed-time --proxy proxies/dram --agent genetic_algorithm --budget 100000",
        ],
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what the first argument says."""
    return _ACTIONS[arguments.action].run(arguments)


# ---- fit -------------------------------------------------------------------------------------------------------------


def _fit_parser() -> Parser:
    made = Parser(
        "proxy fit",
        "Train one regressor a metric on 70 % of the rows, calibrate its intervals on 15 %, measure on the last 15 %.",
        [
            "proxy fit data/dram/dataset --metrics total_time_ns,energy_pj --out proxies/dram",
            "proxy fit runs/ga runs/study --metrics total_time_ns --tune-seconds 60 --out proxies/tuned",
        ],
    )
    _add_data(made)
    made.add_argument("--out", metavar="DIR", type=Path, required=True, help="a directory that is not there yet")
    made.add_argument("--regressor", metavar="NAME", default="lightgbm", help=f"{', '.join(_regressors())}")
    made.add_argument("--metrics", metavar="A,B,...", help="only these; all")
    made.add_argument(
        "--setting", metavar="KEY=VALUE", action="append", default=[], help="of the regressor; repeatable"
    )
    made.add_argument("--tune-seconds", metavar="S", type=number_type(0), default=0, help="time for Optuna; 0, none")
    made.add_argument("--trials", metavar="N", type=number_type(1), default=0, help="most settings tried a metric")
    made.add_argument("--seed", metavar="S", type=number_type(0), default=0, help="of every draw; 0")
    _add_coverage(made)
    return made


def _fit(arguments: argparse.Namespace) -> int:
    from archgym.datasets.loading import load_dataset
    from archgym.proxies.files import save_proxy
    from archgym.proxies.fitting import fit

    if arguments.out.exists():
        raise InputError(f"{arguments.out} exists already; choose another --out")
    names = None if arguments.metrics is None else [name.strip() for name in arguments.metrics.split(",")]
    settings = key_values("--setting", arguments.setting)
    data = load_dataset(arguments.paths)
    with text.ProgressLine() as line:
        proxy = fit(
            data,
            regressor=arguments.regressor,
            metrics=names,
            settings=settings or None,
            tune_seconds=arguments.tune_seconds,
            trials=arguments.trials,
            coverage=arguments.coverage,
            seed=arguments.seed,
            progress=lambda what: line.show(f"fitting {what}"),
        )
    save_proxy(proxy, arguments.out)
    print(proxy_summary.described(proxy))
    where = shlex.quote(str(arguments.out))
    search = f"archgym search {proxy.schema.env_id} --option simulator=proxy:{where} ..."
    print(f"\nIn {arguments.out}. To search on it:\n  {search}")
    return 0


# ---- info ------------------------------------------------------------------------------------------------------------


def _info_parser() -> Parser:
    made = Parser(
        "proxy info", "What a proxy was trained on, how it did, what it hangs on.", ["proxy info proxies/dram"]
    )
    _add_proxy(made)
    _add_json(made)
    return made


def _info(arguments: argparse.Namespace) -> int:
    from archgym.proxies.files import load_proxy

    proxy = load_proxy(arguments.proxy)
    print(text.as_json(proxy_summary.facts(proxy)) if arguments.json else proxy_summary.described(proxy))
    return 0


# ---- score -----------------------------------------------------------------------------------------------------------


def _score_parser() -> Parser:
    made = Parser(
        "proxy score",
        "How a proxy does on simulated designs that it has not seen: an agent, a workload or a region held out.",
        ["proxy score proxies/dram data/unseen-agent/test"],
    )
    _add_proxy(made)
    _add_data(made)
    _add_coverage(made)
    _add_json(made)
    return made


def _score(arguments: argparse.Namespace) -> int:
    from archgym.datasets.loading import load_dataset
    from archgym.proxies.files import load_proxy
    from archgym.proxies.quality import score

    proxy = load_proxy(arguments.proxy)
    found = score(proxy, load_dataset(arguments.paths), coverage=arguments.coverage)
    scores = {name: {**asdict(one), "promised_coverage": arguments.coverage} for name, one in found.items()}
    if arguments.json:
        print(text.as_json(scores))
        return 0
    first = next(iter(found.values()))
    print(f"{first.rows:,} valid designs, {first.outside:.1%} of them outside the training region.")
    print(proxy_summary.score_table(scores))
    return 0


# ---- evaluate --------------------------------------------------------------------------------------------------------


def _evaluate_parser() -> Parser:
    made = Parser(
        "proxy evaluate",
        "Predict the designs of a file, with intervals: METRIC, METRIC_low, METRIC_high, then thought_valid and\n"
        "outside_training. CSV or Parquet, by extension.",
        ["proxy evaluate proxies/dram --designs designs.csv --out predicted.csv --workload stream"],
    )
    _add_proxy(made)
    made.add_argument("--designs", metavar="IN", type=Path, required=True, help=".csv or .parquet")
    made.add_argument("--out", metavar="OUT", type=Path, required=True, help=".csv or .parquet")
    made.add_argument("--workload", metavar="W", help="one that the proxy was trained on; its only one")
    _add_coverage(made)
    return made


def _evaluate(arguments: argparse.Namespace) -> int:
    from archgym.cli.design_files import OutputFile, read_designs
    from archgym.proxies.files import load_proxy

    proxy = load_proxy(arguments.proxy)
    designs = read_designs(arguments.designs)
    rows = designs.rows(proxy.schema.space)
    with OutputFile(arguments.out, arguments.designs) as out:
        found = proxy.predict(rows, arguments.workload, coverage=arguments.coverage)
        added: dict[str, Any] = {}
        for place, name in enumerate(proxy.schema.metric_names):
            columns = {"": found.values, "_low": found.low, "_high": found.high}
            added |= {name + suffix: column[:, place].tolist() for suffix, column in columns.items()}
        added |= {"thought_valid": found.valid.tolist(), "outside_training": found.outside.tolist()}
        given = {name: cells for name, cells in designs.columns.items() if name not in added}
        out.write({**given, **added})
    print(f"{len(rows):,} designs in {arguments.out}, {found.outside.mean():.1%} of them outside the training region.")
    if proxy.lacks_constraints:
        env_id, where = proxy.schema.env_id, shlex.quote(str(arguments.proxy))
        print(
            text.paragraph(f"{env_id} has constraints, which no proxy knows: thought_valid is learned. To check them:")
            + f"\n  archgym evaluate {env_id} --option simulator=proxy:{where} --designs ..."
        )
    return 0


# ---- search ----------------------------------------------------------------------------------------------------------


def _search_parser() -> Parser:
    made = Parser(
        "proxy search",
        "Search on a proxy, simulate the designs that it likes best, and say how much too good its promise was.",
        [
            "proxy search dram-mixed-time --proxy proxies/dram --agent genetic_algorithm --budget 20000 --verify 10",
        ],
    )
    add_problem(made)
    made.add_argument("--proxy", metavar="DIR", type=Path, required=True, help="of 'archgym proxy fit'")
    made.add_argument("--agent", metavar="NAME", default="genetic_algorithm", help="of 'archgym list agents'")
    made.add_argument("--budget", metavar="N", type=number_type(1), required=True, help="predictions")
    made.add_argument("--verify", metavar="K", type=number_type(1), default=10, help="designs to simulate; 10")
    made.add_argument("--seed", metavar="S", type=number_type(0), default=0, help="of the agent; 0")
    made.add_argument("--strict", action="store_true", help="refuse designs outside the proxy's training region")
    add_workload(made)
    add_objective(made)
    add_options(made)
    _add_json(made)
    return made


def _search(arguments: argparse.Namespace) -> int:
    from archgym.proxies.gap import search_and_verify

    found = search_and_verify(
        arguments.env_id,
        str(arguments.proxy),
        arguments.agent,
        budget=arguments.budget,
        verify=arguments.verify,
        seed=arguments.seed,
        workload=arguments.workload,
        objective=arguments.objective,
        constraints=split_constraints(arguments.constraint),
        strict=arguments.strict,
        **key_values("--option", arguments.option),
    )
    print(text.as_json(asdict(found)) if arguments.json else proxy_summary.verdict(found))
    return 0


# ---- what several share ----------------------------------------------------------------------------------------------


def _add_data(made: Parser) -> None:
    made.add_argument("paths", metavar="DATA", nargs="+", type=Path, help="datasets, runs, studies")


def _add_proxy(made: Parser) -> None:
    made.add_argument("proxy", metavar="PROXY", type=Path, help="a directory of 'archgym proxy fit'")


def _add_json(made: Parser) -> None:
    made.add_argument("--json", action="store_true", help="print JSON")


def _add_coverage(made: Parser) -> None:
    made.add_argument("--coverage", metavar="C", type=_share, default=0.9, help="of the intervals; 0.9")


def _share(given: str) -> float:
    try:
        share = float(given)
    except ValueError:
        share = float("nan")
    if not 0.0 < share < 1.0:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, not {given!r}")
    return share


def _regressors() -> list[str]:
    from archgym.proxies.regressors import KINDS

    return list(KINDS)


_ACTIONS = {
    "fit": Action("train on a dataset", _fit_parser, _fit),
    "info": Action("what it was trained on, how it did", _info_parser, _info),
    "score": Action("against simulated designs that it has not seen", _score_parser, _score),
    "evaluate": Action("predict the designs of a file", _evaluate_parser, _evaluate),
    "search": Action("search on it, verify on the simulator: the optimism gap", _search_parser, _search),
}
