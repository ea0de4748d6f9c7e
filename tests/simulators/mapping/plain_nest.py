"""A loop nest walked step by step with sets of words, sharing no equation with the model.

Every buffer holds the words of its current tile. At each change of tiles, what is new is counted.
"""

from __future__ import annotations

from itertools import product
from math import prod

DIMS = "NKCPQRS"
TENSORS = ("weights", "inputs", "outputs")


def word_of(tensor, at, stride):
    """The word of a tensor that one multiply-accumulate touches."""
    n, k, c, p, q, r, s = (at[d] for d in DIMS)
    return {
        "weights": (k, c, r, s),
        "inputs": (n, c, p * stride + r, q * stride + s),
        "outputs": (n, k, p, q),
    }[tensor]


def boxes(factors):
    """Every combination of indices of one slot."""
    names = list(DIMS)
    for values in product(*(range(factors.get(d, 1)) for d in names)):
        yield dict(zip(names, values, strict=True))


def ordered(factors, order):
    """Indices in the order of a loop nest, outermost dimension first."""
    names = [d for d in DIMS if d not in order] + list(order)
    for values in product(*(range(factors.get(d, 1)) for d in names)):
        yield dict(zip(names, values, strict=True))


def held_for(tensor, words):
    """What a buffer holds so that these words are there: of inputs the whole box, rows between strides included."""
    if tensor != "inputs" or not words:
        return frozenset(words)
    sides = [range(min(side), max(side) + 1) for side in zip(*words, strict=True)]
    return frozenset(product(*sides))


class PlainNest:
    """Counts of one mapping, as {(level, tensor, access): words}."""

    def __init__(self, layer, mapping, *, links=False):
        self.stride, self.mapping, self.links = layer.stride, mapping, links
        self.pes = [(x, y) for y in boxes(mapping.y) for x in boxes(mapping.x)]
        self.counts = {
            (level, tensor, access): 0
            for level in ("pe", "glb", "dram")
            for tensor in TENSORS
            for access in ("reads", "updates", "fills")
        }
        self.carried = 0
        self.macs = prod(getattr(layer, d.lower()) for d in DIMS)
        for tensor in TENSORS:
            self._walk(tensor)

    def index(self, d, outer, inner, x, y, pe):
        m = self.mapping
        value = outer[d]
        for factors, at in ((m.glb, inner), (m.y, y), (m.x, x), (m.pe, pe)):
            value = value * factors.get(d, 1) + at[d]
        return value

    def words(self, tensor, outer, inner, x, y):
        """Words that a PE needs in one step of the loops above it, in the order of its own loops."""
        return [
            word_of(tensor, {d: self.index(d, outer, inner, x, y, pe) for d in DIMS}, self.stride)
            for pe in boxes(self.mapping.pe)
        ]

    def _walk(self, tensor):
        m = self.mapping
        in_pe, in_glb = tensor in m.keep_pe, tensor in m.keep_glb
        is_output = tensor == "outputs"
        above = "glb" if in_glb else "dram"
        asked = fills = firsts = glb_fills = macs = 0
        held = [frozenset() for _ in self.pes]
        ever = [set() for _ in self.pes]
        glb_held = frozenset()
        all_words = set()
        for outer in ordered(m.dram, m.dram_order):
            glb_tile = set()
            for inner in boxes(m.glb):
                for x, y in self.pes:
                    glb_tile.update(self.words(tensor, outer, inner, x, y))
            all_words |= glb_tile
            glb_tile = held_for(tensor, glb_tile)
            glb_fills += len(glb_tile - glb_held)
            glb_held = glb_tile
            for inner in ordered(m.glb, m.glb_order):
                lists = [self.words(tensor, outer, inner, x, y) for x, y in self.pes]
                macs += sum(map(len, lists))
                tiles = [held_for(tensor, words) for words in lists]
                if not in_pe:
                    asked += self._asked_by_macs(lists, is_output)
                    continue
                new = [tile - old for tile, old in zip(tiles, held, strict=True)]
                fills += sum(map(len, new))
                firsts += sum(len(tile - known) for tile, known in zip(tiles, ever, strict=True))
                for known, tile in zip(ever, tiles, strict=True):
                    known |= tile
                asked += self._asked_by_tiles(tensor, tiles, new, held, is_output)
                held = tiles
        assert macs == self.macs
        self._enter(tensor, in_pe, in_glb, above, asked, fills, firsts, glb_fills, len(all_words))

    def _reduced(self):
        return prod(f.get(d, 1) for f in (self.mapping.x, self.mapping.y) for d in "CRS")

    def _asked_by_macs(self, lists, is_output):
        """Without a buffer in the PE every cycle asks; equal words of several PEs are one."""
        total = 0
        for cycle in zip(*lists, strict=True):
            total += len(cycle) // self._reduced() if is_output else len(set(cycle))
        return total

    def _asked_by_tiles(self, tensor, tiles, new, held, is_output):
        if is_output:
            # Sums of PEs with the same outputs are added on their way.
            return sum(len({w for t, n in zip(tiles, new, strict=True) if t == tile for w in n}) for tile in set(tiles))
        served = [False] * len(tiles)
        if self.links and tensor == "inputs" and len(tiles) > 1:
            served = [
                bool(new[i]) and any(new[i] <= held[j] for j in self._neighbours(i)) for i in range(len(self.pes))
            ]
            self.carried += sum(len(n) for n, s in zip(new, served, strict=True) if s)
        rest = {(tile, n) for tile, n, s in zip(tiles, new, served, strict=True) if not s}
        return sum(len(n) for _, n in rest)

    def _neighbours(self, i):
        places = [self._place(*pe) for pe in self.pes]
        x, y = places[i]
        return [j for j, (u, v) in enumerate(places) if abs(u - x) + abs(v - y) == 1]

    def _place(self, x, y):
        column, row = 0, 0
        for d in self.mapping.array_order:
            column = column * self.mapping.x.get(d, 1) + x[d]
            row = row * self.mapping.y.get(d, 1) + y[d]
        return column, row

    def _enter(self, tensor, in_pe, in_glb, above, asked, fills, firsts, glb_fills, distinct):
        counts, is_output = self.counts, tensor == "outputs"
        if in_pe:
            counts["pe", tensor, "fills"] = fills - firsts * is_output
            counts["pe", tensor, "reads"] = self.macs - firsts * is_output
            if is_output:
                counts["pe", tensor, "updates"] = self.macs
            if tensor == "inputs":
                counts["pe", tensor, "reads"] += self.carried
        if is_output:
            counts[above, tensor, "updates"] = asked
            counts[above, tensor, "reads"] = asked - distinct
        else:
            counts[above, tensor, "reads"] = asked
        if in_glb:
            counts["glb", tensor, "fills"] = glb_fills - distinct * is_output
            counts["dram", tensor, "reads"] = glb_fills - distinct * is_output
            if is_output:
                counts["dram", tensor, "updates"] = glb_fills
