"""A study on a Ray cluster of two nodes, one of which goes: run by ``test_ray.py`` in a process of its own.

Arguments: the study's file and directory, a file for the name of the node that goes, and a study whose agent kills the
worker that it runs in, with its directory. Prints what happened as JSON.
"""

import json
import sys
import threading
import time
from pathlib import Path

from ray.cluster_utils import Cluster

from archgym.studies.engine import run_study
from archgym.studies.ray_cluster import RayCluster

SMALL = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


def main() -> None:
    file, out, target, deadly_file, deadly_out = sys.argv[1:]
    cluster = Cluster(initialize_head=True, head_node_args={**SMALL, "include_dashboard": False})
    second = cluster.add_node(**SMALL)
    Path(target).write_text(second.node_id)
    lost: list[str] = []
    fetch = RayCluster._fetch

    def watched(self, task):
        found = fetch(self, task)
        if found is None:
            lost.append("task")
        return found

    RayCluster._fetch = watched

    def remove_second() -> None:
        while not Path(target).with_suffix(".hanging").exists():
            time.sleep(0.02)
        cluster.remove_node(second, allow_graceful=False)

    threading.Thread(target=remove_second, daemon=True).start()
    summary = run_study(file, out, ray=cluster.address)
    lost_with_node = len(lost)
    run_study(deadly_file, deadly_out, ray=cluster.address)
    print(json.dumps({"runs": summary.runs, "lost": lost_with_node, "lost_later": len(lost) - lost_with_node}))
    cluster.shutdown()


if __name__ == "__main__":
    main()
