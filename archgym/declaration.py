"""What a bound simulator declares, as JSON-able values: records are read with it, without loading the simulator."""

from __future__ import annotations

__all__ = ["declaration"]

from typing import Any

from archgym_simulators import Simulator


def declaration(simulator: Simulator) -> dict[str, Any]:
    """The design space, the metrics, and the features of the workload."""
    workload = simulator.workload
    return {
        "space": simulator.space.to_json(),
        "metrics": [
            {
                "name": metric.name,
                "description": metric.description,
                "direction": metric.direction,
                "scale": metric.scale,
                "span": metric.span,
            }
            for metric in simulator.metrics
        ],
        "workload": {
            "name": workload.name,
            "features": list(workload.features),
            "feature_names": list(workload.feature_names),
            "digest": workload.digest,
        },
    }
