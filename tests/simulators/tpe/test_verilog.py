import numpy as np
import pytest

from archgym_simulators.errors import InputError, MissingExtra
from archgym_simulators.external.yosys import find_yosys
from archgym_simulators.tpe.design import FINAL_ADDERS, TpeDesign
from archgym_simulators.tpe.encodings import ENCODINGS, digit_table, digits, encoding_of
from archgym_simulators.tpe.functional import accumulated_words, multiply
from archgym_simulators.tpe.netlist import gates_of
from archgym_simulators.tpe.verilog import column_verilog, pe_ports, pe_verilog
from archgym_simulators.tpe.verilog_parts import adder_module, code_bits

SKIPPING = {"architecture": "matrix", "opt1": True, "opt2": True, "opt3": True}
BITS = 6


@pytest.fixture(scope="module")
def yosys():
    try:
        return find_yosys()
    except MissingExtra as error:
        pytest.skip(str(error))


def packed(values, bits):
    """Words side by side, the first lowest: (..., n) -> (...) Python integers."""
    shifts = np.array([1 << (bits * i) for i in range(values.shape[-1])], dtype=object)
    return (values.astype(object) % (1 << bits) * shifts).sum(axis=-1)


def digit_codes(chosen, encoding):
    """Digits as the wires carry them, {negative, magnitude}."""
    sign_place = code_bits(encoding_of(encoding)) - 1
    return np.abs(chosen.astype(int)) | ((chosen < 0).astype(int) << sign_place)


def operands(k, seed, m=5, n=7):
    rng = np.random.default_rng(seed)
    low, high = -(1 << (BITS - 1)), 1 << (BITS - 1)
    a, b = rng.integers(low, high, (m, k)), rng.integers(low, high, (k, n))
    a[0], b[:, 0] = low, low
    return a, b


def run_pe(yosys, design, encoded, other):
    """Clock the synthesised PE through (T, V) packed operands: what it adds to each of its words."""
    ports = pe_ports(design, a_bits=BITS, b_bits=BITS)
    netlist = gates_of(pe_verilog(design, a_bits=BITS, b_bits=BITS), "pe", yosys)
    steps, runs = encoded.shape
    clocks = steps + ports.latency - 1
    still = np.zeros((clocks - steps, runs), dtype=object)
    clear = np.zeros((clocks, runs), dtype=int)
    clear[ports.latency - 1] = 1
    signals = {"encoded": np.vstack([encoded, still]), "other": np.vstack([other, still]), "clear": clear}
    rng = np.random.default_rng(9)
    passing = {word: rng.integers(0, 1 << ports.width, (clocks, runs)) for word in ports.words if ports.chained}
    signals |= {f"{word}_in": values for word, values in passing.items()}
    seen = netlist.run(signals)
    words = {word: seen[word][clocks] - (passing[word][clocks - 1] if ports.chained else 0) for word in ports.words}
    return words, ports


def pe_inputs(design, a, b, chosen=None):
    """Operands of all pairs of a row of ``a`` and a column of ``b`` as a PE takes them: (T, V) packed, twice."""
    ports = pe_ports(design, a_bits=BITS, b_bits=BITS)
    (rows, depth), columns = a.shape, b.shape[1]
    left = np.repeat(a[:, None], columns, axis=1).reshape(rows * columns, depth)
    right = np.repeat(b.T[None], rows, axis=0).reshape(rows * columns, depth)
    steps = depth // ports.pairs
    left, right = (x.reshape(-1, steps, ports.pairs).transpose(1, 0, 2) for x in (left, right))
    each = ports.encoded // ports.pairs
    if design.opt3:
        left = digit_codes(digits(left.ravel(), design.encoding, BITS)[:, chosen].reshape(left.shape), design.encoding)
    elif design.encoder_placement != "pe":
        codes = digit_codes(digits(left.ravel(), design.encoding, BITS), design.encoding)
        left = packed(codes, code_bits(encoding_of(design.encoding))).reshape(left.shape)
    return packed(left, each), packed(right, BITS)


ACCUMULATING = {
    "mac": TpeDesign(accumulator_bits=15),
    "mac, encoder outside": TpeDesign(accumulator_bits=15, encoder_placement="column", encoding="ent"),
    "opt1": TpeDesign(opt1=True, accumulator_bits=15),
    "opt1, wallace of four": TpeDesign(opt1=True, accumulator_bits=20, compressor="4:2", encoding="naf"),
    "opt1, cut": TpeDesign(opt1=True, accumulator_bits=17, pipeline_cuts=3, compressor="dadda"),
    "mac, cut": TpeDesign(accumulator_bits=17, pipeline_cuts=2, final_adder="kogge-stone", encoding="ent"),
    "tree": TpeDesign(architecture="tree", depth=4, accumulator_bits=18, pipeline_cuts=1, final_adder="sklansky"),
    "tree opt1": TpeDesign(architecture="tree", depth=4, opt1=True, accumulator_bits=18),
    "tree opt2": TpeDesign(architecture="tree", depth=4, opt2=True, accumulator_bits=18, encoding="ent"),
    "tree opt1 opt2": TpeDesign(architecture="tree", depth=4, opt1=True, opt2=True, accumulator_bits=18),
    "tree opt2, cut": TpeDesign(
        architecture="tree", depth=4, opt2=True, accumulator_bits=18, pipeline_cuts=3, encoding="naf"
    ),
    "tree opt1 opt2, cut": TpeDesign(
        architecture="tree", depth=4, opt1=True, opt2=True, accumulator_bits=18, pipeline_cuts=3, compressor="4:2"
    ),
    "tree of one": TpeDesign(architecture="tree", depth=1, opt1=True, opt2=True, accumulator_bits=18),
    "matrix, serial": TpeDesign(architecture="matrix", opt1=True, encoding="tc-serial", accumulator_bits=16),
    "radix 4 of magnitudes": TpeDesign(encoding="sm-radix4", accumulator_bits=15),
    "radix 4, candidates": TpeDesign(encoding="sm-radix4", opt1=True, accumulator_bits=15),
    "narrow": TpeDesign(opt1=True, accumulator_bits=8),
}


@pytest.mark.parametrize("name", ACCUMULATING)
def test_a_synthesised_pe_holds_what_the_functional_model_holds(yosys, name):
    design = ACCUMULATING[name]
    a, b = operands(12, seed=1)
    ((*expected,),) = accumulated_words(design, a, b, encoded_bits=BITS, other_bits=BITS)
    words, ports = run_pe(yosys, design, *pe_inputs(design, a, b))
    assert len(words) == len(expected)
    modulo = 1 << ports.width
    assert np.array_equal(sum(words.values()) % modulo, sum(expected).ravel() % modulo)
    assert multiply(design, a, b, a_bits=BITS, b_bits=BITS).overflow is None or design.accumulator_bits < 17


@pytest.mark.parametrize(
    ("encoding", "extra"),
    [("booth", {}), ("ent", {"encoder_placement": "group", "lanes": 4}), ("naf", {"pipeline_cuts": 1})],
)
def test_a_pe_that_skips_zeros_sums_the_words_of_one_digit(yosys, encoding, extra):
    design = TpeDesign(**SKIPPING, **extra, encoding=encoding, accumulator_bits=14)
    a, b = operands(8, seed=2)
    passes = accumulated_words(design, a, b, encoded_bits=BITS, other_bits=BITS)
    chosen = len(passes) - 1
    words, ports = run_pe(yosys, design, *pe_inputs(design, a, b, chosen))
    modulo = 1 << ports.width
    assert np.array_equal(sum(words.values()) % modulo, sum(passes[chosen]).ravel() % modulo)


@pytest.mark.parametrize("opt1", [False, True])
@pytest.mark.parametrize("architecture", ["systolic-ws", "cube"])
def test_a_pe_of_a_chain_adds_its_product_to_the_sum_that_comes_in(yosys, architecture, opt1):
    depth = 4 if architecture == "cube" else 1
    design = TpeDesign(architecture=architecture, rows=4, depth=depth, opt1=opt1, accumulator_bits=20)
    a, b = operands(1, seed=3)
    words, ports = run_pe(yosys, design, *pe_inputs(design, a, b))
    assert ports.width == 14
    assert np.array_equal(sum(words.values()) % (1 << 14), (a @ b).ravel() % (1 << 14))


@pytest.mark.parametrize("opt1", [False, True])
def test_a_pe_of_a_cube_with_digits_apart_adds_each_digits_product_to_its_own_sum(yosys, opt1):
    design = TpeDesign(architecture="cube", depth=4, opt1=opt1, opt2=True)
    a, b = operands(1, seed=4)
    words, ports = run_pe(yosys, design, *pe_inputs(design, a, b))
    each = 2 if opt1 else 1
    for digit, chosen in enumerate(digits(a.ravel(), design.encoding, BITS).T):
        total = sum(list(words.values())[digit * each : (digit + 1) * each])
        assert np.array_equal(total % (1 << ports.width), np.outer(chosen, b).ravel() % (1 << ports.width))


@pytest.mark.parametrize(("encoding", "bits"), [*((name, 8) for name in ENCODINGS), ("booth", 5), ("ent", 5)])
def test_a_synthesised_encoder_writes_the_digits_of_every_value(yosys, encoding, bits):
    verilog = pe_verilog(TpeDesign(encoding=encoding), a_bits=bits)
    values = np.arange(-(1 << (bits - 1)), 1 << (bits - 1))
    codes = gates_of(verilog, "encode", yosys).run({"value": values[None] % (1 << bits)})["codes"][0]
    each, table = code_bits(encoding_of(encoding)), digit_table(encoding, bits)
    for digit in range(table.shape[1]):
        code = (codes >> (digit * each)) & ((1 << each) - 1)
        magnitude, sign = code & ((1 << (each - 1)) - 1), (code >> (each - 1)) & 1
        assert np.array_equal(np.where(sign.astype(bool), -magnitude, magnitude).astype(int), table[:, digit])


@pytest.mark.parametrize("kind", FINAL_ADDERS)
@pytest.mark.parametrize("width", [7, 24])
def test_a_synthesised_adder_adds(yosys, kind, width):
    rng = np.random.default_rng(width)
    x, y = (rng.integers(0, 1 << width, (1, 500)) for _ in range(2))
    verilog = adder_module(kind).replace("parameter W = 8", f"parameter W = {width}")
    total = gates_of(verilog, "final_adder", yosys).run({"x": x, "y": y})["total"][0]
    assert np.array_equal(total, (x + y)[0] % (1 << width))


def test_an_encoder_that_skips_zeros_lists_the_digits_that_are_not_zero(yosys):
    design = TpeDesign(**SKIPPING, encoding="ent", skip_group=4)
    netlist = gates_of(pe_verilog(design), "sparse_encoder", yosys)
    rng = np.random.default_rng(6)
    groups, weight = rng.integers(-128, 128, (200, 4)), rng.integers(0, 4, 200)
    signals = {"operands": packed(groups, 8), "weight": weight, "load": np.ones(200, dtype=int)}
    rows = {name: np.stack([values] * 6) for name, values in signals.items()}
    rows["load"][1:] = 0
    seen = netlist.run(rows)
    for run in range(200):
        chosen = digits(groups[run], "ent", 8)[:, weight[run]]
        expected = [(int(code), place) for place, code in enumerate(digit_codes(chosen, "ent")) if chosen[place]]
        length = max(len(expected), 1)
        listed = [(int(seen["digit"][t][run]), int(seen["position"][t][run])) for t in range(1, 1 + length)]
        assert listed == (expected or [(0, 0)])
        assert [bool(seen["pending"][t][run]) for t in range(1, 1 + length)] == [True] * (length - 1) + [False]


def test_a_column_shares_its_encoder_and_passes_operands_on_where_the_array_is_systolic(yosys):
    pes, k = 3, 5
    a, b = operands(k, seed=7, m=1, n=pes)
    for architecture in ("matrix", "systolic-os"):
        design = TpeDesign(architecture=architecture, encoder_placement="column", accumulator_bits=20)
        netlist = gates_of(column_verilog(design, pes=pes, a_bits=BITS, b_bits=BITS), "column", yosys)
        late = np.arange(pes) if architecture == "systolic-os" else np.zeros(pes, dtype=int)
        clocks = k + 1 + late.max()
        other = np.zeros((clocks, pes), dtype=int)
        for n in range(pes):
            other[late[n] : late[n] + k, n] = b[:, n]
        encoded = np.zeros((clocks, 1), dtype=int)
        encoded[:k, 0] = a[0]
        signals = {"encoded": encoded % (1 << BITS), "other": packed(other, BITS)[:, None]}
        seen = netlist.run({**signals, "clear": np.zeros((clocks, 1), dtype=int)})["total"]
        totals = [int(seen[late[n] + k + 1][0]) >> (20 * n) & ((1 << 20) - 1) for n in range(pes)]
        assert totals == [int(x) % (1 << 20) for x in (a @ b)[0]]


def test_a_column_that_skips_zeros_has_an_encoder_for_each_lane(yosys):
    design = TpeDesign(
        **SKIPPING, encoder_placement="group", lanes=2, skip_group=2, accumulator_bits=12, encoding="naf"
    )
    pes = 2
    netlist = gates_of(column_verilog(design, pes=pes, a_bits=BITS, b_bits=BITS), "column", yosys)
    a = np.array([[3, -5], [7, 0]])  # by lane, the neighbours of its group
    weight = 0
    chosen = digits(a.ravel(), "naf", BITS).reshape(2, 2, -1)[:, :, weight]
    listed = [[(d, place) for place, d in enumerate(lane.tolist()) if d] for lane in chosen]
    clocks = 6
    other = np.zeros((clocks, pes, 2), dtype=int)
    rng = np.random.default_rng(8)
    values = rng.integers(-32, 32, (pes, 2, 2))  # by PE, lane and neighbour
    for lane, entries in enumerate(listed):
        for t, (_, place) in enumerate(entries):
            other[1 + t, :, lane] = values[:, lane, place]
    signals = {"encoded": packed(a.reshape(1, 4), BITS).repeat(clocks), "weight": np.full(clocks, weight)}
    signals |= {"load": np.array([3, 0, 0, 0, 0, 0]), "clear": np.array([0, 0, 1, 0, 0, 0])}
    signals["other"] = packed(other.reshape(clocks, -1), BITS)
    seen = netlist.run({name: np.asarray(column)[:, None] for name, column in signals.items()})
    for pe in range(pes):
        total = sum(int(seen[word][6][0]) >> (12 * pe) for word in ("sum", "carry")) % (1 << 12)
        assert total == int((chosen * values[pe]).sum()) % (1 << 12)


def test_the_text_names_the_design_and_has_one_module_of_each_kind():
    text = pe_verilog(TpeDesign(opt1=True, encoding="ent"))
    assert text.startswith("// systolic-os, ent digits of a OPT1, A of 8 bits, B of 8 bits.")
    modules = [line.split()[1].split("(")[0] for line in text.splitlines() if line.startswith("module")]
    assert modules == ["carry_save", "final_adder", "encode", "candidates", "select", "pe"]
    assert max(map(len, text.splitlines())) < 200


def test_bits_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"bits must be within 2 \.\.\. 16, not 17"):
        pe_verilog(TpeDesign(), a_bits=17)
