"""Verilog of a design: one PE with its operand registers, its encoder, and a row of PEs that share an operand.

The modules: ``pe``; ``encode`` (digits of a value) and, where zeros are skipped, ``sparse_encoder``; ``column``, PEs
that share the encoded operand. Arithmetic is written out (carry-save steps, prefix adders), so that synthesis gives
what the design says. An adder tree is one PE with ``depth`` pairs of operands.
"""

from __future__ import annotations

__all__ = ["Ports", "column_verilog", "pe_ports", "pe_verilog", "unit_modules"]

from dataclasses import dataclass, replace

from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.encodings import encoding_of, value_range
from archgym_simulators.tpe.verilog_flow import PeWriter
from archgym_simulators.tpe.verilog_parts import (
    CARRY_SAVE_STEP,
    adder_module,
    candidates_module,
    code_bits,
    encoder_module,
    select_module,
    sparse_encoder_module,
)


@dataclass(frozen=True)
class Ports:
    """What goes into and comes out of a PE, by name and width.

    Attributes:
        encoded: bits of the operand that is written as digits, or of its digit codes where the encoder is outside.
        other: bits of the other operand; both for all pairs of a PE together.
        pairs: operands along K that a PE takes in a cycle.
        words: names of the words of an accumulator or partial sum.
        width: bits of each word.
        chained: whether partial sums come from a neighbour (ports ``..._in``) instead of an accumulator.
        latency: cycles from operands at the ports to the registers of the words.
    """

    encoded: int
    other: int
    pairs: int
    words: tuple[str, ...]
    width: int
    chained: bool
    latency: int


def unit_modules(design: TpeDesign) -> tuple[str, ...]:
    """Top modules that a design needs for one PE: ``pe`` and, where it stands outside, its encoder."""
    if design.opt3:
        return ("pe", "sparse_encoder")
    return ("pe",) if design.encoder_placement == "pe" else ("pe", "encode")


def pe_ports(design: TpeDesign, *, a_bits: int = 8, b_bits: int = 8) -> Ports:
    """The ports of a design's PE."""
    writer = _writer(design, a_bits, b_bits)
    chained = writer.chained
    return Ports(
        writer.encoded_bits,
        writer.other_bits,
        writer.pairs,
        writer.words,
        writer.width,
        chained,
        2 + design.pipeline_cuts,
    )


def pe_verilog(design: TpeDesign, *, a_bits: int = 8, b_bits: int = 8) -> str:
    """Verilog with the module ``pe`` of a design, its encoder, and what they are made of.

    Args:
        design: any design that can be built.
        a_bits: of operand A, 2 ... 16.
        b_bits: of operand B, 2 ... 16.

    Raises:
        InputError: bits out of range.
    """
    encoded_bits, other_bits = _operand_bits(design, a_bits, b_bits)
    kind = encoding_of(design.encoding)
    writer = _writer(design, a_bits, b_bits)
    parts = [
        f"// {_title(design)}, A of {a_bits} bits, B of {b_bits} bits.",
        CARRY_SAVE_STEP,
        adder_module(design.final_adder),
        encoder_module(design.encoding, encoded_bits),
        candidates_module(kind, other_bits),
        select_module(kind, other_bits, completed=writer.completed),
    ]
    if design.opt3:
        parts.append(sparse_encoder_module(kind, encoded_bits, design.skip_group))
    return "\n".join([*parts, writer.module()])


def column_verilog(design: TpeDesign, *, pes: int, a_bits: int = 8, b_bits: int = 8) -> str:
    """`pe_verilog` and the module ``column``: ``pes`` PEs that share the encoded operand, and one encoder for them.

    Operands are broadcast where the design broadcasts them and passed from PE to PE elsewhere; partial sums of a
    chain run past the column, so they are ports.
    """
    shared = replace(design, encoder_placement="column") if design.encoder_placement == "pe" else design
    writer = _writer(shared, a_bits, b_bits)
    encoded_bits, _ = _operand_bits(design, a_bits, b_bits)
    kind = encoding_of(design.encoding)
    codes = writer.encoded_bits
    lanes = writer.pairs
    inputs = ["input clk", "input clear", f"input [{pes * writer.other_bits - 1}:0] other"]
    body = [f"wire [{codes - 1}:0] codes;"]
    if design.opt3:
        weight = max((kind.length(encoded_bits) - 1).bit_length(), 1)
        index = max((design.skip_group - 1).bit_length(), 1)
        inputs += [
            f"input [{lanes - 1}:0] load",
            f"input [{lanes * design.skip_group * encoded_bits - 1}:0] encoded",
            f"input [{weight - 1}:0] weight",
            f"output [{lanes * index - 1}:0] position",
            f"output [{lanes - 1}:0] pending",
        ]
        body += [_sparse_lane(lane, design.skip_group * encoded_bits, code_bits(kind), index) for lane in range(lanes)]
    else:
        inputs.append(f"input [{lanes * encoded_bits - 1}:0] encoded")
        body += [_dense_encoder(n, encoded_bits, codes // lanes) for n in range(lanes)]
    skewed = design.architecture in ("systolic-os", "systolic-ws", "cube")
    body += _row_of_pes(writer, pes, skewed=skewed)
    for word in writer.words:
        inputs.append(f"output [{pes * writer.width - 1}:0] {word}")
        if writer.chained:
            inputs.append(f"input [{pes * writer.width - 1}:0] {word}_in")
    ports = ",\n    ".join(inputs)
    lines = [f"module column (\n    {ports});", *(f"  {line}" for line in body), "endmodule", ""]
    return pe_verilog(shared, a_bits=a_bits, b_bits=b_bits) + "\n" + "\n".join(lines)


def _dense_encoder(n: int, bits: int, code: int) -> str:
    return f"encode encoder{n} (.value(encoded[{n * bits} +: {bits}]), .codes(codes[{n * code} +: {code}]));"


def _sparse_lane(lane: int, operands: int, code: int, index: int) -> str:
    inputs = f".clk(clk), .load(load[{lane}]), .operands(encoded[{lane * operands} +: {operands}]), .weight(weight)"
    outputs = f".digit(codes[{lane * code} +: {code}]), .position(position[{lane * index} +: {index}])"
    return f"sparse_encoder encoder{lane} ({inputs}, {outputs}, .pending(pending[{lane}]));"


def _row_of_pes(writer: PeWriter, pes: int, *, skewed: bool) -> list[str]:
    """PEs side by side; the encoded operand reaches all at once, or each from the one before it."""
    lines = []
    for n in range(pes):
        source = "codes" if n == 0 or not skewed else f"passed{n - 1}"
        lines.append(f"wire [{writer.encoded_bits - 1}:0] passed{n};")
        connections = [
            ".clk(clk)",
            ".clear(clear)",
            f".encoded({source})",
            f".other(other[{n * writer.other_bits} +: {writer.other_bits}])",
            f".encoded_out(passed{n})",
            ".other_out()",
        ]
        for word in writer.words:
            piece = f"[{n * writer.width} +: {writer.width}]"
            connections.append(f".{word}({word}{piece})")
            if writer.chained:
                connections.append(f".{word}_in({word}_in{piece})")
        lines.append(f"pe pe{n} ({', '.join(connections)});")
    return lines


def _title(design: TpeDesign) -> str:
    flags = [name.upper() for name in ("opt1", "opt2", "opt3") if getattr(design, name)]
    return " ".join([f"{design.architecture}, {design.encoding} digits of {design.encoded_operand}", *flags])


def _operand_bits(design: TpeDesign, a_bits: int, b_bits: int) -> tuple[int, int]:
    """Bits of the encoded and of the other operand."""
    for bits in (a_bits, b_bits):
        value_range(bits)
    return (a_bits, b_bits) if design.encoded_operand == "a" else (b_bits, a_bits)


def _writer(design: TpeDesign, a_bits: int, b_bits: int) -> PeWriter:
    return PeWriter(design, *_operand_bits(design, a_bits, b_bits))
