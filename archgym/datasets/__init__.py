"""From logs to datasets: many runs as one table that proxies can be trained on."""

from __future__ import annotations

__all__ = ["Dataset", "DatasetWorkload", "Schema", "SourceRun", "load_dataset"]

from archgym.datasets.dataset import Dataset
from archgym.datasets.loading import load_dataset
from archgym.datasets.schema import DatasetWorkload, Schema, SourceRun
