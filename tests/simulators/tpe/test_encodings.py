import csv
from pathlib import Path

import numpy as np
import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.tpe.encodings import ENCODINGS, digit_counts, digit_table, digits, radix_weights, value_range

REFERENCES = Path(__file__).parents[4] / "shared" / "refs" / "tpe"


def all_values(bits):
    low, high = value_range(bits)
    return np.arange(low, high + 1)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("bits", [2, 3, 4, 5, 8, 11, 16])
def test_digits_give_every_value_back(encoding, bits):
    values = all_values(bits)
    written = digits(values, encoding, bits)
    assert written.shape == (len(values), ENCODINGS[encoding].length(bits))
    assert np.array_equal(written @ radix_weights(encoding, bits), values)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_largest_digit_and_the_width_of_its_product_are_declared(encoding):
    kind = ENCODINGS[encoding]
    written = digit_table(encoding, 8).astype(int)
    assert np.abs(written).max() == kind.largest
    assert (written[:, :-1].min() < 0) == kind.negative
    products = [written.min() * -128, written.min() * 127, written.max() * -128, written.max() * 127]
    width = kind.product_bits(8)
    assert -(1 << (width - 1)) <= min(products)
    assert (1 << (width - 2)) <= max(map(abs, products)) < 1 << (width - 1)


def test_digits_of_ent_are_minus_one_to_two_before_the_sign():
    values = all_values(8)
    unsigned = digits(values, "ent", 8) * np.where(values < 0, -1, 1)[:, None]
    assert set(np.unique(unsigned)) == {-1, 0, 1, 2}
    assert digits([-128], "ent", 8).tolist() == [[0, 0, 0, -2]]


def test_naf_has_no_two_digits_in_a_row_and_the_fewest_of_all():
    written = digit_table("naf", 8) != 0
    assert not (written[:, 1:] & written[:, :-1]).any()
    radix_2 = [name for name, kind in ENCODINGS.items() if kind.radix == 2]
    assert all((digit_counts("naf", 8) <= digit_counts(name, 8)).all() for name in radix_2)


def test_booth_writes_68_36_percent_of_int8_with_at_most_three_digits():
    assert np.count_nonzero(digit_counts("booth", 8) <= 3) == 175


def test_mean_digits_of_published_encodings():
    file = REFERENCES / "encoding_avg_nonzero_digits.csv"
    if not file.exists():
        pytest.skip("needs the reference tables beside the repository")
    columns = {"ENT": "ent", "MBE": "booth", "NAF": "naf", "SM_bits": "sm-serial", "TC_bits": "tc-serial"}
    columns["SM_radix4"] = "sm-radix4"
    rows = list(csv.DictReader(line for line in file.read_text().splitlines() if not line.startswith("#")))
    (uniform,) = (row for row in rows if row["mode"] == "uniform")
    for column, encoding in columns.items():
        assert digit_counts(encoding, 8).mean() == pytest.approx(float(uniform[column]), abs=6e-4)


def test_tables_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        digit_table("booth", 8)[0, 0] = 1


@pytest.mark.parametrize(
    ("values", "encoding", "bits", "message"),
    [
        ([128], "booth", 8, "128 does not fit 8 bits: -128 ... 127"),
        ([-129, 0], "booth", 8, "-129 does not fit 8 bits"),
        ([0], "boot", 8, "unknown encoding 'boot'; did you mean 'booth'"),
        ([0], "booth", 1, "bits must be within 2 ... 16, not 1"),
        ([0.5], "booth", 8, "values must be integers, not float64"),
    ],
)
def test_bad_input_is_one_line_that_says_what_is_allowed(values, encoding, bits, message):
    with pytest.raises(InputError, match=message) as error:
        digits(values, encoding, bits)
    assert "\n" not in str(error.value)


def test_no_values_have_no_digits():
    assert digits([], "naf", 8).shape == (0, 8)
