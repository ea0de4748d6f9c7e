import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archgym_simulators.dram.features import FEATURE_NAMES, trace_features
from archgym_simulators.dram.trace_files import read_trace
from archgym_simulators.dram.workloads import WORKLOADS, generate, workload
from archgym_simulators.errors import InputError

GIB = 2**30
TRACES = Path(__file__).parents[4] / "shared" / "refs" / "dram" / "traces"
needs_traces = pytest.mark.skipif(not TRACES.is_dir(), reason=f"no reference traces in {TRACES}")

# Changing one of these changes every result on that workload: bump the simulator's version.
DIGESTS = {
    "stream": "9dee51d15b097b54",
    "random": "590b3ed2161d9b7d",
    "cloud-1-like": "19669ad3dfc55f53",
    "cloud-2-like": "d06001765818215b",
    "stride": "94e8042df2c93809",
    "pointer-chase": "8429af717e895500",
    "mixed": "d1deaed008c19b0e",
    "bursty": "8e8b81f86db76b19",
    "zipf": "68306397848cff10",
    "copy": "6043614c66a7932b",
    "dnn-layer": "281c664beec76d71",
}


def features_of(trace):
    return dict(zip(FEATURE_NAMES, trace_features(trace, capacity_bytes=GIB), strict=True))


def reference(name):
    return read_trace(TRACES / f"{name}.stl.gz", capacity_bytes=GIB)


@pytest.mark.parametrize("name", WORKLOADS)
def test_default_workloads_keep_their_bits(name):
    trace = generate(name)
    assert trace.digest[:16] == DIGESTS[name]
    assert trace.name == name
    assert len(trace) == 10_000


@pytest.mark.parametrize("name", WORKLOADS)
def test_requests_are_whole_lines_inside_the_device(name):
    for capacity in (2**27, GIB, 2**33):
        trace = generate(f"{name}:n=5000", capacity_bytes=capacity)
        assert len(trace) == 5000
        assert not (trace.address % 64).any()
        assert int(trace.address.max()) < capacity


@pytest.mark.parametrize("name", sorted(WORKLOADS.keys() - {"stream", "stride", "copy", "dnn-layer"}))
def test_the_seed_decides_the_addresses(name):
    assert generate(f"{name}:seed=77").digest == generate(f"{name}:seed=77").digest
    assert not np.array_equal(generate(f"{name}:seed=77").address, generate(f"{name}:seed=78").address)


def test_rate_and_writes_leave_the_addresses_alone():
    plain = generate("random")
    other = generate("random:writes=0.4@0.25")
    assert np.array_equal(plain.address, other.address)
    assert other.write_share == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize("rate", [0.6, 0.01])
def test_the_injection_rate_is_the_one_asked_for(name, rate):
    trace = generate(f"{name}@{rate}")
    assert (np.diff(trace.due_cycle) >= 1).all()
    assert features_of(trace)["injection_rate"] == pytest.approx(rate, rel=0.01)


def test_random_at_0_6_spaces_requests_evenly():
    assert generate("random:n=6@0.6").cycle.tolist() == [0, 1, 3, 5, 6, 8]


@needs_traces
def test_stream_is_the_reference_stream():
    ours, theirs = generate("stream"), reference("stream")
    assert ours.digest == theirs.digest


@needs_traces
def test_random_is_of_the_reference_kind():
    ours, theirs = features_of(generate("random")), features_of(reference("random"))
    for name in FEATURE_NAMES:
        assert ours[name] == pytest.approx(theirs[name], abs=0.01), name


def test_random_lines_are_distinct_and_reads_one_per_clock():
    trace = generate("random")
    assert np.unique(trace.address).size == 10_000
    assert not trace.is_write.any()
    assert np.array_equal(trace.cycle, np.arange(10_000))


def block_statistics(trace):
    """Segments of lines from the stream that starts at 0 and of others."""
    from_stream = np.isin(trace.address // 64, np.arange(10_000))
    cuts = np.flatnonzero(np.diff(from_stream.astype(int))) + 1
    return {
        "share_of_stream": float(from_stream.mean()),
        "segments": cuts.size + 1,
        "head": int(cuts[0]),
        "head_from_stream": bool(from_stream[0]),
        "whole_blocks": float(np.mean(np.diff(np.r_[0, cuts, len(trace)]) % 50 == 0)),
    }


@needs_traces
@pytest.mark.parametrize("number", [1, 2])
def test_cloud_like_workloads_have_the_statistics_of_the_reference(number):
    theirs = reference(f"cloud-{number}")
    ours = [generate(f"cloud-{number}-like:seed={seed}") for seed in range(30)]
    wanted, made = features_of(theirs), [features_of(trace) for trace in ours]
    for name in FEATURE_NAMES:
        drawn = np.array([features[name] for features in made])
        assert wanted[name] == pytest.approx(drawn.mean(), abs=max(0.002, 3 * drawn.std())), name
    wanted, made = block_statistics(theirs), [block_statistics(trace) for trace in ours]
    for name in ("share_of_stream", "segments", "whole_blocks"):
        drawn = np.array([statistics[name] for statistics in made])
        assert wanted[name] == pytest.approx(drawn.mean(), abs=max(0.002, 3 * drawn.std())), name
    assert wanted["head"] >= 100
    assert {statistics["head_from_stream"] for statistics in made} == {wanted["head_from_stream"]}


@needs_traces
@pytest.mark.parametrize("number", [1, 2])
def test_cloud_like_workloads_are_not_copies(number):
    theirs, ours = reference(f"cloud-{number}"), generate(f"cloud-{number}-like")
    scattered = theirs.address[theirs.address >= 10_000 * 64]
    assert np.isin(ours.address, scattered).mean() < 0.01


def test_stride_moves_one_line_on_after_a_wrap():
    trace = generate(f"stride:{2**29},n=5")
    assert trace.address.tolist() == [0, 2**29, 64, 2**29 + 64, 128]


def test_pointer_chase_walks_one_cycle_with_relative_times():
    trace = generate("pointer-chase:100,n=1000")
    assert trace.relative
    assert np.unique(trace.address).size == 100
    assert np.array_equal(trace.address[:900], trace.address[100:])
    assert set(trace.cycle[1:].tolist()) == {40}


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_mixed_writes_come_in_groups(share):
    trace = generate(f"mixed:{share},group=8,n=100000")
    assert trace.write_share == pytest.approx(share, abs=0.02)
    minority = min(share, 1 - share)
    switches = features_of(trace)["direction_switches"]
    assert switches == pytest.approx(2 * minority / 8, rel=0.05)


@pytest.mark.parametrize("share", [0, 1])
def test_mixed_without_a_minority_has_one_direction(share):
    assert generate(f"mixed:{share}").write_share == share


def test_bursts_have_the_length_asked_for_and_idle_gaps_between():
    trace = generate("bursty:50,n=100000@0.1")
    gaps = np.diff(trace.cycle)
    assert (gaps == 1).mean() == pytest.approx(1 - 1 / 50, abs=0.01)
    assert trace.cycle[-1] == pytest.approx(1_000_000, rel=0.001)


def test_zipf_popularity_falls_as_a_power_of_the_rank():
    trace = generate("zipf:1,lines=1000,n=200000")
    _, counts = np.unique(trace.address, return_counts=True)
    top = np.sort(counts)[::-1]
    harmonic = (1 / np.arange(1, 1001)).sum()
    for rank in (1, 2, 5, 10):
        assert top[rank - 1] / 200_000 == pytest.approx(1 / rank / harmonic, rel=0.1)


def test_copy_writes_each_burst_that_it_read():
    trace = generate("copy:4,n=24")
    groups = trace.address.reshape(-1, 4)
    assert trace.is_write.reshape(-1, 4).tolist() == [[False] * 4, [True] * 4] * 3
    assert np.array_equal(groups[0::2] + GIB // 4, groups[1::2])
    assert groups[0::2].ravel().tolist() == [64 * line for line in range(12)]


def test_a_path_is_read_and_described(tmp_path):
    path = tmp_path / "t.stl"
    path.write_text("0: read 0x0\n1: write 0x40\n")
    for spelling in (str(path), path):
        made = workload(spelling)
        assert made.name == str(path)
        assert len(made.trace) == 2
        assert made.features.shape == (len(FEATURE_NAMES),)


def test_a_generator_name_wins_over_a_file_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("random", "mine"):
        (tmp_path / name).write_text("R 0x40\n")
    assert len(workload("random").trace) == 10_000
    assert len(workload("./random").trace) == len(workload(Path("random")).trace) == 1
    assert len(workload("mine").trace) == 1


def test_rules_decide_how_strict_a_file_is_read(tmp_path):
    path = tmp_path / "t.stl"
    path.write_text("5: read 0x0\n3: read 0x7fff8000\n")
    with pytest.raises(InputError, match="line 2"):
        workload(path)
    assert workload(path, rules="archgym").trace.cycle.tolist() == [5, 3]


def test_every_workload_is_described():
    for name, kind in WORKLOADS.items():
        assert kind.grammar.name == name
        assert kind.description.endswith(".")
        assert all(parameter.description for parameter in kind.grammar.parameters)
        for parameter in kind.grammar.parameters:
            assert parameter.low <= parameter.default <= parameter.high


def test_importing_workloads_is_light():
    code = (
        "import sys, archgym_simulators.dram.workloads, archgym_simulators.dram.splits;"
        "sys.exit(any(name in sys.modules for name in ('numba', 'pandas', 'pyarrow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
