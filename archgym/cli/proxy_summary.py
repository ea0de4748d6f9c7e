"""What a proxy is and how it did, in words and tables."""

from __future__ import annotations

__all__ = ["described", "facts", "score_table", "verdict"]

from typing import TYPE_CHECKING, Any

from archgym.cli import text
from archgym.wording import number, split_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from archgym.proxies.gap import Verified
    from archgym.proxies.proxy import Proxy


def verdict(found: Verified) -> str:
    """What a search on a proxy came to."""
    lines = [
        f"{found.predictions:,} predictions, {found.simulations:,} simulations of what the proxy likes best.",
        text.table(
            [
                ["promised by the proxy", number(found.promised)],
                ["true reward of that design", number(found.found)],
                ["optimism gap", number(found.optimism_gap)],
                ["mean gap of the verified designs", number(found.mean_gap)],
                ["rank correlation among them", number(found.rank_correlation)],
                ["metrics within 90 % intervals", f"{found.within:.0%}" if found.within == found.within else "-"],
                ["outside the training region", f"{found.outside:.0%}"],
                ["infeasible in truth", f"{found.infeasible:,}"],
            ],
            right=(1,),
        ),
    ]
    if found.design is None:
        return "\n".join([*lines, "None of them is feasible in the simulator."])
    best = ", ".join(f"{name}={value}" for name, value in found.design.items())
    return "\n".join([*lines, text.paragraph(f"Best by the simulator, reward {number(found.reward)}: {best}")])


def facts(proxy: Proxy) -> dict[str, Any]:
    """What ``--json`` prints."""
    about = {"env_id": proxy.schema.env_id, "simulator_version": proxy.schema.simulator_version}
    settings = {model.metric.name: dict(model.settings) for model in proxy.models}
    workloads = [one.name for one in proxy.workloads]
    return {
        **about,
        "workloads": workloads,
        "settings": settings,
        "units": dict(proxy.schema.units),
        "training": dict(proxy.training),
        "scores": dict(proxy.scores),
    }


def described(proxy: Proxy) -> str:
    """What it was trained on, how it did, what it hangs on."""
    training = proxy.training
    names = ", ".join(one.name for one in proxy.workloads)
    lines = [
        text.paragraph(
            f"Proxy ({training['regressor']}) of {proxy.schema.env_id}, version {proxy.schema.simulator_version}, "
            f"workloads {names}: trained on {training['trained_on']:,} valid designs of "
            f"{', '.join(training['agents'])}, calibrated on {training['calibrated_on']:,}."
        ),
        "On designs of the same source that it has not seen:",
        score_table(proxy.scores),
        "What the predictions hang on (growth of the error when a parameter is shuffled):",
        text.table([[name, _strongest(gains)] for name, gains in training["importance"].items()]),
    ]
    return "\n".join(lines)


def _strongest(gains: Mapping[str, float]) -> str:
    ranked = sorted(gains.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {gain:.2f}" for name, gain in ranked[:4] if gain > 0) or "nothing"


def score_table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Scores by metric, as a table."""
    rows = [
        [
            name,
            f"{number(one['rmse'], 4)} {split_unit(name)[1]}".strip(),
            f"{one['rmse_percent']:.2f} %",
            f"{one['median_percent']:.2f} %",
            f"{one['spearman']:.3f}",
            f"{one['coverage']:.1%} of {one['promised_coverage']:.0%}",
        ]
        for name, one in scores.items()
    ]
    header = ["metric", "RMSE", "of the mean", "median error", "rank corr.", "in interval"]
    return text.table(rows, header, right=(1, 2, 3, 4, 5))
