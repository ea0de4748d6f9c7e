"""Workloads of the attention family: one attention layer of a published model at a sequence length."""

from __future__ import annotations

__all__ = ["FEATURE_NAMES", "MODELS", "AttentionShape", "draw", "features", "parse", "workload_descriptions"]

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from archgym_simulators.errors import InputError
from archgym_simulators.nearest import as_number, did_you_mean
from archgym_simulators.splits import generator_of

_LARGEST = {"batch": 2**16, "heads": 2**10, "keys": 2**24, "queries": 2**24, "e": 512, "f": 512}
_LARGEST_SCORES = 2**56
_INLINE = "attention"
_INLINE_SIZES = ("batch", "heads", "keys", "queries", "e", "f")
DEFAULT_BATCH = 64


@dataclass(frozen=True)
class AttentionShape:
    """``batch * heads`` products of queries (P, E), keys (M, E) and values (M, F).

    Attributes:
        batch: B, sequences.
        heads: H, query heads; each has keys of its own (grouped ones are counted as if repeated).
        keys: M, length of the sequence that is attended to.
        queries: P, rows of the result.
        e: E, elements of a query and of a key.
        f: F, elements of a value.
    """

    batch: int
    heads: int
    keys: int
    queries: int
    e: int
    f: int

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or not 1 <= value <= _LARGEST[field.name]:
                high = _LARGEST[field.name]
                raise InputError(f"attention: {field.name} must be a whole number 1..{high}, not {value!r}")
        if self.scores > _LARGEST_SCORES:
            raise InputError(f"attention: {self.scores:.3g} scores are too many; at most 2^56 are allowed")

    @property
    def scores(self) -> int:
        """Elements of all score matrices: B H M P."""
        return self.batch * self.heads * self.keys * self.queries

    @property
    def macs(self) -> int:
        """Multiply-accumulates of both products."""
        return self.scores * (self.e + self.f)


MODELS: Mapping[str, tuple[int, int, str, str]] = {
    "bert": (12, 64, "train", "BERT-base: 12 heads of 64 (Devlin et al., 2019)"),
    "gpt2-xl": (25, 64, "train", "GPT-2 XL: 25 heads of 64 (Radford et al., 2019)"),
    "vit-h": (16, 80, "train", "ViT-H: 16 heads of 80 (Dosovitskiy et al., 2021)"),
    "t5": (8, 64, "dev", "T5-small: 8 heads of 64 (Raffel et al., 2020)"),
    "trxl": (16, 64, "test", "Transformer-XL: 16 heads of 64, as FuseMax takes it"),
    "xlm": (16, 128, "test", "XLM: 16 heads of 128, as FuseMax takes it"),
    "llama-3-8b": (32, 128, "test", "Llama-3-8B: 32 heads of 128 (Meta, 2024)"),
}
"""Model -> heads, elements of a head, split, one sentence."""

_LENGTHS: Mapping[str, tuple[int, ...]] = {
    "train": (512, 1024, 2048, 4096, 16_384, 65_536, 262_144),
    "dev": (1536, 8192, 49_152, 131_072),
    "test": (768, 3072, 32_768, 98_304, 524_288, 1_048_576),
}
_BATCHES: Mapping[str, tuple[int, ...]] = {"train": (1, 8, 64), "dev": (4, 32), "test": (2, 16, 128)}

FEATURE_NAMES = ("log_batch", "log_heads", "log_keys", "log_queries", "log_e", "log_f", "log_macs", "intensity")


def parse(spec: str) -> tuple[str, AttentionShape]:
    """Canonical name and shape of ``bert:seq=4096``, ``t5:seq=2048,queries=1,batch=8`` or ``attention:BxHxMxPxExF``.

    >>> parse("bert:batch=64, seq=4096")[0]
    'bert:seq=4096'

    Raises:
        InputError: one line with the token, what is allowed and the nearest match.
    """
    head, _, rest = spec.strip().partition(":")
    if head == _INLINE:
        return _parse_inline(spec, rest)
    if head not in MODELS:
        raise InputError(
            f"unknown workload {spec[:80]!r}{did_you_mean(head, [*MODELS, _INLINE])}; allowed are "
            f"{', '.join(MODELS)} with :seq=NUMBER, or attention:BxHxMxPxExF"
        )
    given = _arguments(spec, rest)
    if "seq" not in given:
        raise InputError(f"workload {spec[:80]!r} needs its sequence length, as in '{head}:seq=4096'")
    values = {"queries": given["seq"], "batch": DEFAULT_BATCH, **given}
    heads, size, _, _ = MODELS[head]
    shape = AttentionShape(values["batch"], heads, values["seq"], values["queries"], size, size)
    shown = [f"seq={values['seq']}"]
    shown += [f"queries={values['queries']}"] if values["queries"] != values["seq"] else []
    shown += [f"batch={values['batch']}"] if values["batch"] != DEFAULT_BATCH else []
    return f"{head}:{','.join(shown)}", shape


def workload_descriptions() -> Mapping[str, str]:
    """Every model at the lengths of FuseMax's evaluation, with one sentence."""
    lengths = (1024, 16_384, 65_536, 262_144, 1_048_576)
    return {f"{name}:seq={seq}": f"{MODELS[name][3]}, {seq:,} tokens" for name in MODELS for seq in lengths}


def features(shape: AttentionShape) -> tuple[float, ...]:
    """Logarithms of the sizes, in [0, 1]; in the order of `FEATURE_NAMES`."""
    logs = [math.log2(getattr(shape, field.name)) / math.log2(_LARGEST[field.name]) for field in fields(shape)]
    words = shape.batch * shape.heads * (shape.queries + shape.keys) * (shape.e + shape.f)
    intensity = math.log2(max(1.0, shape.macs / words)) / 24
    return (*logs, min(1.0, math.log2(shape.macs) / 68), min(1.0, intensity))


def draw(split: str, rng: np.random.Generator) -> str:
    """A model, length and batch size of a split; no split shares one of the three with another.

    Args:
        split: ``"train"``, ``"dev"`` or ``"test"``.
        rng: for ``"test"`` it is mixed with the hidden seed of the test split.

    Raises:
        InputError: unknown split, or ``"test"`` without its seed.
    """
    rng = generator_of(split, rng)
    names = [name for name, (_, _, owner, _) in MODELS.items() if owner == split]
    name = names[int(rng.integers(len(names)))]
    length = _LENGTHS[split][int(rng.integers(len(_LENGTHS[split])))]
    batch = _BATCHES[split][int(rng.integers(len(_BATCHES[split])))]
    return parse(f"{name}:seq={length},batch={batch}")[0]


def _parse_inline(spec: str, sizes: str) -> tuple[str, AttentionShape]:
    texts = sizes.split("x")
    if len(texts) != len(_INLINE_SIZES) or not all(re.fullmatch(r"[+-]?[0-9.]+", text) for text in texts):
        raise InputError(
            f"workload {spec[:80]!r} must be attention:BxHxMxPxExF, such as attention:64x12x4096x4096x64x64"
        )
    values = {name: as_number(text) for name, text in zip(_INLINE_SIZES, texts, strict=True)}
    shape = AttentionShape(**values)  # type: ignore[arg-type]
    return f"{_INLINE}:{'x'.join(str(value) for value in values.values())}", shape


def _arguments(spec: str, text: str) -> dict[str, int]:
    allowed = ("seq", "queries", "batch")
    values: dict[str, int] = {}
    for item in filter(None, text.split(",")):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not equals or key not in allowed or key in values:
            what = "repeated" if key in values else "unknown"
            raise InputError(
                f"workload {spec[:80]!r}: {what} argument {item.strip()[:80]!r}{did_you_mean(key, allowed)}; "
                "allowed are seq=NUMBER, queries=NUMBER, batch=NUMBER"
            )
        number = as_number(value)
        if type(number) is not int or number < 1:
            hint = did_you_mean(spec, workload_descriptions())
            raise InputError(f"workload {spec[:80]!r}: {key} must be a whole number from 1, not {value[:80]!r}{hint}")
        values[key] = number
    return values
