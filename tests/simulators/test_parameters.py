"""Parameter kinds: codecs are bijective, neighbours are symmetric, wrong values are named."""

import itertools
import json
from math import comb, factorial, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgym_simulators import Categorical, Factors, InputError, Integer, Ordinal, Permutation, parameter_from_json
from archgym_simulators.structured_parameters import prime_exponents

EVERY_KIND = [
    Categorical("c", ["Open", "Closed", True, 2.5, 7]),
    Categorical("one", ["only"]),
    Categorical("b", [False, True]),
    Ordinal("o", [1, 2, 4, 8], "KiB"),
    Ordinal("f", [0.1, 0.25, 1e-9, 3], "V"),
    Ordinal("mixed", ["auto", 1, 2]),
    Integer("i", -3, 9, 4),
    Integer("i1", 5, 5),
    Permutation("p1", ["K"]),
    Permutation("p2", ["K", "C"]),
    Permutation("p4", ["K", "C", "X", "Y"]),
    Factors("f1", 1, 3),
    Factors("prime", 13, 3),
    Factors("slot", 360, 1),
    Factors("power", 64, 4),
    Factors("composite", 720, 3),
    Factors("bigprime", 1_000_003, 2),
]


def all_digits(parameter):
    return np.array(list(itertools.product(*(range(r) for r in parameter.radices))), dtype=np.int64)


@pytest.mark.parametrize("parameter", EVERY_KIND, ids=lambda p: p.name)
def test_codec_is_bijective_over_every_value(parameter):
    digits = all_digits(parameter)
    assert len(digits) == parameter.size == prod(parameter.radices)
    readable = parameter.readable(digits)
    assert len({str(value) for value in readable}) == parameter.size
    assert np.array_equal(parameter.encode(readable), digits)
    assert np.array_equal(parameter.encode([str(value) for value in readable]), digits)
    assert [parameter.readable_one(row) for row in digits.tolist()] == readable.tolist()
    assert len(parameter.columns) == digits.shape[1]
    assert len(parameter.values_of(digits)) == parameter.size


@pytest.mark.parametrize("parameter", EVERY_KIND, ids=lambda p: p.name)
def test_neighbours_are_symmetric_distinct_and_in_range(parameter):
    near = {tuple(row): parameter.neighbours(row) for row in all_digits(parameter).tolist()}
    for digits, others in near.items():
        assert digits not in others
        assert len(set(others)) == len(others)
        for other in others:
            assert digits in near[other]
    if parameter.size > 1:
        assert all(near.values()), "every value has somewhere to go"


@pytest.mark.parametrize("parameter", EVERY_KIND, ids=lambda p: p.name)
def test_json_gives_the_same_parameter_back(parameter):
    again = parameter_from_json(json.loads(json.dumps(parameter.to_json(), allow_nan=False)))
    assert again == parameter
    assert hash(again) == hash(parameter)
    assert np.array_equal(again.readable(all_digits(again)), parameter.readable(all_digits(parameter)))


@pytest.mark.parametrize("parameter", EVERY_KIND, ids=lambda p: p.name)
def test_a_wrong_value_is_one_line_with_the_name_and_the_value(parameter):
    with pytest.raises(InputError) as caught:
        parameter.digits_of("no such value")
    message = str(caught.value)
    assert "\n" not in message
    assert parameter.name in message
    assert "no such value" in message


@given(n=st.integers(1, 5000), slots=st.integers(1, 4))
def test_factors_enumerate_every_ordered_factorisation_once(n, slots):
    parameter = Factors("t", n, slots)
    values = parameter.values_of(all_digits(parameter))
    assert (values.prod(axis=1) == n).all()
    assert len({tuple(row) for row in values.tolist()}) == parameter.size
    assert parameter.size == prod(comb(e + slots - 1, slots - 1) for e in prime_exponents(n).values())


@given(st.integers(0, 2**60))
def test_factors_of_a_highly_composite_number_round_trip(draw):
    parameter = Factors("t", 735_134_400, 4)
    digits = (draw % parameter.size,)
    assert parameter.digits_of(parameter.readable_one(digits)) == digits
    for other in parameter.neighbours(digits):
        assert digits in parameter.neighbours(other)


def test_a_neighbour_of_a_factorisation_moves_one_prime():
    parameter = Factors("t", 12, 2)
    near = {parameter.readable_one(d) for d in parameter.neighbours(parameter.digits_of("4x3"))}
    assert near == {"2x6", "12x1"}


def test_a_neighbour_of_an_order_swaps_two_items():
    parameter = Permutation("p", ["A", "B", "C"])
    near = {parameter.readable_one(d) for d in parameter.neighbours(parameter.digits_of("A>B>C"))}
    assert near == {"B>A>C", "C>B>A", "A>C>B"}


@given(st.permutations(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")))
def test_an_order_of_26_items_round_trips(order):
    parameter = Permutation("p", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    digits = parameter.digits_of(">".join(order))
    assert parameter.size == factorial(26)
    assert parameter.readable_one(digits) == ">".join(order)
    assert parameter.values_of(np.array([digits])).tolist() == [[ord(item) - 65 for item in order]]


@given(low=st.integers(-(10**9), 10**9), count=st.integers(1, 10**9), step=st.integers(1, 1000), draw=st.integers(0))
def test_a_huge_integer_range_costs_nothing_and_round_trips(low, count, step, draw):
    parameter = Integer("i", low, low + (count - 1) * step, step)
    assert parameter.size == count
    digits = (draw % count,)
    assert parameter.digits_of(parameter.readable_one(digits)) == digits
    assert parameter.values_of(np.array([digits]))[0] == parameter.readable_one(digits)
    with pytest.raises(InputError, match="did you mean"):
        parameter.digits_of(low - 1)


@pytest.mark.parametrize(
    ("value", "index"), [(4, 2), ("4", 2), (4.0, 2), ("4.0", 2), (" 4 ", 2), (np.int64(4), 2), (np.float64(4), 2)]
)
def test_a_number_may_be_spelt_as_files_spell_it(value, index):
    assert Ordinal("o", [1, 2, 4]).digits_of(value) == (index,)
    assert Integer("i", 2, 4).digits_of(value) == (index,)
    assert Categorical("text", ["1", "2", "4"]).digits_of(value) == (index,)


@pytest.mark.parametrize("value", [True, "True", 1.5, "1.5", None, float("nan"), "nan", "inf", "", "1_0", [4], 10**400])
def test_what_is_no_value_is_refused(value):
    for parameter in (Ordinal("o", [1, 2, 4, 10]), Integer("i", 1, 10), Factors("t", 8, 2)):
        with pytest.raises(InputError):
            parameter.digits_of(value)


@pytest.mark.parametrize(
    ("parameter", "value", "hint"),
    [
        (Categorical("s", ["Fifo", "FrFcfs"]), "FrFcFs", "'FrFcfs'"),
        (Ordinal("o", [1, 2, 4, 128]), 100, "'128'"),
        (Integer("i", 1, 8), 9, "'8'"),
        (Integer("i", 0, 10**15, 10), 44, "'40'"),
        (Permutation("p", ["K", "C"]), "K>c", "'C'"),
    ],
)
def test_the_nearest_match_is_named(parameter, value, hint):
    with pytest.raises(InputError, match=f"did you mean {hint}"):
        parameter.digits_of(value)


def test_a_wrong_product_is_named():
    with pytest.raises(
        InputError, match=r"t must be 2 positive factors of 8 such as '\dx\d', not '2x2'.* product is 4"
    ):
        Factors("t", 8, 2).digits_of("2x2")


def test_encode_names_the_row_counted_from_one():
    with pytest.raises(InputError, match=r"^row 3: o must be one of 1, 2, not 7"):
        Ordinal("o", [1, 2]).encode([1, 2, 7])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Categorical("c", []),
        lambda: Categorical("c", ["a", "a"]),
        lambda: Categorical("c", [1, 1.0]),
        lambda: Categorical("c", ["1", "01"]),
        lambda: Categorical("c", [1, "1"]),
        lambda: Categorical("c", [None]),
        lambda: Categorical("c", [(1, 2)]),
        lambda: Categorical("c", [float("nan")]),
        lambda: Categorical("c", [float("inf")]),
        lambda: Categorical("c", [" a"]),
        lambda: Categorical("c", ["a\nb"]),
        lambda: Categorical("c", [""]),
        lambda: Categorical("", ["a"]),
        lambda: Categorical("a,b", ["a"]),
        lambda: Categorical(" a", ["a"]),
        lambda: Categorical(5, ["a"]),
        lambda: Categorical("c", ["a"], role="gene"),
        lambda: Ordinal("o", []),
        lambda: Integer("i", 2, 1),
        lambda: Integer("i", 1, 2, 0),
        lambda: Integer("i", 1.5, 2),
        lambda: Integer("i", 0, 2**63),
        lambda: Integer("i", True, 2),
        lambda: Permutation("p", []),
        lambda: Permutation("p", ["a", "a"]),
        lambda: Permutation("p", ["a>b"]),
        lambda: Permutation("p", ["a "]),
        lambda: Factors("t", 0, 2),
        lambda: Factors("t", 4, 0),
        lambda: Factors("t", 4.0, 2),
        lambda: Factors("t", 2**63, 2),
        lambda: Factors("t", 2**40, 12),
        lambda: Factors("t", (2**31 - 1) * (2**31 - 19), 2),
        lambda: parameter_from_json({"kind": "categorial", "name": "c", "values": ["a"]}),
        lambda: parameter_from_json({"kind": "integer", "name": "c"}),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_in_one_line(make):
    with pytest.raises(InputError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_an_unknown_keyword_is_a_programming_error():
    with pytest.raises(TypeError, match="'unit'"):
        Categorical("c", ["a"], unit="KiB")
