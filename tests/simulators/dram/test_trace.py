import pickle

import numpy as np
import pytest

from archgym_simulators.dram.trace import LARGEST_TIME, Trace
from archgym_simulators.errors import InputError


def build(cycle=(0, 1, 2), is_write=(False, True, False), address=(0, 64, 128), **options):
    return Trace.build("t", cycle=np.array(cycle), is_write=is_write, address=np.array(address), **options)


def test_arrays_are_read_only_contiguous_and_typed():
    times = np.arange(6)[::2]
    trace = build(cycle=times)
    assert trace.cycle.dtype == trace.address.dtype == np.int64
    assert trace.is_write.dtype == np.bool_
    for array in (trace.cycle, trace.is_write, trace.address):
        assert array.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_caller_keeps_a_writeable_array():
    times = np.arange(3)
    trace = build(cycle=times)
    times[0] = 7
    assert trace.cycle[0] == 0


def test_pickling_keeps_content_and_protection():
    trace = build()
    again = pickle.loads(pickle.dumps(trace))
    assert again == trace
    assert hash(again) == hash(trace)
    assert not again.address.flags.writeable


@pytest.mark.parametrize(
    "change",
    [
        {"cycle": (0, 1, 3)},
        {"is_write": (True, True, False)},
        {"address": (0, 64, 192)},
        {"relative": True},
        {"cycle": (0, 1), "is_write": (False, True), "address": (0, 64)},
    ],
)
def test_digest_tells_different_requests_apart(change):
    assert build().digest != build(**change).digest


def test_digest_is_the_same_on_every_platform():
    assert build().digest == "c8834c41b0c7cdcb4fb87e19ddea3e8a343bfac426e52cd8cc3c9d3f3843b7c3"


def test_digest_ignores_the_name_but_equality_does_not():
    trace = build()
    other = Trace.build("u", cycle=trace.cycle, is_write=trace.is_write, address=trace.address)
    assert other.digest == trace.digest
    assert other != trace


def test_due_cycle_sends_at_most_one_request_per_clock():
    assert build(cycle=(5, 5, 9)).due_cycle.tolist() == [5, 6, 9]
    assert build(cycle=(4, 0, 0), allow_decreasing=True).due_cycle.tolist() == [4, 5, 6]
    assert build(cycle=(3, 0, 10), relative=True).due_cycle.tolist() == [3, 4, 14]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cycle": (0, 2, 1)}, "request 2: time stamp 1 is below its predecessor 2"),
        ({"cycle": (-1, 0, 1)}, "request 0: time stamp -1 is out of range; allowed are 0.."),
        ({"cycle": (0, 1, LARGEST_TIME + 1)}, "request 2: time stamp 1099511627777 is out of range"),
        ({"cycle": (1, LARGEST_TIME, 0), "relative": True}, "request 1: time stamps add up to 1099511627777"),
        ({"cycle": (2**62, 2**62, 2**62), "relative": True}, "request 0: time stamp 4611686018427387904 is out"),
        ({"address": (0, -64, 0)}, "request 1: address -0x40 is out of range"),
        ({"address": (0, 2**61, 0)}, "request 1: address 0x2000000000000000 is out of range"),
        ({"address": (0, 0, 256), "capacity_bytes": 256}, r"address 0x100 is beyond the device; .* 0x0\.\.0xff"),
        ({"cycle": (0, 1)}, r"must have one shape \(R,\), got \(2,\), \(3,\) and \(3,\)"),
        ({"cycle": (0.0, 1.0, 2.0)}, "cycle must be a one-dimensional array of whole numbers, got float64"),
        ({"address": ((0,), (1,), (2,))}, r"address must be a one-dimensional .* of shape \(3, 1\)"),
        ({"cycle": (), "is_write": (), "address": ()}, "has no requests"),
        ({"address": np.array([0, 0, 2**63], dtype=np.uint64)}, "address 9223372036854775808 is out of range"),
    ],
)
def test_what_is_not_a_trace_is_refused_in_one_line(change, message):
    with pytest.raises(InputError, match=message) as caught:
        build(**change)
    assert "\n" not in str(caught.value)


def test_leniency_accepts_lower_bounds_and_upper_bits():
    trace = build(cycle=(5, 4, 3), address=(0, 2**40, 64), allow_decreasing=True, capacity_bytes=None)
    assert trace.cycle.tolist() == [5, 4, 3]
    assert trace.address[1] == 2**40
