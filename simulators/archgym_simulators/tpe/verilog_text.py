"""The body of a Verilog module as it grows: wires with names of their own, and words made of others."""

from __future__ import annotations

__all__ = ["VerilogText", "joined"]

from collections.abc import Mapping, Sequence

from archgym_simulators.tpe.compressors import compressor_level


def joined(pieces: Sequence[str]) -> str:
    """Verilog's concatenation of pieces, least significant first."""
    return f"{{{', '.join(reversed(pieces))}}}"


class VerilogText:
    """Lines of a module; every method that makes a word returns its name.

    Attributes:
        lines: so far.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._count = 0

    def line(self, text: str) -> None:
        """Add a line as it is."""
        self.lines.append(text)

    def wire(self, width: int, name: str, value: str = "") -> str:
        """A new wire, of a name that starts with ``name``, connected to a value where one is given."""
        named = self._named(name)
        self.lines.append(f"wire [{width - 1}:0] {named}{f' = {value}' if value else ''};")
        return named

    def extended(self, word: str, bits: int, place: int, width: int, *, signed: bool = True) -> str:
        """A word of ``bits`` bits, moved up by ``place``, in ``width`` bits; what is above is cut."""
        if bits == width and place == 0:
            return word
        kept = min(bits, width - place)
        if kept <= 0:
            return self.wire(width, "beyond", f"{width}'d0")
        above = width - place - kept
        sign = f"{{{above}{{{word}[{bits - 1}]}}}}" if signed else f"{above}'d0"
        pieces = [*([f"{place}'d0"] if place else []), f"{word}[{kept - 1}:0]", *([sign] if above else [])]
        return self.wire(width, "word", joined(pieces))

    def compressed(self, words: Sequence[str], width: int, kind: str) -> tuple[str, ...]:
        """Words after one level of carry-save steps."""
        steps, order = compressor_level(list(range(len(words))), len(words), kind)
        named = list(words)
        for first, second, third in steps:
            total, carry = self.wire(width, "s"), self.wire(width, "c")
            inputs = f".x({named[first]}), .y({named[second]}), .z({named[third]})"
            self.lines.append(
                f"carry_save #(.W({width})) {self._named('step')} ({inputs}, .sum({total}), .carry({carry}));"
            )
            named += [total, carry]
        return tuple(named[number] for number in order)

    def added(self, words: Sequence[str], width: int) -> str:
        """The sum of one or two words."""
        if len(words) == 1:
            return words[0]
        total = self.wire(width, "added")
        inputs = f".x({words[0]}), .y({words[1]})"
        self.lines.append(f"final_adder #(.W({width})) {self._named('adder')} ({inputs}, .total({total}));")
        return total

    def held(self, word: str, width: int) -> str:
        """A register that takes a word at every clock."""
        named = self._named("held")
        self.lines.append(f"reg [{width - 1}:0] {named};")
        self.register({named: word})
        return named

    def register(self, values: Mapping[str, str]) -> None:
        """What registers take at every clock, by name."""
        self.lines += ["always @(posedge clk) begin", *(f"  {to} <= {value};" for to, value in values.items()), "end"]

    def _named(self, name: str) -> str:
        self._count += 1
        return f"{name}{self._count}"
