import itertools
from dataclasses import replace

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.tpe.design import TpeDesign
from archgym_simulators.tpe.encodings import ENCODINGS, digits, radix_weights
from archgym_simulators.tpe.notation import Loop, Nest, Step
from archgym_simulators.tpe.notation_engines import classic_engine, nest_of
from archgym_simulators.tpe.notation_moves import (
    IllegalMove,
    carry_save,
    exchange,
    exchange_in_array,
    group_lanes,
    serialise,
    share_candidates,
    share_encoder,
    skip_zeros,
    split,
)

SIZES = {"systolic-os": (2, 3, 1), "systolic-ws": (2, 3, 1), "cube": (2, 2, 2), "tree": (1, 2, 4), "matrix": (3, 2, 1)}
SKIPPING = {"architecture": "matrix", "opt1": True, "opt2": True, "opt3": True}


def designs():
    for architecture, (rows, columns, depth) in SIZES.items():
        sizes = {"architecture": architecture, "rows": rows, "columns": columns, "depth": depth, "k_tile": 4}
        flags = itertools.product([False, True], [False, True], ["pe", "column"], "ab")
        for opt1, opt2, placement, operand in flags:
            if opt2 and architecture not in ("cube", "tree"):
                continue
            yield TpeDesign(**sizes, opt1=opt1, opt2=opt2, encoder_placement=placement, encoded_operand=operand)
    for operand, (placement, lanes) in itertools.product("ab", [("pe", 1), ("column", 1), ("group", 2)]):
        yield TpeDesign(
            **SKIPPING, rows=2, columns=2, k_tile=4, encoded_operand=operand, encoder_placement=placement, lanes=lanes
        )


class Reading:
    """What a nest computes, read literally: loops run, primitives act where they stand."""

    def __init__(self, nest, a, b, encoding="booth", bits=8):
        self.nest, (self.rows, self.depth), self.columns = nest, a.shape, b.shape[1]
        self.shape = {"M": self.rows, "N": self.columns, "K": self.depth}
        one, self.other = (a, b.T) if nest.encoded == "a" else (b.T, a)
        self.codes = digits(one, encoding, bits).reshape(*one.shape, -1)
        self.weights = radix_weights(encoding, bits)

    def product(self):
        total = self.run(self.nest.body, (), {}, frozenset())
        result = np.zeros((self.rows, self.columns), dtype=np.int64)
        for (m, n, digit), value in total.items():
            assert digit is None, "a word that was never shifted"
            result[m, n] += value
        return result

    def run(self, body, around, total, ready):
        for item in body:
            if isinstance(item, Loop):
                total = self.loop(item, around, total, ready)
                if not contains(item, "map"):
                    ready = ready | self.prepared(item, around)
            else:
                total, ready = self.step(item.primitive, self.index(around), total, ready)
        return total

    def loop(self, loop, around, total, ready):
        produces, merged = contains(loop, "map"), dict(total) if contains(loop, "map") else {}
        for i in range(self.extent(loop, around)):
            inside = (*around, (loop, i))
            given = {} if produces else {k: v for k, v in total.items() if self.matches(k, inside, loop)}
            for key, value in self.run(loop.body, inside, given, ready).items():
                merged[key] = merged.get(key, 0) + value
        return merged

    def matches(self, key, inside, loop):
        """Whether a word belongs to this iteration; of a loop with another one of its dimension in it, to all."""
        position = {"M": 0, "N": 1, "BW": 2}[loop.dim]
        inner = size_below(loop, loop.dim)
        return key[position] // inner == self.index(inside)[loop.dim]

    def prepared(self, loop, around):
        """What loops without a partial product (candidates or codes made beforehand) leave ready."""
        ready = frozenset()
        for i in range(self.extent(loop, around)):
            inside = (*around, (loop, i))
            for item in loop.body:
                if isinstance(item, Loop):
                    ready |= self.prepared(item, inside)
                else:
                    ready |= self.made(item.primitive, self.index(inside))
        return ready

    def made(self, primitive, index):
        free, own = ("N", "M") if self.nest.encoded == "a" else ("M", "N")
        needs = {"encode": (own, "K", "BW"), "candidates": (free, "K")}.get(primitive)
        return frozenset() if needs is None else frozenset([(primitive, *(index.get(dim) for dim in needs))])

    def step(self, primitive, index, total, ready):
        if primitive == "map":
            return self.mapped(index, total, ready), ready
        if primitive == "shift":
            assert all(digit == index["BW"] for _, _, digit in total), "a shift by another digit's weight"
            return {(m, n, None): value * self.weights[index["BW"]] for (m, n, _), value in total.items()}, ready
        return total, ready | self.made(primitive, index)

    def mapped(self, index, total, ready):
        m, n, k, digit = (index[dim] for dim in ("M", "N", "K", "BW"))
        if m >= self.rows or n >= self.columns or k >= self.depth:
            return total
        own, free = (m, n) if self.nest.encoded == "a" else (n, m)
        assert ("encode", own, k, digit) in ready, "a digit that was never encoded"
        assert ("candidates", free, k) in ready, "multiples that were never prepared"
        return {(m, n, digit): int(self.codes[own, k, digit]) * int(self.other[free, k])}

    def index(self, around):
        index = {}
        for loop, i in around:
            index[loop.dim] = index.get(loop.dim, 0) * (loop.size or 1) + i
        return index

    def extent(self, loop, around):
        if loop.size is not None:
            return loop.size
        known = size_below(loop, loop.dim) * int(np.prod([o.size or 1 for o, _ in around if o.dim == loop.dim]))
        return -(-self.shape[loop.dim] // known)


def contains(item, primitive):
    return item == Step(primitive) or (isinstance(item, Loop) and any(contains(i, primitive) for i in item.body))


def size_below(loop, dim):
    inner = [item for item in loop.body if isinstance(item, Loop)]
    if not inner:
        return 1
    chosen = next((item for item in inner if contains(item, "map")), inner[0])
    return (chosen.size or 1 if chosen.dim == dim else 1) * size_below(chosen, dim)


def operands(shape, seed):
    rng = np.random.default_rng(seed)
    rows, depth, columns = shape
    return rng.integers(-128, 128, (rows, depth)), rng.integers(-128, 128, (depth, columns))


@pytest.mark.parametrize(
    "design", list(designs()), ids=lambda d: f"{d.architecture}-{d.opt1}{d.opt2}{d.encoded_operand}"
)
def test_every_design_read_literally_multiplies_matrices(design):
    a, b = operands((4, 8, 5), seed=1)
    assert np.array_equal(Reading(nest_of(design), a, b).product(), a @ b)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_nest_has_one_iteration_for_each_digit_of_the_encoding(encoding):
    design = TpeDesign(**SKIPPING, rows=2, columns=2, k_tile=4, encoding=encoding)
    a, b = operands((3, 5, 2), seed=2)
    assert np.array_equal(Reading(nest_of(design), a, b, encoding).product(), a @ b)


def test_a_shift_left_out_or_put_outside_the_digits_is_noticed_by_the_reading():
    a, b = operands((2, 2, 2), seed=3)
    nest = classic_engine(TpeDesign(rows=2, columns=2))
    without = Nest("wrong", tuple(strip(item, "shift") for item in nest.body))
    with pytest.raises(AssertionError, match="never shifted"):
        Reading(without, a, b).product()


def test_an_encoder_taken_out_of_a_loop_that_it_depends_on_is_noticed_by_the_reading():
    a, b = operands((2, 2, 2), seed=3)
    body = classic_engine(TpeDesign(rows=2, columns=2)).body
    wrong = Nest("wrong", tuple(strip(item, "encode") for item in (Loop("BW", (Step("encode"),), 4), *body)))
    with pytest.raises(AssertionError, match="never encoded"):
        Reading(wrong, a, b).product()


def strip(item, primitive):
    return (
        item.with_body(*(strip(i, primitive) for i in item.body if i != Step(primitive)))
        if isinstance(item, Loop)
        else item
    )


def test_primitives_are_built_once_for_each_spatial_iteration():
    classic = classic_engine(TpeDesign(rows=16, columns=8))
    built = {name: classic.instances(name) for name in ("encode", "candidates", "map", "add", "accumulate")}
    assert built == {"encode": 512, "candidates": 128, "map": 512, "add": 128, "accumulate": 128}


def test_an_encoder_for_each_column_replaces_one_for_each_pe():
    skipping = TpeDesign(**SKIPPING, rows=16, columns=32)
    assert nest_of(skipping).instances("encode") == 16 * 32
    shared = nest_of(TpeDesign(**SKIPPING, rows=16, columns=32, encoder_placement="column"))
    assert (shared.instances("encode"), shared.instances("sparse"), shared.instances("map")) == (16, 16, 512)
    weights = TpeDesign(**SKIPPING, rows=16, columns=32, encoder_placement="column", encoded_operand="b")
    assert nest_of(weights).instances("encode") == 32


def test_lanes_share_a_compressor_and_an_accumulator():
    nest = nest_of(TpeDesign(**SKIPPING, rows=4, columns=8, encoder_placement="group", lanes=4))
    assert (nest.instances("map"), nest.instances("half_reduce"), nest.instances("encode")) == (128, 32, 16)


def test_carry_save_fires_the_adder_once_for_each_output_instead_of_every_cycle():
    shape = {"M": 32, "N": 32, "K": 100}
    classic = classic_engine(TpeDesign())
    (before,), (after,) = classic.placed("add"), carry_save(classic).placed("add")
    assert (before.instances, before.firings(shape)) == (256, 400)
    assert (after.instances, after.firings(shape)) == (256, 4)


def test_the_exchange_shifts_once_for_each_output_and_digit():
    shape = {"M": 16, "N": 16, "K": 100}
    tree = carry_save(classic_engine(replace(TREE, rows=1)))
    assert tree.placed("shift")[0].firings(shape) == 400
    assert exchange(tree).placed("shift")[0].firings(shape) == 16


def test_the_exchange_within_a_tree_shifts_one_word_a_digit_instead_of_one_a_product():
    tree = classic_engine(TpeDesign(architecture="tree", depth=16, rows=1, columns=1))
    assert (tree.instances("shift"), exchange_in_array(tree).instances("shift")) == (64, 4)


def test_a_split_loop_has_a_spatial_part():
    plain = Nest("plain", (Loop("M", (Step("accumulate"),)),))
    (step,) = split(plain, "M", size=8).placed()
    assert (step.instances, step.firings({"M": 20})) == (8, 3)


MATRIX = TpeDesign(architecture="matrix")
TREE = TpeDesign(architecture="tree", depth=4)


@pytest.mark.parametrize(
    ("move", "reason"),
    [
        (lambda: carry_save(carry_save(classic_engine(MATRIX))), "no add within the loop over K"),
        (lambda: exchange(exchange(classic_engine(MATRIX))), "around the loop over K already"),
        (lambda: exchange_in_array(classic_engine(MATRIX)), "no PEs along K"),
        (lambda: exchange_in_array(exchange_in_array(classic_engine(TREE))), "around the loop over K already"),
        (lambda: serialise(classic_engine(MATRIX)), "exchange them first"),
        (lambda: serialise(serialise(exchange(classic_engine(MATRIX)))), "one after another already"),
        (lambda: skip_zeros(classic_engine(MATRIX)), "a zero among them saves no cycle"),
        (lambda: skip_zeros(serialise(exchange(classic_engine(MATRIX)))), "move it out first"),
        (lambda: skip_zeros(serialise(exchange(carry_save(classic_engine(TpeDesign()))))), "skewed"),
        (lambda: skip_zeros(nest_of(TpeDesign(**SKIPPING))), "skipped already"),
        (lambda: group_lanes(classic_engine(MATRIX), 4), "skip zeros first"),
        (lambda: group_lanes(nest_of(TpeDesign(**SKIPPING)), 1), "two lanes or more, not 1"),
        (lambda: group_lanes(share_encoder(nest_of(TpeDesign(**SKIPPING))), 2), "before the encoder is shared"),
        (lambda: share_encoder(share_encoder(classic_engine(MATRIX))), "no spatial loop over N"),
        (lambda: share_candidates(classic_engine(MATRIX)), "no spatial loop over BW"),
        (lambda: split(split(classic_engine(MATRIX), "M", size=2), "BW", size=2), "no loop over BW to split"),
    ],
)
def test_an_illegal_move_says_why(move, reason):
    with pytest.raises(IllegalMove, match=reason) as error:
        move()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("tiled", [False, True])
def test_moves_need_no_tiles(tiled):
    nest = classic_engine(TpeDesign(architecture="matrix", rows=2, columns=2, k_tile=4), tiled=tiled)
    for move in (carry_save, exchange, serialise, skip_zeros, share_encoder):
        nest = move(nest)
        a, b = operands((2, 6, 4), seed=4)
        assert np.array_equal(Reading(nest, a, b).product(), a @ b)


def test_the_printed_nest_shows_loops_steps_and_how_often_each_is_built():
    lines = nest_of(TpeDesign(**SKIPPING, rows=4, columns=8, encoder_placement="column")).show().splitlines()
    assert lines[0] == "2D matrix + OPT1 + OPT2, digits in turn + OPT3 + OPT4 [booth, K in tiles of 1024]"
    assert [line.strip() for line in lines[1:6]] == [
        "for k in K / 1024:",
        "for m in M / 4:",
        "for n in N / 8:",
        "par m in 4:",
        "for bw in 4:",
    ]
    (encode,) = (line for line in lines if "encode" in line)
    assert encode.split() == ["encode", "A[m,", "k]", "x", "4"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Step("ad"), "unknown primitive 'ad'; did you mean 'add'"),
        (lambda: Loop("Q", ()), "unknown dimension 'Q'"),
        (lambda: Loop("M", (), spatial=True), "needs a size"),
        (lambda: Loop("M", (), 0), "at least one iteration"),
    ],
)
def test_a_loop_or_step_that_means_nothing_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
