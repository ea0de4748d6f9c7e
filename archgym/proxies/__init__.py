"""Proxy cost models: trained on datasets, saved without pickle, and as a simulator: ``simulator="proxy:PATH"``."""

from __future__ import annotations

__all__ = ["Proxy", "ProxySimulator", "fit", "load_proxy", "save_proxy", "score", "search_and_verify"]

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archgym.proxies.files import load_proxy, save_proxy
    from archgym.proxies.fitting import fit
    from archgym.proxies.gap import search_and_verify
    from archgym.proxies.proxy import Proxy
    from archgym.proxies.quality import score
    from archgym.proxies.simulator import ProxySimulator

_HOMES = {
    "Proxy": "archgym.proxies.proxy",
    "ProxySimulator": "archgym.proxies.simulator",
    "fit": "archgym.proxies.fitting",
    "load_proxy": "archgym.proxies.files",
    "save_proxy": "archgym.proxies.files",
    "score": "archgym.proxies.quality",
    "search_and_verify": "archgym.proxies.gap",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'archgym.proxies' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
