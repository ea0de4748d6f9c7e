"""Layer tables in CSV files: MAESTRO's columns, the optional ones, and errors with row and column."""

from __future__ import annotations

import pytest

from archgym_simulators.errors import InputError
from archgym_simulators.layers.workloads import workload

HEADER = "K,C,Y,X,R,S,T\n"


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "layers.csv"
        path.write_text(text)
        return str(path)

    return write


def test_types_and_sizes(table):
    path = table(
        HEADER + "64,3,224,224,7,7,1\n32,32,112,112,3,3,2\n1,16,9,9,3,3,2\n1000,512,1,1,1,1,0\n768,64,128,1,1,1,3\n"
    )
    conv, depthwise, single, dense, product = workload(path).layers
    assert (conv.k, conv.c, conv.p, conv.q, conv.r, conv.kind) == (64, 3, 218, 218, 7, "conv")
    assert (depthwise.groups, depthwise.k, depthwise.c, depthwise.p, depthwise.kind) == (32, 1, 1, 110, "depthwise")
    assert (single.groups, single.p) == (16, 7)
    assert (dense.kind, dense.gemm_mnk) == ("gemm", (1, 1000, 512))
    assert (product.kind, product.gemm_mnk) == ("gemm", (128, 768, 64))


def test_a_fully_connected_layer_over_an_image_is_one_product(table):
    layer = workload(table(HEADER + "4096,256,6,6,6,6,0\n")).layers[0]
    assert (layer.kind, layer.gemm_mnk) == ("gemm", (1, 4096, 256 * 36))


def test_optional_columns_give_what_maestro_leaves_out(table):
    header = "name, K, C, Y, X, R, S, T, stride, padding, groups, N, repeat\n"
    layer = workload(table(header + "conv1, 64, 3, 224, 224, 7, 7, 1, 2, 3, 1, 5, 6\n")).layers[0]
    assert (layer.name, layer.p, layer.stride, layer.n, layer.repeat) == ("conv1", 112, 2, 5, 6)


def test_one_layer_of_a_table_by_name(table):
    path = table("name,K,C,Y,X,R,S,T\na,8,8,4,4,1,1,1\nb,9,8,4,4,1,1,1\n")
    assert workload(f"{path}/b").layers[0].k == 9
    assert workload(f"{path}/b,gemm:1x2x3").total_macs == 9 * 8 * 16 + 6


def test_a_changed_file_has_another_digest(table):
    before = workload(table(HEADER + "64,3,8,8,3,3,1\n"))
    after = workload(table(HEADER + "64,3,8,8,3,3,1\n64,3,8,9,3,3,1\n"))
    assert before.name == after.name
    assert before.digest != after.digest


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("K,C,Y,X,R,T\n1,1,1,1,1,1\n", ("no column 'S'", "K, C, Y, X, R, S, T")),
        ("K,C,Y,X,R,S,T,strid\n", ("unknown column 'strid'", "did you mean 'stride'")),
        ("K,C,Y,X,R,S,T,K\n", ("column twice 'K'",)),
        (HEADER, ("no layers",)),
        ("", ("no column 'K'",)),
        (HEADER + "8,8,4,4,1,1,1\n8,0,4,4,1,1,1\n", ("row 2", "column 'C'", "'0'")),
        (HEADER + "8,8,4,4,1,1,1\n8,8,4,4,1,-1,1\n", ("row 2", "column 'S'", "'-1'")),
        (HEADER + "8,8,4,,1,1,1\n", ("row 1", "column 'X'", "an empty cell")),
        (HEADER + "8,8,4,4\n", ("row 1", "column 'R'", "an empty cell")),
        (HEADER + "8,8,4,4,1,1,1,9\n", ("row 1", "more cells")),
        (HEADER + "8,8,4,four,1,1,1\n", ("row 1", "column 'X'", "'four'")),
        (HEADER + "8,8,4,4,1,1,7\n", ("row 1", "column 'T'", "0 fully connected")),
        (HEADER + "8,8,2,4,3,1,1\n", ("row 1", "column 'R'", "does not fit")),
        (HEADER + "5,8,4,4,3,3,2\n", ("row 1", "column 'K'", "K = 1 or K = 8")),
        ("name," + HEADER + "a,8,8,4,4,1,1,1\na,8,8,4,4,1,1,1\n", ("row 2", "column 'name'", "row 1")),
        ("groups," + HEADER + "3,8,8,4,4,1,1,1\n", ("row 1", "3 groups do not divide")),
    ],
)
def test_a_malformed_table_is_refused_in_one_line_with_row_and_column(table, text, parts):
    path = table(text)
    with pytest.raises(InputError) as caught:
        workload(path)
    assert path in str(caught.value)
    assert "\n" not in str(caught.value)
    for part in parts:
        assert part in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        workload(str(tmp_path / "none.csv"))
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00K")
    with pytest.raises(InputError, match="no UTF-8 text"):
        workload(str(tmp_path / "bytes.csv"))
