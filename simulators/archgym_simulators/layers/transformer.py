"""Transformers, a mixture of experts, a diffusion transformer and a recommender, from their hyperparameters."""

from __future__ import annotations

__all__ = ["Attention", "bert_base", "dit_block", "dlrm", "gpt2", "llama3_8b", "mixtral_moe", "vit_b"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from archgym_simulators.layers.layer import Layer, conv, gemm


@dataclass(frozen=True)
class Attention:
    """Attention of ``tokens`` new tokens to ``context`` ones, themselves included.

    Heads that share keys and values (grouped-query attention, Ainslie et al. 2023) are one group whose rows are the
    queries of all of them. Every query meets every key: causal masks save nothing here.
    """

    width: int
    heads: int
    tokens: int
    context: int
    batch: int
    kv_heads: int = 0  # 0: as many as heads

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def kv_width(self) -> int:
        return self.head_width * (self.kv_heads or self.heads)

    def layers(self) -> Iterator[Layer]:
        rows = self.batch * self.tokens
        shared = self.kv_heads or self.heads
        groups, queries = self.batch * shared, self.tokens * (self.heads // shared)
        yield gemm("attn_q", rows, self.width, self.width)
        yield gemm("attn_k", rows, self.kv_width, self.width)
        yield gemm("attn_v", rows, self.kv_width, self.width)
        yield gemm("attn_scores", queries, self.context, self.head_width, groups=groups, kind="attention")
        yield gemm("attn_values", queries, self.head_width, self.context, groups=groups, kind="attention")
        yield gemm("attn_out", rows, self.width, self.width)


def bert_base(*, batch: int, seq: int) -> Iterator[Layer]:
    """Devlin et al., NAACL 2019: 12 layers, width 768, 12 heads; the encoder and the pooler."""
    yield from _repeated(12, _block(Attention(768, 12, seq, seq, batch), 3072))
    yield gemm("pooler", batch, 768, 768)


def gpt2(*, batch: int, seq: int) -> Iterator[Layer]:
    """Radford et al. 2019, the smallest model: 12 layers, width 768, 12 heads, logits of every token."""
    yield from _repeated(12, _block(Attention(768, 12, seq, seq, batch), 3072))
    yield gemm("lm_head", batch * seq, 50257, 768)


def llama3_8b(*, batch: int, tokens: int, context: int) -> Iterator[Layer]:
    """Llama team, arXiv 2407.21783, table 3: 32 layers, width 4096, 32 heads, 8 key-value heads, SwiGLU of 14336.

    Args:
        batch: sequences.
        tokens: new tokens of each: 1 when decoding.
        context: tokens that each new token attends to. Logits are for the last token of each sequence.
    """
    attention = Attention(4096, 32, tokens, context, batch, kv_heads=8)
    yield from _repeated(32, [*attention.layers(), *_swiglu("ffn", batch * tokens, 4096, 14336)])
    yield gemm("lm_head", batch, 128256, 4096)


def mixtral_moe(*, batch: int, tokens: int) -> Iterator[Layer]:
    """Jiang et al., arXiv 2401.04088: the experts of one layer of Mixtral 8x7B, two of eight for every token.

    Routing is balanced: every expert gets a quarter of the tokens, rounded up.
    """
    rows = batch * tokens
    yield gemm("router", rows, 8, 4096)
    yield from (replace(layer, groups=8) for layer in _swiglu("expert", -(-2 * rows // 8), 4096, 14336))


def vit_b(*, batch: int) -> Iterator[Layer]:
    """Dosovitskiy et al., ICLR 2021: ViT-B/16 at 224 x 224, 196 patches and a class token."""
    yield conv("patches", 14, channels=(3, 768), kernel=16, stride=16, batch=batch)
    yield from _repeated(12, _block(Attention(768, 12, 197, 197, batch), 3072))
    yield gemm("head", batch, 1000, 768)


def dit_block(*, batch: int, tokens: int) -> Iterator[Layer]:
    """Peebles and Xie, ICCV 2023: one block of DiT-XL/2 with adaLN-Zero; 256 tokens are a 256 x 256 image."""
    yield gemm("adaln", batch, 6 * 1152, 1152)
    yield from _block(Attention(1152, 16, tokens, tokens, batch), 4 * 1152)


def dlrm(*, batch: int) -> Iterator[Layer]:
    """Naumov et al., arXiv 1906.00091, as MLPerf trains it on Criteo Terabyte: 13 dense and 26 sparse features of 128.

    Embedding look-ups have no multiplications and are left out; the interaction takes all products of pairs.
    """
    yield from _mlp("bottom", (13, 512, 256, 128), batch)
    yield gemm("interaction", 27, 27, 128, groups=batch, kind="attention")
    yield from _mlp("top", (27 * 26 // 2 + 128, 1024, 1024, 512, 256, 1), batch)


def _block(attention: Attention, hidden: int) -> list[Layer]:
    rows = attention.batch * attention.tokens
    feed_forward = [gemm("ffn_up", rows, hidden, attention.width), gemm("ffn_down", rows, attention.width, hidden)]
    return [*attention.layers(), *feed_forward]


def _swiglu(name: str, rows: int, width: int, hidden: int) -> list[Layer]:
    up = [gemm(f"{name}_{part}", rows, hidden, width) for part in ("gate", "up")]
    return [*up, gemm(f"{name}_down", rows, width, hidden)]


def _repeated(times: int, block: Sequence[Layer]) -> list[Layer]:
    """Blocks of equal shape: one of each layer, with its repetitions."""
    return [replace(layer, repeat=times * layer.repeat) for layer in block]


def _mlp(name: str, widths: Sequence[int], batch: int) -> Iterator[Layer]:
    for number, (k, n) in enumerate(pairwise(widths), start=1):
        yield gemm(f"{name}{number}", batch, n, k)
