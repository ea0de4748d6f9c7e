import itertools

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.tpe.compressors import compressor_schedule, words_left
from archgym_simulators.tpe.design import COMPRESSORS, FINAL_ADDERS, TpeDesign
from archgym_simulators.tpe.encodings import ENCODINGS
from archgym_simulators.tpe.functional import _Engine, accumulated_words, multiply, needed_accumulator_bits
from archgym_simulators.tpe.model import evaluate
from archgym_simulators.tpe.workloads import workload

SKIPPING = {"architecture": "matrix", "opt1": True, "opt2": True, "opt3": True}
GROUPED = {**SKIPPING, "encoder_placement": "group", "lanes": 4}
ENGINES = {
    "mac": {},
    "opt1": {"opt1": True},
    "weights": {"architecture": "systolic-ws", "rows": 4},
    "weights-opt1": {"architecture": "systolic-ws", "rows": 4, "opt1": True},
    "cube": {"architecture": "cube", "depth": 4},
    "cube-opt1": {"architecture": "cube", "depth": 4, "opt1": True},
    "cube-opt2": {"architecture": "cube", "depth": 4, "opt2": True},
    "cube-opt12": {"architecture": "cube", "depth": 4, "opt1": True, "opt2": True},
    "tree": {"architecture": "tree", "depth": 8},
    "tree-opt1": {"architecture": "tree", "depth": 8, "opt1": True},
    "tree-opt2": {"architecture": "tree", "depth": 8, "opt2": True},
    "tree-opt12": {"architecture": "tree", "depth": 8, "opt1": True, "opt2": True},
    "matrix": {"architecture": "matrix"},
    "opt3": SKIPPING,
    "opt4c": {**SKIPPING, "encoder_placement": "column"},
    "opt4e": GROUPED,
}


def gemm(shape, seed, a_bits=8, b_bits=8):
    rng = np.random.default_rng(seed)
    m, k, n = shape
    a = rng.integers(-(1 << (a_bits - 1)), 1 << (a_bits - 1), (m, k))
    return a, rng.integers(-(1 << (b_bits - 1)), 1 << (b_bits - 1), (k, n))


def corners(k):
    """Rows of the least, the greatest and other extreme values."""
    extremes = np.array([-128, -127, -86, -34, -2, -1, 0, 1, 42, 85, 127])
    return np.repeat(extremes[:, None], k, axis=1), np.repeat(extremes[None, :], k, axis=0)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("engine", ["mac", "opt1", "tree-opt2", "opt4c"])
def test_all_pairs_of_int8_are_multiplied_exactly(encoding, engine):
    values = np.arange(-128, 128)
    outcome = multiply(TpeDesign(**ENGINES[engine], encoding=encoding), values[:, None], values[None, :])
    assert np.array_equal(outcome.product, np.multiply.outer(values, values))
    assert outcome.overflow is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("operand", ["a", "b"])
def test_matrix_products_equal_those_of_int64(engine, operand):
    design = TpeDesign(**ENGINES[engine], encoded_operand=operand, k_tile=16, encoding="ent")
    for a, b in (gemm((5, 53, 7), seed=1), corners(37)):
        outcome = multiply(design, a, b)
        assert outcome.overflow is None
        assert np.array_equal(outcome.product, a @ b)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("a_bits", "b_bits"), [(4, 4), (4, 8), (16, 16), (5, 11)])
def test_other_precisions_are_exact(encoding, a_bits, b_bits):
    a, b = gemm((4, 20, 3), seed=2, a_bits=a_bits, b_bits=b_bits)
    for engine in ("mac", "tree-opt12", "opt4e"):
        design = TpeDesign(**ENGINES[engine], encoding=encoding, accumulator_bits=40)
        assert np.array_equal(multiply(design, a, b, a_bits=a_bits, b_bits=b_bits).product, a @ b)


@pytest.mark.parametrize(("compressor", "adder"), list(itertools.product(COMPRESSORS, FINAL_ADDERS)))
def test_compressor_and_adder_change_no_result(compressor, adder):
    a, b = gemm((3, 24, 3), seed=3)
    for engine in ("mac", "cube-opt1", "tree-opt12", "opt4e"):
        design = TpeDesign(**ENGINES[engine], compressor=compressor, final_adder=adder)
        assert np.array_equal(multiply(design, a, b).product, a @ b)


SIXTEEN = TpeDesign(architecture="tree", depth=16, opt2=True, encoding="ent")


@pytest.mark.parametrize(("value", "wrapped"), [(-2, -4096), (-128, -262144), (-34, -69632)])
def test_sixteen_products_of_one_digit_do_not_fit_13_bits(value, wrapped):
    """The case in which the published 13-bit tree of OPT2 is wrong: every B is -128 and K is 16."""
    a, b = np.full((1, 16), value), np.full((16, 1), -128)
    assert multiply(SIXTEEN, a, b).product[0, 0] == 16 * value * -128
    published = _Engine(SIXTEEN, 8, 8)
    assert published.digit_sum_bits == 14
    published.digit_sum_bits = 13
    outcome = published.run(a, b)
    assert outcome.product[0, 0] == wrapped
    assert outcome.overflow is not None


def test_an_accumulator_of_one_digit_wraps_in_the_same_case():
    a, b = np.full((1, 16), -2), np.full((16, 1), -128)
    found = multiply(TpeDesign(**SKIPPING, encoding="ent", accumulator_bits=13), a, b).overflow
    assert (found.digit, found.exact, found.kept) == (0, 4096, -4096)
    assert str(found) == (
        "the total of digit 0 of C[0, 0] from k = 0 is 4096, its accumulator of 13 bits holds -4096 ... 4095 and keeps "
        "-4096 (totals that do not fit: 1)"
    )
    assert multiply(TpeDesign(**SKIPPING, encoding="ent", accumulator_bits=14), a, b).overflow is None


def test_its_neighbours_fit_13_bits():
    published, b = _Engine(SIXTEEN, 8, 8), np.full((16, 1), -128)
    published.digit_sum_bits = 13
    for row in (np.full(16, -1), np.full(16, 127), np.array([-2] * 15 + [-1])):
        assert published.run(row[None, :], b).overflow is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_needed_accumulator_is_enough_and_one_bit_less_is_not(engine, encoding):
    k = 16
    bits = needed_accumulator_bits(TpeDesign(**ENGINES[engine], encoding=encoding), k=k)
    a, b = extreme_operands(k)
    enough = multiply(TpeDesign(**ENGINES[engine], encoding=encoding, accumulator_bits=bits), a, b)
    assert np.array_equal(enough.product, a @ b)
    narrow = multiply(TpeDesign(**ENGINES[engine], encoding=encoding, accumulator_bits=bits - 1), a, b)
    assert narrow.overflow is not None
    assert not np.array_equal(narrow.product, a @ b)


def extreme_operands(k):
    a = np.repeat(np.arange(-128, 128)[:, None], k, axis=1)
    return a, np.repeat(np.array([[-128, 127]]), k, axis=0)


def test_an_overflow_says_where_it_happened_and_which_operand_was_encoded_does_not_matter():
    a, b = np.zeros((3, 8), dtype=int), np.zeros((8, 4), dtype=int)
    a[2], b[:, 1] = -128, -128
    for operand in "ab":
        found = multiply(TpeDesign(accumulator_bits=17, k_tile=8, encoded_operand=operand), a, b).overflow
        assert (found.m, found.n, found.k, found.digit, found.exact, found.kept) == (2, 1, 0, None, 131072, 0)
        assert "C[2, 1]" in str(found)
        assert "\n" not in str(found)


def test_a_total_that_comes_back_before_it_is_read_is_no_overflow():
    a, b = np.array([[127, 127, -127, -127]]), np.array([[127], [127], [127], [127]])
    design = TpeDesign(accumulator_bits=15, opt1=True)
    outcome = multiply(design, a, b)
    assert outcome.overflow is None
    assert outcome.product[0, 0] == 0


def test_tiles_along_k_empty_the_accumulator():
    a, b = np.full((1, 64), -128), np.full((64, 1), -128)
    narrow = {"accumulator_bits": 19}
    assert multiply(TpeDesign(k_tile=8, **narrow), a, b).overflow is None
    found = multiply(TpeDesign(k_tile=32, **narrow), a, b).overflow
    assert (found.k, found.exact, found.bits) == (0, 32 * 128 * 128, 19)


def test_a_carry_save_accumulator_keeps_a_sum_and_a_carry_word():
    a, b = gemm((2, 9, 2), seed=5)
    ((total, carry),) = accumulated_words(TpeDesign(opt1=True, accumulator_bits=24), a, b)
    assert np.array_equal((total + carry - (a @ b)) % (1 << 24), np.zeros((2, 2)))
    assert carry.any()
    assert all(word.min() >= 0 and word.max() < 1 << 24 for word in (total, carry))
    ((only,),) = accumulated_words(TpeDesign(accumulator_bits=24), a, b)
    assert np.array_equal(only, (a @ b) % (1 << 24))


def test_a_skipped_cycle_leaves_sum_and_carry_as_they_are():
    design = TpeDesign(**SKIPPING, accumulator_bits=20)
    a, b = np.array([[5, 3, 77]]), np.array([[9], [-8], [13]])
    with_zeros = np.array([[5, 0, 0, 3, 0, 77]]), np.array([[9], [7], [1], [-8], [5], [13]])
    for short, long in zip(accumulated_words(design, a, b), accumulated_words(design, *with_zeros), strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(short, long, strict=True))


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("words", range(1, 40))
def test_a_compressor_uses_each_word_once_and_leaves_two(words, kind):
    steps = [step for level in compressor_schedule(words, kind) for step in level]
    used = [word for step in steps for word in step]
    assert len(used) == len(set(used))
    assert len(words_left(words, kind)) == min(words, 2)
    assert len(steps) == max(words - 2, 0)


def test_compressor_levels_are_those_of_the_literature():
    assert [len(compressor_schedule(n, "dadda")) for n in (3, 4, 6, 9, 13, 19)] == [1, 2, 3, 4, 5, 6]
    assert [len(compressor_schedule(n, "wallace")) for n in (3, 4, 6, 9)] == [1, 2, 3, 4]
    assert [len(compressor_schedule(n, "4:2")) for n in (4, 8, 16, 32)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros((2, 3), int), np.zeros((2, 3), int), "a has 3 columns and b 2 rows"),
        (np.full((1, 1), 128), np.zeros((1, 1), int), "a has 128, which does not fit 8 bits"),
        (np.zeros((1, 1)), np.zeros((1, 1), int), "a must be a matrix of integers, not float64"),
        (np.zeros(3, int), np.zeros((3, 1), int), "a must be a matrix of integers"),
    ],
)
def test_bad_operands_are_refused_in_one_line(a, b, message):
    with pytest.raises(InputError, match=message):
        multiply(TpeDesign(), a, b)


@pytest.mark.parametrize("precision", ["int8", "int4xint8", "int16"])
def test_the_cost_model_asks_for_the_accumulators_that_are_needed(precision):
    work, k = workload(f"gemm:8x8x40@{precision}"), 40
    a_bits, b_bits = (form.bits for form in work.precisions)
    choices = itertools.product(ENGINES.values(), ENCODINGS, "ab", (16, 64))
    designs = [TpeDesign(**e, encoding=c, encoded_operand=o, k_tile=t) for e, c, o, t in choices]
    needed = [needed_accumulator_bits(design, k=k, a_bits=a_bits, b_bits=b_bits) for design in designs]
    assert evaluate(designs, work).column("needed_accumulator_bits").tolist() == needed
