from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym_simulators.dram.features import FEATURE_DESCRIPTIONS, FEATURE_NAMES, trace_features
from archgym_simulators.dram.trace import Trace
from archgym_simulators.dram.workloads import WORKLOADS, generate, workload

GIB = 2**30


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**20), st.booleans(), st.integers(0, 2**40)), min_size=1, max_size=40))
def test_features_of_any_trace_are_normalised(requests):
    cycle, is_write, address = zip(*requests, strict=True)
    for relative in (False, True):
        trace = Trace.build(
            "t", cycle=cycle, is_write=is_write, address=address, relative=relative, allow_decreasing=True
        )
        features = trace_features(trace, capacity_bytes=GIB)
        assert features.shape == (len(FEATURE_NAMES),)
        assert ((features >= 0) & (features <= 1)).all()
        assert not np.signbit(features).any()


def slow_reuse(keys, window):
    return sum(key in keys[max(0, row - window) : row] for row, key in enumerate(keys)) / len(keys)


def test_features_equal_their_definitions():
    trace = generate("mixed:0.3,n=500@0.5", capacity_bytes=2**20)
    made = dict(zip(FEATURE_NAMES, trace_features(trace, capacity_bytes=2**20), strict=True))
    line, row = (trace.address // 64).tolist(), (trace.address // 8192).tolist()
    last, hits = {}, 0
    for number in row:
        hits += last.get(number % 8) == number
        last[number % 8] = number
    windows = [{number % 8 for number in row[at : at + 16]} for at in range(0, 500, 16)]
    steps = [after - before for before, after in pairwise(line)]
    assert made["row_locality"] == pytest.approx(hits / 500)
    assert made["near_row_reuse"] == pytest.approx(slow_reuse(row, 64))
    assert made["near_line_reuse"] == pytest.approx(slow_reuse(line, 1024))
    assert made["line_reuse"] == pytest.approx(1 - len(set(line)) / 500)
    assert made["bank_parallelism"] == pytest.approx(np.mean([len(window) for window in windows]) / 8)
    assert made["sequential_share"] == pytest.approx(steps.count(1) / 499)
    assert made["stride_regularity"] == pytest.approx(np.mean([a == b for a, b in pairwise(steps)]))
    assert made["stride_size"] == pytest.approx(np.mean([np.log2(1 + abs(step)) for step in steps]) / 14)
    assert made["footprint"] == pytest.approx(np.log2(len(set(line))) / 14)
    assert made["extent"] == pytest.approx((max(line) - min(line) + 1) / 2**14)
    assert made["write_share"] == trace.is_write.mean()
    assert made["injection_rate"] == pytest.approx(500 / (trace.cycle[-1] + 1))
    assert made["log_requests"] == pytest.approx(np.log10(500) / 7)


def test_features_tell_the_workloads_apart():
    vectors = [workload(name).features for name in WORKLOADS]
    for row, vector in enumerate(vectors):
        for other in vectors[:row]:
            assert np.abs(vector - other).max() > 0.01
    assert list(FEATURE_DESCRIPTIONS) == list(FEATURE_NAMES)
