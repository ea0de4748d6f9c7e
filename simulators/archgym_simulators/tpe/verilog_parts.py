"""Verilog of the parts that PEs share: carry-save step, final adders, encoders, candidates and selection."""

from __future__ import annotations

__all__ = [
    "CARRY_SAVE_STEP",
    "adder_module",
    "candidates_module",
    "code_bits",
    "encoder_module",
    "select_module",
    "sparse_encoder_module",
]

from archgym_simulators.tpe.encodings import Encoding, encoding_of

CARRY_SAVE_STEP = """\
// Three words become a sum and a carry word: no carry runs through.
module carry_save #(parameter W = 8) (input [W-1:0] x, y, z, output [W-1:0] sum, carry);
  wire [W-1:0] majority = (x & y) | (x & z) | (y & z);
  assign sum = x ^ y ^ z;
  assign carry = {majority[W-2:0], 1'b0};
endmodule
"""

_RIPPLE = """\
// The carry runs from bit to bit.
module final_adder #(parameter W = 8) (input [W-1:0] x, y, output [W-1:0] total);
  wire [W:0] carry;
  assign carry[0] = 1'b0;
  genvar i;
  generate
    for (i = 0; i < W; i = i + 1) begin : bit_of
      assign total[i] = x[i] ^ y[i] ^ carry[i];
      assign carry[i+1] = (x[i] & y[i]) | (carry[i] & (x[i] | y[i]));
    end
  endgenerate
endmodule
"""

_PREFIX = """\
// {title}: level l joins bit i with bit i - distance where `joined` holds.
module final_adder #(parameter W = 8) (input [W-1:0] x, y, output [W-1:0] total);
  localparam L = $clog2(W);
  localparam LEVELS = {levels};
  wire [W*(LEVELS+1)-1:0] g, p;
  assign g[W-1:0] = x & y;
  assign p[W-1:0] = x ^ y;
  genvar l, i;
  generate
    for (l = 0; l < LEVELS; l = l + 1) begin : level
      for (i = 0; i < W; i = i + 1) begin : bit_of
        localparam distance = {distance};
        localparam here = l * W + i;
        if ({joined}) begin : merge
          assign g[here + W] = g[here] | (p[here] & g[here - distance]);
          assign p[here + W] = p[here] & p[here - distance];
        end else begin : pass
          assign g[here + W] = g[here];
          assign p[here + W] = p[here];
        end
      end
    end
  endgenerate
  assign total = p[W-1:0] ^ {{g[LEVELS*W +: W-1], 1'b0}};
endmodule
"""

_NETWORKS = {
    "kogge-stone": {
        "title": "Kogge-Stone",
        "levels": "L",
        "distance": "1 << l",
        "joined": "i >= distance",
    },
    "sklansky": {
        "title": "Sklansky",
        "levels": "L",
        "distance": "(i % (1 << l)) + 1",
        "joined": "(i >> l) % 2 == 1",
    },
    "brent-kung": {
        "title": "Brent-Kung, L levels up and L - 1 down",
        "levels": "2 * L - 1",
        "distance": "l < L ? 1 << l : 1 << (2 * L - 2 - l)",
        "joined": "i >= distance && (l < L ? (i + 1) % (2 * distance) == 0 : (i + 1) % (2 * distance) == distance)",
    },
}


def adder_module(kind: str) -> str:
    """The module ``final_adder`` of a kind of `archgym_simulators.tpe.design.FINAL_ADDERS`."""
    return _RIPPLE if kind == "ripple" else _PREFIX.format(**_NETWORKS[kind])


def code_bits(encoding: Encoding) -> int:
    """Bits of a digit in wires: its sign and its magnitude."""
    return 1 + encoding.largest.bit_length()


def encoder_module(name: str, bits: int) -> str:
    """The module ``encode``: a value of ``bits`` bits becomes digits {negative, magnitude}, least significant first."""
    kind = encoding_of(name)
    length, code = kind.length(bits), code_bits(kind)
    body = _ENCODERS[name](bits, length)
    digit_wires = ", ".join(f"digit{d}" for d in reversed(range(length)))
    return "\n".join(
        [
            f"// {kind.name}: {kind.description}.",
            f"module encode (input [{bits - 1}:0] value, output [{length * code - 1}:0] codes);",
            *(f"  {line}" for line in body),
            f"  assign codes = {{{digit_wires}}};",
            "endmodule",
            "",
        ]
    )


def _magnitude(bits: int) -> list[str]:
    return [
        f"wire sign = value[{bits - 1}];",
        f"wire [{bits - 1}:0] magnitude = (value ^ {{{bits}{{sign}}}}) + sign;",
    ]


def _bit_of(word: str, position: int, bits: int) -> str:
    """A bit of a word in two's complement; 0 below it and the sign above."""
    return "1'b0" if position < 0 else f"{word}[{min(position, bits - 1)}]"


def _pair_of_magnitude(d: int, bits: int) -> str:
    return f"{{1'b0, magnitude[{2 * d}]}}" if 2 * d + 1 >= bits else f"magnitude[{2 * d + 1}:{2 * d}]"


def _booth(bits: int, length: int) -> list[str]:
    lines = []
    for d in range(length):
        high, middle, low = (_bit_of("value", 2 * d + offset, bits) for offset in (1, 0, -1))
        two = f"{high} ? ~({middle} | {low}) : ({middle} & {low})"
        lines.append(f"wire [2:0] digit{d} = {{{high} & ~({middle} & {low}), {two}, {middle} ^ {low}}};")
    return lines


def _ent(bits: int, length: int) -> list[str]:
    """The magnitude of a negative value is its inverse plus 1; that 1 is the carry into the first digit."""
    lines = [f"wire sign = value[{bits - 1}];", f"wire [{bits - 1}:0] magnitude = value ^ {{{bits}{{sign}}}};"]
    carry = "sign"
    for d in range(length):
        pair = _pair_of_magnitude(d, bits)
        lines += [
            f"wire [1:0] pair{d} = {pair};",
            f"wire carry{d} = {carry};",
            f"wire three{d} = carry{d} ? pair{d} == 2 : pair{d} == 3;",
            f"wire two{d} = carry{d} ? pair{d} == 1 : pair{d} == 2;",
            f"wire [2:0] digit{d} = {{sign ^ three{d}, two{d}, carry{d} ^ pair{d}[0]}};",
        ]
        carry = f"pair{d}[1] & (pair{d}[0] | carry{d})"
    return lines


def _naf(bits: int, length: int) -> list[str]:
    """Where 3 v and v differ one place higher there is a digit; it is negative where v has the one."""
    value = f"{{{{2{{value[{bits - 1}]}}}}, value}}"
    lines = [
        f"wire [{bits + 1}:0] triple;",
        f"final_adder #(.W({bits + 2})) three (.x({value}), .y({{value[{bits - 1}], value, 1'b0}}), .total(triple));",
    ]
    for d in range(length):
        above = _bit_of("value", d + 1, bits)
        lines.append(f"wire [1:0] digit{d} = {{{above} & ~triple[{d + 1}], triple[{d + 1}] ^ {above}}};")
    return lines


def _sm_serial(bits: int, length: int) -> list[str]:
    return [*_magnitude(bits), *(f"wire [1:0] digit{d} = {{sign, magnitude[{d}]}};" for d in range(length))]


def _tc_serial(bits: int, length: int) -> list[str]:
    return [f"wire [1:0] digit{d} = {{1'b{int(d == length - 1)}, value[{d}]}};" for d in range(length)]


def _sm_radix4(bits: int, length: int) -> list[str]:
    pairs = (_pair_of_magnitude(d, bits) for d in range(length))
    return [*_magnitude(bits), *(f"wire [2:0] digit{d} = {{sign, {pair}}};" for d, pair in enumerate(pairs))]


_ENCODERS = {
    "booth": _booth,
    "ent": _ent,
    "naf": _naf,
    "sm-serial": _sm_serial,
    "tc-serial": _tc_serial,
    "sm-radix4": _sm_radix4,
}


def candidates_module(encoding: Encoding, bits: int) -> str:
    """The module ``candidates``: an operand of ``bits`` bits and its negative, each also times 3 where digits are 3."""
    width = encoding.product_bits(bits)
    names = ["once", "minus_once"] + (["thrice", "minus_thrice"] if encoding.largest == 3 else [])
    lines = [
        f"assign once = {{{{{width - bits}{{operand[{bits - 1}]}}}}, operand}};",
        "assign minus_once = ~once + 1'b1;",
    ]
    if encoding.largest == 3:
        lines += [_tripled("once", "thrice", width), _tripled("minus_once", "minus_thrice", width)]
    return "\n".join(
        [
            "// Multiples of the other operand that a digit can ask for; twice as much is wiring.",
            f"module candidates (input [{bits - 1}:0] operand, output [{width - 1}:0] {', '.join(names)});",
            *(f"  {line}" for line in lines),
            "endmodule",
            "",
        ]
    )


def _tripled(word: str, name: str, width: int) -> str:
    doubled = f"{{{word}[{width - 2}:0], 1'b0}}"
    return f"final_adder #(.W({width})) adder_of_{name} (.x({word}), .y({doubled}), .total({name}));"


def select_module(encoding: Encoding, bits: int, *, completed: bool) -> str:
    """The module ``select``: the partial product that a digit {negative, magnitude} asks for.

    Args:
        encoding: of the digit.
        bits: of the other operand.
        completed: whether a negative product is chosen among candidates; else it is only inverted, and the one that
            completes it is added elsewhere.
    """
    width, code = encoding.product_bits(bits), code_bits(encoding)
    triple = encoding.largest == 3
    inputs = ["once", *(["minus_once"] if completed else []), *(["thrice"] if triple else [])]
    inputs += ["minus_thrice"] if triple and completed else []
    one = "(negative ? minus_once : once)" if completed else "once"
    three = "(negative ? minus_thrice : thrice)" if completed else "thrice"
    terms = [f"({{{width}{{digit[0]{' & ~digit[1]' if triple else ''}}}}} & {one})"]
    if encoding.largest >= 2:
        terms.append(f"({{{width}{{digit[1]{' & ~digit[0]' if triple else ''}}}}} & ({one} << 1))")
    if triple:
        terms.append(f"({{{width}{{digit[1] & digit[0]}}}} & {three})")
    inverted = "" if completed else f" ^ {{{width}{{negative}}}}"
    chosen = " | ".join(terms)
    return "\n".join(
        [
            "// The partial product that a digit asks for.",
            f"module select (input [{code - 1}:0] digit, input [{width - 1}:0] {', '.join(inputs)},",
            f"               output [{width - 1}:0] product);",
            f"  wire negative = digit[{code - 1}];",
            f"  assign product = ({chosen}){inverted};",
            "endmodule",
            "",
        ]
    )


def sparse_encoder_module(encoding: Encoding, bits: int, group: int) -> str:
    """The module ``sparse_encoder``: of a group of operands, the digits of one weight that are not zero, in turn."""
    length, code = encoding.length(bits), code_bits(encoding)
    index = max((group - 1).bit_length(), 1)
    weight = max((length - 1).bit_length(), 1)
    return f"""\
// Takes {group} operands and the weight of a digit; gives the digits of that weight that are not zero, one a cycle.
module sparse_encoder (input clk, input load, input [{group * bits - 1}:0] operands, input [{weight - 1}:0] weight,
                       output reg [{code - 1}:0] digit, output reg [{index - 1}:0] position, output pending);
  reg [{group * code - 1}:0] digits;
  reg [{group - 1}:0] waiting;
  wire [{group * code - 1}:0] fresh;
  wire [{group - 1}:0] present;
  genvar i;
  generate
    for (i = 0; i < {group}; i = i + 1) begin : neighbour
      wire [{length * code - 1}:0] codes;
      encode encoder (.value(operands[i * {bits} +: {bits}]), .codes(codes));
      assign fresh[i * {code} +: {code}] = codes[weight * {code} +: {code}];
      assign present[i] = |fresh[i * {code} +: {code - 1}];
    end
  endgenerate
  wire [{group - 1}:0] first = waiting & (~waiting + 1'b1);
  integer n;
  always @* begin
    digit = {code}'d0;
    position = {index}'d0;
    for (n = 0; n < {group}; n = n + 1) begin
      digit = digit | (digits[n * {code} +: {code}] & {{{code}{{first[n]}}}});
      position = position | (first[n] ? n : 0);
    end
  end
  assign pending = |(waiting & ~first);
  always @(posedge clk) begin
    digits <= load ? fresh : digits;
    waiting <= load ? present : waiting & ~first;
  end
endmodule
"""
