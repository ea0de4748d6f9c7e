import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archgym_simulators.dram import trace_files
from archgym_simulators.dram.trace_files import read_trace
from archgym_simulators.errors import InputError

GIB = 2**30
TRACES = Path(__file__).parents[4] / "shared" / "refs" / "dram" / "traces"


def read(path, content=b"", **options):
    if isinstance(content, str):
        content = content.encode()
    path.write_bytes(content)
    return read_trace(path, **{"capacity_bytes": GIB, **options})


def refusal(call, *arguments, **options):
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.isprintable()
    return message


def outcome(path, content, **options):
    """The trace, or the message that refuses it."""
    try:
        return read(path, content, **options)
    except InputError as error:
        return str(error)


def requests(*, ordered):
    times = st.lists(st.integers(0, 2**30), min_size=1, max_size=30)
    if ordered:
        times = times.map(sorted)
    return times.flatmap(
        lambda cycle: st.tuples(
            st.just(cycle),
            st.lists(st.booleans(), min_size=len(cycle), max_size=len(cycle)),
            st.lists(st.integers(0, GIB - 1), min_size=len(cycle), max_size=len(cycle)),
        )
    )


blank = st.sampled_from([" ", "\t", " \t "])
filler = st.sampled_from(["", "\n", "# a comment\n", "  # 1: read 0x0\n", "\t\n"])
spelling = st.sampled_from(["{:x}", "{:X}", "0x{:x}", "0X{:X}", "0x000000000000000000{:x}"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), relative=st.booleans(), packed=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
def test_every_spelling_of_an_stl_trace_reads_back(tmp_path, data, relative, packed, end):
    cycle, is_write, address = data.draw(requests(ordered=not relative))
    text = ""
    for time, write, where in zip(cycle, is_write, address, strict=True):
        gap = data.draw(blank)
        text += data.draw(filler) + data.draw(st.sampled_from(["", gap])) + str(time)
        text += data.draw(st.sampled_from([":", " : ", ":\t"])) + gap.join(["", "write" if write else "read", ""])
        text += data.draw(spelling).format(where) + "\n"
    if data.draw(st.booleans()):
        text = text[:-1]
    content = text.replace("\n", end).encode()
    name = ("t.rstl" if relative else "t.stl") + (".gz" if packed else "")
    trace = read(tmp_path / name, gzip.compress(content) if packed else content)
    assert trace.relative == relative
    assert trace.cycle.tolist() == cycle
    assert trace.is_write.tolist() == is_write
    assert trace.address.tolist() == address


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), form=st.sampled_from(["{k} {a}", "{a} {k}", "{l}\t{a}"]))
def test_every_spelling_of_a_ramulator_trace_reads_back(tmp_path, data, form):
    _, is_write, address = data.draw(requests(ordered=True))
    number = data.draw(st.sampled_from(["0x{:x}", "0X{:X}", "{:d}"]))
    lines = [
        form.format(k="W" if write else "R", l="ST" if write else "LD", a=number.format(where))
        for write, where in zip(is_write, address, strict=True)
    ]
    trace = read(tmp_path / "t.trace", "# header\n\n" + "\n".join(lines))
    assert trace.cycle.tolist() == list(range(len(address)))
    assert trace.is_write.tolist() == is_write
    assert trace.address.tolist() == address


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=80), name=st.sampled_from(["t.stl", "t.rstl", "t.trace", "t.stl.gz"]))
def test_any_bytes_give_a_trace_or_one_line(tmp_path, content, name):
    result = outcome(tmp_path / name, content)
    assert result.isprintable() if isinstance(result, str) else len(result) > 0


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(junk=st.text(st.sampled_from("0123456789:xXreadwitRWLDST \t-+#.,"), max_size=16), after=st.integers(0, 3))
def test_no_line_is_skipped_silently(tmp_path, junk, after):
    good = [f"{time}: read 0x{64 * time:x}" for time in range(3)]
    lines = [*good[:after], junk, *good[after:]]
    significant = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    result = outcome(tmp_path / "t.stl", "\n".join(lines), allow_decreasing=True)
    if isinstance(result, str):
        assert f"line {after + 1}, {junk.strip()!r}" in result
    else:
        assert len(result) == len(significant)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("5 read 0x40", "expected 'CLOCK: read|write HEX_ADDRESS', such as '12: read 0x40'"),
        ("5: raed 0x40", "expected 'CLOCK: read|write HEX_ADDRESS'"),
        ("5: read", "expected 'CLOCK: read|write HEX_ADDRESS'"),
        ("5: read 0x", "expected 'CLOCK: read|write HEX_ADDRESS'"),
        ("5: read 0xfg", "expected 'CLOCK: read|write HEX_ADDRESS'"),
        ("5: read 0x40 0x80", "expected 'CLOCK: read|write HEX_ADDRESS'"),
        ("5.5: read 0x40", "expected 'CLOCK: read|write HEX_ADDRESS'"),
        ("R 0x40", "expected 'CLOCK: read|write HEX_ADDRESS'"),
        ("-5: read 0x40", "time stamp -5 is negative; allowed are 0..1099511627776"),
        ("-5: raed 0x40", "time stamp -5 is negative"),
        ("3: read 0x40", "time stamp 3 is below its predecessor 4; time stamps must not decrease"),
        ("9999999999999: read 0x40", "time stamp 9999999999999 is out of range; allowed are 0..1099511627776"),
        ("9" * 30 + ": read 0x40", f"time stamp {'9' * 30} is out of range"),
        ("9" * 5000 + ": read 0x40", "is out of range; allowed are 0..1099511627776"),
        ("5: read 0x40000000", "address 0x40000000 is beyond the device; allowed are 0x0..0x3fffffff"),
        ("5: read 0xfffffffffffffff", "address 0xfffffffffffffff is beyond the device"),
        ("5: read 0x1000000000000000", "address 0x1000000000000000 is beyond the device; allowed are 0x0..0x3fffffff"),
        ("5: read -0x40", "expected 'CLOCK: read|write HEX_ADDRESS'"),
        ("\x0b5: read 0x40", "expected 'CLOCK: read|write HEX_ADDRESS'"),
    ],
)
def test_a_wrong_line_is_named_with_its_number_and_text(tmp_path, line, complaint):
    path = tmp_path / "t.stl"
    message = refusal(read, path, f"# trace\n\n0: read 0x0\n4: write 0x40\n{line}\n6: read 0x0\n")
    assert message.startswith(f"trace {str(path)!r}, line 5, {line.strip(' ')[:60]!r}"[:-1])
    assert complaint in message


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("R 0x40\n0x40 W\n", "line 2, '0x40 W': expected 'R|W|LD|ST ADDRESS', such as 'R 0x40'"),
        ("0x40 W\nR 0x40\n", "line 1, '0x40 W'"),
        ("X 0x40\n", "line 1, 'X 0x40': expected 'R|W|LD|ST ADDRESS'"),
        ("R 40x\n", "line 1, 'R 40x'"),
        ("R " + "9" * 25, f"address {'9' * 25} is longer than 64 bits"),
        ("R 1073741824\n", "line 1, 'R 1073741824': address 0x40000000 is beyond the device"),
        ("0: read 0x0\n", "the name of a trace with time stamps must end in .stl or .rstl"),
    ],
)
def test_a_wrong_line_of_a_ramulator_trace_is_named(tmp_path, content, complaint):
    assert complaint in refusal(read, tmp_path / "t.txt", content)


def test_archgym_leniency_takes_decreasing_times_and_far_addresses(tmp_path):
    content = "5: read 0x0\n3: read 0x7fff8000\n"
    trace = read(tmp_path / "t.stl", content, allow_decreasing=True, allow_beyond_device=True)
    assert trace.cycle.tolist() == [5, 3]
    assert trace.address.tolist() == [0, 0x7FFF8000]
    assert "line 2" in refusal(read, tmp_path / "t.stl", content, allow_beyond_device=True)
    assert "line 2" in refusal(read, tmp_path / "t.stl", content, allow_decreasing=True)


def test_leniency_still_refuses_negative_and_absurd_numbers(tmp_path):
    lenient = {"allow_decreasing": True, "allow_beyond_device": True}
    assert "negative" in refusal(read, tmp_path / "t.stl", "-1: read 0x0", **lenient)
    assert "longer than 64 bits" in refusal(read, tmp_path / "t.stl", "0: read 0x1" + "0" * 16, **lenient)


def test_every_64_bit_address_is_read_where_upper_bits_are_ignored(tmp_path):
    found = read(
        tmp_path / "t.stl", "0: read 0xffffffffffffffc0\n1: read 0x8000000000000040\n", allow_beyond_device=True
    )
    assert (found.address % 2**30).tolist() == [0x3FFFFFC0, 0x40]


def test_the_first_address_beyond_the_device_is_the_one_named(tmp_path):
    lines = "0: read 0x40\n1: read 0x8000000000000040\n2: read 0xffffffffffffffc0\n"
    message = refusal(read, tmp_path / "t.stl", lines)
    assert "line 2, '1: read 0x8000000000000040': address 0x8000000000000040 is beyond the device" in message


def test_a_missing_trace_is_compared_with_traces_only(tmp_path):
    (tmp_path / "node.csv").write_text("x")
    assert "did you mean" not in refusal(read_trace, tmp_path / "nope.stl", capacity_bytes=2**30)
    (tmp_path / "node.stl").write_text("0: read 0x0")
    assert "did you mean 'node.stl'?" in refusal(read_trace, tmp_path / "nope.stl", capacity_bytes=2**30)


def test_relative_times_may_decrease_but_not_add_up_beyond_the_span(tmp_path):
    assert read(tmp_path / "t.rstl", "9: read 0\n1: read 40\n").cycle.tolist() == [9, 1]
    message = refusal(read, tmp_path / "t.rstl", "1099511627776: read 0\n1: read 40\n")
    assert "line 2, '1: read 40': time stamps add up to 1099511627777" in message


def test_a_byte_order_mark_is_skipped(tmp_path):
    assert len(read(tmp_path / "t.stl", b"\xef\xbb\xbf0: read 0x0\n")) == 1


@pytest.mark.parametrize("content", ["", "\n\n", "# only\n# comments"])
def test_an_empty_trace_is_refused(tmp_path, content):
    assert "has no requests" in refusal(read, tmp_path / "t.stl", content)


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n\x00\x00", b"\x00" * 200, "0: reäd 0x0\n".encode("latin1"), "0: read 0x0\n".encode("utf-16")],
)
def test_binary_content_is_refused(tmp_path, content):
    assert "line 1, " in refusal(read, tmp_path / "t.stl", content)


def test_damaged_gzip_files_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    packed = gzip.compress("".join(f"{time}: read {rng.integers(GIB):x}\n" for time in range(2000)).encode())
    path = tmp_path / "t.stl.gz"
    assert "not a complete gzip file" in refusal(read, path, packed[: len(packed) // 2])
    assert "not a complete gzip file" in refusal(read, path, b"0: read 0x0\n")
    damaged = packed[:1000] + bytes(byte ^ 255 for byte in packed[1000:1100]) + packed[1100:]
    assert "not a complete gzip file" in refusal(read, path, damaged)


def test_a_gzip_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(trace_files, "LARGEST_FILE_BYTES", 1000)
    content = gzip.compress(b"#" * 1001)
    assert "unpacks to more than 1000 bytes" in refusal(read, tmp_path / "t.stl.gz", content)


def test_a_missing_file_names_its_nearest_neighbour(tmp_path):
    (tmp_path / "stream.stl").write_text("0: read 0x0\n")
    message = refusal(read_trace, tmp_path / "steam.stl", capacity_bytes=GIB)
    assert message.endswith("does not exist; did you mean 'stream.stl'?")
    message = refusal(read_trace, tmp_path / "no" / "t.stl", capacity_bytes=GIB)
    assert f"there is no directory {str(tmp_path / 'no')!r}" in message


def test_what_is_not_a_regular_file_is_refused(tmp_path):
    assert "is a directory" in refusal(read_trace, tmp_path, capacity_bytes=GIB)
    os.mkfifo(tmp_path / "pipe.stl")
    assert "is not a regular file" in refusal(read_trace, tmp_path / "pipe.stl", capacity_bytes=GIB)
    assert "does not exist" in refusal(read_trace, "nul\0byte.stl", capacity_bytes=GIB)
    assert "cannot be read: File name too long" in refusal(read_trace, "x" * 5000, capacity_bytes=GIB)


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")  # as root, no file mode would

    monkeypatch.setattr(Path, "open", refuse)
    (tmp_path / "t.stl").touch()
    assert "cannot be read: Permission denied" in refusal(read_trace, tmp_path / "t.stl", capacity_bytes=GIB)


@pytest.mark.skipif(not TRACES.is_dir(), reason=f"no reference traces in {TRACES}")
def test_only_the_known_reference_traces_need_leniency():
    needs_order, needs_bits = set(), set()
    for path in sorted(TRACES.glob("*.stl.gz")):
        name = path.name.removesuffix(".stl.gz")
        read_trace(path, capacity_bytes=GIB, allow_decreasing=True, allow_beyond_device=True)
        try:
            read_trace(path, capacity_bytes=GIB)
        except InputError as error:
            (needs_order if "predecessor" in str(error) else needs_bits).add(name)
    assert needs_order == {"ddr3_example"}
    assert needs_bits == {
        "chstone-jpeg_32",
        "chstone-sha_32",
        "mediabench-fractal_32",
        "mediabench-h263decode_32",
        "mediabench-jpegdecode_32",
    }
