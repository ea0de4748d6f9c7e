"""Pickles of published benchmarks are read without running anything; hostile ones end in one line."""

import bz2
import collections
import os
import pickle
import struct
from functools import partial

import numpy as np
import pytest

from archgym_simulators import InputError
from archgym_simulators.nas.official_pickles import load_pickle, read_pickle

ARCHIVE = {
    "meta_archs": ["|none~0|", "é"],
    "arch2infos": {0: {"12": {("cifar10-valid", 777): {"ori-test@11": 69.55, "none": None, "yes": True}}}},
    "evaluated_indexes": {0, 1, 2},
    "numbers": [0, -1, 255, 256, 65536, -(2**31), 2**40, -(2**70), 1.5, float("inf"), (1, 2), (), (1, 2, 3, 4)],
    "raw": [b"", b"abc", frozenset([1, 2])],
}


def arrays():
    return {
        "c": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "big": np.arange(3, dtype=">i4"),
        "scalar": np.float64(2.5),
        "integer": np.int64(-7),
        "flag": np.bool_(True),
        "empty": np.zeros((0, 4)),
    }


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_are_read_as_python_reads_them(protocol):
    found = load_pickle(pickle.dumps(ARCHIVE, protocol))
    assert found == ARCHIVE
    assert type(found["arch2infos"][0]["12"]["cifar10-valid", 777]["yes"]) is bool


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_and_numbers_of_numpy_keep_their_values(protocol):
    expected = arrays()
    found = load_pickle(pickle.dumps(expected, protocol))
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
        assert np.shape(found[name]) == np.shape(value)
    assert type(found["integer"]) is int


def test_an_array_that_occurs_twice_is_the_same_twice():
    array = np.arange(3)
    first, second = load_pickle(pickle.dumps([array, array]))
    assert first is second
    assert isinstance(first, np.ndarray)


def test_ordered_and_default_mappings_become_plain_ones():
    ordered = collections.OrderedDict([("b", 1), ("a", 2)])
    default = collections.defaultdict(dict, {"x": 1})
    found = load_pickle(pickle.dumps([ordered, default]))
    assert [type(one) for one in found] == [dict, dict]
    assert list(found[0]) == ["b", "a"]
    assert found[1] == {"x": 1}


class Calls:
    """Pickles to a call."""

    def __init__(self, called, *arguments):
        self._reduced = (called, arguments)

    def __reduce__(self):
        return self._reduced


HOSTILE = {
    "os.system": lambda mark: Calls(os.system, f"touch {mark}"),
    "eval": lambda mark: Calls(eval, f"open({str(mark)!r}, 'w')"),
    "exec": lambda mark: Calls(exec, f"open({str(mark)!r}, 'w')"),
    "open": lambda mark: Calls(open, str(mark), "w"),
    "partial": lambda mark: Calls(partial, os.system, f"touch {mark}"),
    "getattr": lambda mark: Calls(getattr, "text", "upper"),
    "chain": lambda mark: Calls(map, os.system, [f"touch {mark}"]),
    "inside": lambda mark: {"arch2infos": {0: [Calls(os.mkdir, str(mark))]}},
    "object": lambda mark: Calls,
    "numpy": lambda mark: Calls(np.fromfile, str(mark)),
}


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_pickle_that_calls_is_refused_in_one_line_and_calls_nothing(name, protocol, tmp_path):
    mark = tmp_path / "mark"
    with pytest.raises(InputError, match=r"never loaded|is not read") as refusal:
        load_pickle(pickle.dumps(HOSTILE[name](mark), protocol), "file")
    assert "\n" not in str(refusal.value)
    assert not mark.exists()


def test_the_refusal_names_what_the_pickle_names():
    with pytest.raises(InputError, match=r"'file' names (posix|nt).system, which is never loaded"):
        load_pickle(pickle.dumps(Calls(os.system, "true")), "file")


def test_a_dotted_name_reaches_nothing():
    data = b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93."
    with pytest.raises(InputError, match=r"names collections\.OrderedDict\.__init__"):
        load_pickle(data)


def test_a_name_of_several_lines_is_still_refused_in_one():
    with pytest.raises(InputError, match=r"names o s\.sys tem, which") as refusal:
        load_pickle(b"\x80\x04\x8c\x03o\ns\x8c\x07sys\ntem\x93.")
    assert "\n" not in str(refusal.value)


def test_state_can_be_set_of_nothing_but_arrays():
    data = pickle.dumps(collections.OrderedDict(a=1), 4)[:-1] + b"}\x8c\x01a\x8c\x01bsb."
    with pytest.raises(InputError, match="changes the state of dict"):
        load_pickle(data)


def test_a_name_cannot_be_changed_or_returned():
    named = b"\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDict\x93"
    with pytest.raises(InputError, match="changes the state of _Global"):
        load_pickle(named + b"N}\x8c\x04make\x8c\x01xs\x86b.")
    with pytest.raises(InputError, match="ends in a name"):
        load_pickle(named + b".")


def test_a_huge_memo_index_takes_no_memory():
    assert load_pickle(b"\x80\x02Nr" + struct.pack("<I", 2**32 - 1) + b".") is None


def test_a_memo_entry_that_was_never_written_is_one_line():
    with pytest.raises(InputError, match="no well-formed pickle"):
        load_pickle(b"\x80\x02j" + struct.pack("<I", 7) + b".")


def test_a_length_beyond_the_file_is_a_truncation():
    with pytest.raises(InputError, match="truncated"):
        load_pickle(b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.")


def test_keys_that_would_take_for_ever_to_hash_are_refused():
    nested = b"\x80\x02)" + b"2\x86" * 60  # a tuple of itself and itself, sixty times: 2**60 leaves
    with pytest.raises(InputError, match="has a key of the type tuple"):
        load_pickle(b"\x80\x02}" + nested[2:] + b"Ns.")
    with pytest.raises(InputError, match="has a key of the type tuple"):
        load_pickle(b"\x80\x04\x8f(" + nested[2:] + b"\x90.")


def test_deep_nesting_is_read_without_recursion():
    found = load_pickle(b"]" * 200_000 + b"a" * 199_999 + b".")
    depth = 0
    while found:
        found, depth = found[0], depth + 1
    assert depth == 199_999


def test_arrays_of_objects_are_refused():
    with pytest.raises(InputError, match="has an array of O8, not of numbers"):
        load_pickle(pickle.dumps(np.array([os.system], dtype=object)))


def test_an_array_with_more_values_than_bytes_is_one_line():
    data = pickle.dumps(np.arange(4.0), 2).replace(b"K\x04\x85", b"M\xff\xff\x85")
    with pytest.raises(InputError, match="no well-formed pickle"):
        load_pickle(data)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_every_truncation_is_one_line(protocol):
    data = pickle.dumps([ARCHIVE, arrays()], protocol)
    for end in range(len(data)):
        with pytest.raises(InputError) as refusal:
            load_pickle(data[:end])
        assert "\n" not in str(refusal.value)


def test_damage_never_gives_anything_but_plain_values_or_one_line():
    rng = np.random.default_rng(0)
    data = np.frombuffer(pickle.dumps([ARCHIVE, arrays()], 4), np.uint8)
    refused = 0
    for _ in range(2000):
        damaged = data.copy()
        where = rng.integers(0, len(data), 3)
        damaged[where] = rng.integers(0, 256, 3)
        try:
            assert load_pickle(damaged.tobytes()) is not NotImplemented
        except InputError:
            refused += 1
    assert 0 < refused < 2000


@pytest.mark.parametrize("opcode", [b"\x81", b"\x92", b"i", b"o", b"P", b"Q", b"\x82", b"\x97", b"\xff"])
def test_opcodes_that_make_objects_are_refused_by_name(opcode):
    with pytest.raises(InputError, match="opcode"):
        load_pickle(b"\x80\x04NN" + opcode + b"a\nb\n.")


def test_files_may_be_compressed_and_their_size_is_bounded(tmp_path):
    path = tmp_path / "meta.pickle.pbz2"
    path.write_bytes(bz2.compress(pickle.dumps(ARCHIVE)))
    assert read_pickle(path) == ARCHIVE
    with pytest.raises(InputError, match="has more than 50 bytes"):
        read_pickle(path, most_bytes=50)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="truncated"):
        read_pickle(path)
    path.write_bytes(b"BZh9 no bzip2 at all, but a text")
    with pytest.raises(InputError, match="cannot be read"):
        read_pickle(path)
    with pytest.raises(InputError, match="No such file"):
        read_pickle(tmp_path / "absent")
