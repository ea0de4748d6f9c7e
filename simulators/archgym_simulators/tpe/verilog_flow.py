"""The module of a PE, written from its operands to its accumulator: what flows, where it is cut by registers."""

from __future__ import annotations

__all__ = ["PeWriter"]

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise
from math import inf, log2

from archgym_simulators.tpe.compressors import compressor_level
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.encodings import encoding_of
from archgym_simulators.tpe.verilog_parts import code_bits
from archgym_simulators.tpe.verilog_text import VerilogText, joined


@dataclass(frozen=True)
class _Live:
    """What crosses from one stage to the next: groups of words that will be summed, and what they are made of."""

    groups: tuple[tuple[str, ...], ...] = ()
    codes: str = ""
    other: str = ""
    width: int = 0


@dataclass(frozen=True)
class _Stage:
    """A piece of logic that may be followed by a register.

    Attributes:
        delay: in full adders, roughly: it decides where registers go.
        write: writes the logic and says what comes out of it.
    """

    delay: float
    write: Callable[[_Live], _Live]


class PeWriter:
    """Writes the module ``pe`` of a design.

    Args:
        design: any design that can be built.
        encoded_bits: of the operand that is written as digits.
        other_bits: of the other one.
    """

    def __init__(self, design: TpeDesign, encoded_bits: int, other_bits: int) -> None:
        self.design = design
        self.kind = encoding_of(design.encoding)
        self.length = 1 if design.opt3 else self.kind.length(encoded_bits)
        self.pairs = design.depth if design.architecture == "tree" else design.lanes
        self.encodes = design.encoder_placement == "pe" and not design.opt3
        self.code = self.length * code_bits(self.kind)
        self.value_bits, self.operand_bits = encoded_bits, other_bits
        self.encoded_bits = self.pairs * (encoded_bits if self.encodes else self.code)
        self.other_bits = self.pairs * other_bits
        self.completed = design.opt1 or design.opt2
        self.product = self.kind.product_bits(other_bits)
        self.chained = design.architecture in ("systolic-ws", "cube")
        self.apart = design.opt2 and not design.opt3
        both, growth = encoded_bits + other_bits, (design.depth - 1).bit_length()
        if design.architecture == "cube":
            self.width = (self.product if self.apart else both) + growth
        elif design.architecture == "systolic-ws":
            self.width = min(design.accumulator_bits, both + (design.rows - 1).bit_length())
        else:
            self.width = design.accumulator_bits
        self.tree_bits = (self.product if self.apart else both) + growth
        self.unsigned_sums = self.apart and design.opt1 and design.architecture == "tree"
        self.words = self._word_names()
        self._out = VerilogText()

    def module(self) -> str:
        """The text of the module."""
        self._out = VerilogText()
        live = _Live(codes="encoded_reg", other="other_reg")
        stages = self._stages()
        cuts = self._cut_places(stages)
        for number, stage in enumerate(stages):
            live = stage.write(live)
            for _ in range(cuts.count(number)):
                live = self._registered(live)
        following = self._totals(live)
        registers = {"encoded_reg": "encoded", "other_reg": "other", **dict(zip(self.words, following, strict=True))}
        self._out.register(registers)
        return "\n".join([*self._header(), *(f"  {line}" for line in self._out.lines), "endmodule", ""])

    def _word_names(self) -> tuple[str, ...]:
        names = ("sum", "carry") if self.design.opt1 else ("total",)
        if self.apart and self.design.architecture == "cube":
            return tuple(f"{name}{d}" for d in range(self.length) for name in names)
        return names

    def _header(self) -> list[str]:
        ports = ["input clk", "input clear"]
        for name, bits in (("encoded", self.encoded_bits), ("other", self.other_bits)):
            ports += [f"input [{bits - 1}:0] {name}", f"output [{bits - 1}:0] {name}_out"]
        for word in self.words:
            ports += [f"input [{self.width - 1}:0] {word}_in"] if self.chained else []
            ports.append(f"output reg [{self.width - 1}:0] {word}")
        declared = ",\n    ".join(ports)
        return [
            "// One PE: operands are registered and passed on; clear starts a new total with what is added then.",
            f"module pe (\n    {declared});",
            f"  reg [{self.encoded_bits - 1}:0] encoded_reg;",
            f"  reg [{self.other_bits - 1}:0] other_reg;",
            "  assign encoded_out = encoded_reg;",
            "  assign other_out = other_reg;",
        ]

    # What a PE does, piece by piece.

    def _stages(self) -> list[_Stage]:
        stages = [_Stage(self._encode_delay(), self._encode)] if self.encodes else []
        tripling = self._adder_delay(self.product) if self.kind.largest == 3 else 0.0
        stages.append(_Stage(1.0 + tripling, self._select))
        classic_tree = self.design.architecture == "tree" and not self.design.opt1
        if classic_tree or (self.apart and self.design.architecture == "tree"):
            stages += self._levels(self._group_size())
            if not self.design.opt1:
                stages.append(_Stage(self._adder_delay(self.tree_bits), self._add_groups))
        if classic_tree and not self.apart:
            stages += [_Stage(self._adder_delay(self.tree_bits), self._add_neighbours)] * (self.pairs - 1).bit_length()
        if self.apart and self.design.architecture == "tree":
            stages.append(_Stage(0.0, self._shift_groups))
            if self.design.pipeline_cuts:
                stages += self._levels(self.length * (2 if self.design.opt1 else 1) + int(self.unsigned_sums))
        if self.design.pipeline_cuts and not self.apart and not classic_tree:
            stages += self._levels(self._group_size())
        return stages

    def _group_size(self) -> int:
        """Words that are summed together."""
        if self.apart:
            return self.pairs
        per_pair = self.length + (0 if self.completed else 1)
        if self.design.architecture == "tree" and not self.design.opt1:
            return per_pair
        return per_pair * self.pairs

    def _levels(self, words: int) -> list[_Stage]:
        stages = []
        while words > 2:
            steps, left = compressor_level(list(range(words)), words, self.design.compressor)
            chained = any(step[0] >= words for step in steps)  # of 4:2 compressors, two adders deep
            stages.append(_Stage(2.0 if chained else 1.0, self._compress))
            words = len(left)
        return stages

    def _adder_delay(self, width: int) -> float:
        if self.design.final_adder == "ripple":
            return 0.25 * width
        return (0.7 if self.design.final_adder == "brent-kung" else 0.4) * log2(width) + 0.3

    def _encode_delay(self) -> float:
        """Booth looks at three bits; the others take an adder, a magnitude, or a carry from digit to digit."""
        magnitude = 0.5 * log2(self.value_bits)
        delays = {"booth": 0.5, "naf": self._adder_delay(self.value_bits), "tc-serial": 0.0}
        delays["ent"] = magnitude + 0.5 * self.length
        return delays.get(self.kind.name, magnitude)

    def _cut_places(self, stages: list[_Stage]) -> list[int]:
        """After which stages registers go, so that the longest piece is short."""
        loop = 2.0 if self.design.opt1 else self._adder_delay(self.width) + (0.0 if self._alone() else 1.0)
        best, least = [], inf
        for places in combinations_with_replacement(range(len(stages)), self.design.pipeline_cuts):
            edges = [-1, *places, len(stages) - 1]
            pieces = [sum(s.delay for s in stages[i + 1 : j + 1]) for i, j in pairwise(edges)]
            longest = max([*pieces[:-1], pieces[-1] + loop])
            if longest < least - 1e-9:
                best, least = list(places), longest
        return best

    def _alone(self) -> bool:
        """Whether a single word, the sum of a tree of adders, is added to the accumulator."""
        return self.design.architecture == "tree" and not self.completed

    def _encode(self, live: _Live) -> _Live:
        codes = self._out.wire(self.pairs * self.code, "codes")
        for n in range(self.pairs):
            value = f"{live.codes}[{n * self.value_bits} +: {self.value_bits}]"
            self._out.line(f"encode encoder{n} (.value({value}), .codes({codes}[{n * self.code} +: {self.code}]));")
        return _Live(codes=codes, other=live.other)

    def _select(self, live: _Live) -> _Live:
        """Partial products, in groups of those that are summed first."""
        products = [self._select_pair(n, live) for n in range(self.pairs)]
        radix = self.kind.bits_per_digit
        places = [0 if self.apart else d * radix for d in range(self.length)]
        width = self._selected_bits()
        if self.apart:
            groups = [[(words[d], 0) for words in products] for d in range(self.length)]
        elif self.design.architecture == "tree" and not self.design.opt1:
            groups = [list(zip(words, places, strict=True)) for words in products]
        else:
            groups = [[pair for words in products for pair in zip(words, places, strict=True)]]
        if self.unsigned_sums:
            placed = [[self._inverted(product, width, 0, 0) for product in group] for group in groups]
        else:
            placed = [self._placed(group, width) for group in groups]
        if not self.completed:
            ones = self._completing(live, places, width)
            placed = [[*group, one] for group, one in zip(placed, ones, strict=True)]
        return _Live(tuple(tuple(group) for group in placed), width=width)

    def _selected_bits(self) -> int:
        """Width of words to be summed first: of a product, or of one digit's words, or of the accumulator."""
        tree = self.design.architecture == "tree"
        return self.tree_bits if tree and (self.apart or not self.design.opt1) else self.width

    def _select_pair(self, n: int, live: _Live) -> list[str]:
        """The partial product of each digit of one pair of operands."""
        names = ["once", "minus_once", *(["thrice", "minus_thrice"] if self.kind.largest == 3 else [])]
        wires = {name: self._out.wire(self.product, f"{name}{n}_") for name in names}
        operand = f"{live.other}[{n * self.operand_bits} +: {self.operand_bits}]"
        given = ", ".join(f".{name}({wire})" for name, wire in wires.items())
        self._out.line(f"candidates candidates{n} (.operand({operand}), {given});")
        offered = [name for name in names if self.completed or not name.startswith("minus")]
        chosen = ", ".join(f".{name}({wires[name]})" for name in offered)
        products = []
        for d in range(self.length):
            product = self._out.wire(self.product, f"product{n}_{d}_")
            digit = self._digit(live, n, d)
            self._out.line(f"select select{n}_{d} (.digit({digit}), {chosen}, .product({product}));")
            products.append(product)
        return products

    def _digit(self, live: _Live, n: int, d: int) -> str:
        each = code_bits(self.kind)
        return f"{live.codes}[{n * self.code + d * each} +: {each}]"

    def _completing(self, live: _Live, places: list[int], width: int) -> list[str]:
        """Words of the ones that complete inverted products, for each pair of operands."""
        words, each = [], code_bits(self.kind)
        for n in range(self.pairs):
            bits = ["1'b0"] * width
            for d, place in enumerate(places):
                if place < width:
                    bits[place] = f"{live.codes}[{n * self.code + d * each + each - 1}]"
            words.append(self._out.wire(width, "completing", f"{{{', '.join(reversed(bits))}}}"))
        return words

    def _placed(self, products: list[tuple[str, int]], width: int) -> list[str]:
        """Products in two's complement at their places, as words of ``width`` bits with the same sum modulo 2 ** width.

        Instead of being repeated upwards, each sign is inverted, which adds a constant; its negative fits above the
        first word, whose sign is repeated as often as it takes.
        """
        high = self.product - 1
        rest = sum(1 << (high + place) for _, place in products[1:])
        for repeats in range(min(4, width - high)) if len(products) > 1 else ():
            correction = -((1 << (high + products[0][1] + repeats)) + rest) % (1 << width)
            top = high + repeats + 1
            if products[0][1] == 0 and correction % (1 << top) == 0:
                first = self._inverted(products[0], width, repeats, correction >> top)
                return [first, *(self._inverted(product, width, 0, 0) for product in products[1:])]
        return [self._out.extended(product, self.product, place, width) for product, place in products]

    def _inverted(self, product: tuple[str, int], width: int, repeats: int, above: int) -> str:
        """A product with its sign repeated, then inverted, and constant bits above."""
        name, place = product
        high = self.product - 1
        bits = [f"{name}[{high - 1}:0]", *[f"{name}[{high}]"] * repeats, f"~{name}[{high}]"]
        free = width - place - high - repeats - 1
        if free < 0:
            return self._out.extended(
                self._out.wire(high + repeats + 1, "whole", joined(bits)), high + repeats + 1, place, width
            )
        bits += [f"{free}'d{above}"] if free else []
        bits = [f"{place}'d0", *bits] if place else bits
        return self._out.wire(width, "word", joined(bits))

    def _compress(self, live: _Live) -> _Live:
        return _Live(
            tuple(self._out.compressed(group, live.width, self.design.compressor) for group in live.groups),
            width=live.width,
        )

    def _add_groups(self, live: _Live) -> _Live:
        return _Live(tuple((self._out.added(group, live.width),) for group in live.groups), width=live.width)

    def _add_neighbours(self, live: _Live) -> _Live:
        words = [word for group in live.groups for word in group]
        sums = [self._out.added(tuple(words[n : n + 2]), live.width) for n in range(0, len(words), 2)]
        return _Live(tuple((word,) for word in sums), width=live.width)

    def _shift_groups(self, live: _Live) -> _Live:
        """Each digit's sum to its weight, in the width of the accumulator.

        Sum and carry cannot be extended by their signs apart from each other. So where both are kept, products came
        with inverted signs, as numbers without sign, and the constant that this added is taken away here.
        """
        radix, unsigned = self.kind.bits_per_digit, self.unsigned_sums
        words = [
            self._out.extended(word, live.width, d * radix, self.width, signed=not unsigned)
            for d, group in enumerate(live.groups)
            for word in group
        ]
        if unsigned:
            added = sum(self.pairs << (self.product - 1 + d * radix) for d in range(self.length))
            words.append(self._out.wire(self.width, "correction", f"{self.width}'d{-added % (1 << self.width)}"))
        return _Live((tuple(words),), width=self.width)

    def _totals(self, live: _Live) -> list[str]:
        """The next contents of the accumulators, or the partial sums that are passed on."""
        each = 2 if self.design.opt1 else 1
        held = [f"{word}_in" if self.chained else self._cleared(word) for word in self.words]
        groups = live.groups if self.apart and self.chained else (tuple(w for group in live.groups for w in group),)
        following = []
        for number, group in enumerate(groups):
            words = tuple(self._out.extended(word, live.width, 0, self.width) for word in group)
            words += tuple(held[number * each : (number + 1) * each])
            while len(words) > 2:
                words = self._out.compressed(words, self.width, self.design.compressor)
            following += list(words) if self.design.opt1 else [self._out.added(words, self.width)]
        return following

    def _cleared(self, word: str) -> str:
        return self._out.wire(self.width, f"{word}_before", f"{word} & {{{self.width}{{~clear}}}}")

    def _registered(self, live: _Live) -> _Live:
        """A register for everything that crosses to the next stage."""
        groups = tuple(tuple(self._out.held(word, live.width) for word in group) for group in live.groups)
        codes = self._out.held(live.codes, self.pairs * self.code) if live.codes else ""
        other = self._out.held(live.other, self.other_bits) if live.other else ""
        return _Live(groups, codes, other, live.width)
