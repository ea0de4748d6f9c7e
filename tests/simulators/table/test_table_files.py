import gzip

import pytest

from archgym_simulators import Categorical, InputError, Ordinal
from archgym_simulators.table.simulator import TableSimulator

GOOD = "size,policy,latency_ns,area_mm2\n4,Open,10,1.5\n8,Open,5,2.5\n4,None,12,1.5\n8,None,6,\n"


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def table(path, text=GOOD, **options):
    return TableSimulator(path=write(path, text), **{"design": ["size", "policy"], **options})


def refusal(path, text, **options):
    with pytest.raises(InputError) as caught:
        table(path, text, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_design_columns_are_typed_by_their_cells(tmp_path):
    text = "size,volts,policy,fast,ns\n16,0.9,zeta,true,1\n4,0.7,alpha,false,2\n8,0.9,None,true,3\n"
    space = table(tmp_path / "t.csv", text, design=["size", "volts", "policy", "fast"]).space
    assert [parameter.kind for parameter in space.parameters] == ["ordinal", "ordinal", "categorical", "categorical"]
    assert space.parameter("size").choices == (4, 8, 16)
    assert space.parameter("volts").choices == (0.7, 0.9)
    assert space.parameter("policy").choices == ("zeta", "alpha", "None")
    assert space.parameter("fast").choices == (False, True)


def test_an_order_or_its_absence_can_be_given(tmp_path):
    text = "size,core,ns\nlarge,1,1\nsmall,7,2\n"
    options = {"ordinal": {"size": ["small", "medium", "large"]}, "categorical": ["core"]}
    simulator = table(tmp_path / "t.csv", text, design=["size", "core"], **options)
    assert isinstance(simulator.space.parameter("size"), Ordinal)
    assert isinstance(simulator.space.parameter("core"), Categorical)
    assert simulator.table.rows.tolist() == [[2, 0], [0, 1]]
    message = refusal(tmp_path / "u.csv", text, design=["size"], ordinal={"size": ["small", "medium"]})
    assert "row 1" in message
    assert "'large'" in message
    assert "medium" in message


def test_metrics_are_the_other_numbers_unless_named(tmp_path):
    text = "size,run,ns,slack_ns,note\n4,1,10,-3,a\n8,2,5,4,b\n"
    simulator = table(tmp_path / "t.csv", text, design="size", maximise=["slack_ns"])
    assert simulator.metric_names() == ("run", "ns", "slack_ns")
    slack = simulator.metrics[2]
    assert (slack.direction, slack.scale, slack.span) == ("max", "linear", 3.5)
    assert simulator.metrics[1].scale == "log"
    named = table(tmp_path / "t.csv", text, design="size", metrics="ns", spans={"ns": 2.5})
    assert [(m.name, m.scale, m.span) for m in named.metrics] == [("ns", "linear", 2.5)]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".parquet"])
def test_every_format_gives_the_same_table(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        columns = {"size": [4, 8, 4, 8], "policy": ["Open", "Open", "None", "None"]}
        columns |= {"latency_ns": [10, 5, 12, 6], "area_mm2": [1.5, 2.5, 1.5, None]}
        parquet.write_table(pa.table(columns), path)
        simulator = TableSimulator(path=str(path), design=["size", "policy"])
    else:
        text = GOOD.replace(",", "\t") if suffix == ".tsv" else GOOD
        simulator = table(path, gzip.compress(text.encode()) if suffix == ".csv.gz" else text)
    assert simulator.space.parameter("policy").choices == ("Open", "None")
    assert simulator.table.values[:3].tolist() == [[10.0, 1.5], [5.0, 2.5], [12.0, 1.5]]
    assert simulator.table.complete.tolist() == [True, True, True, False]


def test_names_and_texts_lose_their_edges_of_space(tmp_path):
    text = "\ufeffsize , policy ,ns\n4, Open ,1\n8,Open,2\n"
    assert table(tmp_path / "t.csv", text).space.parameter("policy").choices == ("Open",)


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (b"", {}, ["cannot read", "Empty CSV"]),
        ("size,policy,ns\n", {}, ["no rows"]),
        ("size,policy,ns\n4,Open\n", {}, ["cannot read", "Expected 3 columns"]),
        ("size,policy,ns,ns\n4,Open,1,2\n", {}, ["two columns 'ns'"]),
        (GOOD, {"design": ["sise"]}, ["no design column 'sise'", "did you mean 'size'"]),
        (GOOD, {"design": []}, ["option design", "latency_ns"]),
        (GOOD, {"design": ["size", "size"]}, ["distinct"]),
        (GOOD, {"design": 3}, ["option design", "3"]),
        (GOOD, {"metrics": ["latency"]}, ["no metric column 'latency'", "did you mean 'latency_ns'"]),
        (GOOD, {"metrics": ["size"]}, ["'size'", "design columns"]),
        (GOOD, {"maximise": ["area"]}, ["option maximise: 'area'", "did you mean 'area_mm2'"]),
        (GOOD, {"spans": {"area": 1}}, ["option spans: 'area'"]),
        (GOOD, {"spans": {"area_mm2": 0}}, ["span of metric 'area_mm2'", "positive"]),
        (GOOD, {"ordinal": {"sise": [1]}}, ["option ordinal: 'sise'", "did you mean 'size'"]),
        (GOOD, {"ordinal": ["size"]}, ["option ordinal must be a mapping"]),
        (GOOD, {"categorical": ["area_mm2"]}, ["option categorical: 'area_mm2'"]),
        (GOOD, {"duplicates": "means"}, ["duplicates", "did you mean 'mean'"]),
        (GOOD, {"baseline": 9}, ["baseline: 9"]),
        (GOOD, {"baseline": 4}, ["baseline: 4"]),
        (GOOD, {"baseline": True}, ["baseline", "True"]),
        (GOOD, {"baseline": {"size": 5, "policy": "Open"}}, ["size must be"]),
        ("size,policy,ns\n4,Open,1\n8,Open,fast\n", {}, ["row 2", "metric 'ns' is 'fast'"]),
        ("size,policy,ns\n4,Open,x\n8,Open,y\n", {"metrics": ["ns"]}, ["row 1", "metric 'ns' is 'x'"]),
        ("size,policy,note\n4,Open,x\n", {}, ["no metric is left"]),
        ("size,policy,ns\n4,Open,1\n,Open,2\n", {}, ["row 2", "design column 'size' is empty"]),
        ("size,policy,ns\n4,Open,1\n8, ,2\n", {}, ["row 2", "design column 'policy' is empty"]),
        ("size,policy,ns\n4,Open,\n8,Open,NaN\n", {"metrics": ["ns"]}, ["no value in any row"]),
        ("size,policy,a_ns,b_ns\n4,Open,,1\n8,Open,1,\n", {}, ["no row with a value for every metric"]),
        ("size,policy,lat (ns)\n4,Open,1\n", {}, ["'lat (ns)'", "'lat_ns'"]),
        ("size,policy,ns\ninf,Open,1\n", {}, ["'size'", "inf"]),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path, text, options, words):
    message = refusal(tmp_path / "t.csv", text, **options)
    for word in words:
        assert word in message


def test_bad_paths_are_refused_in_one_line(tmp_path):
    write(tmp_path / "results.csv", GOOD)
    write(tmp_path / "torn.parquet", b"PAR1 this is no parquet file PAR1")
    write(tmp_path / "torn.csv.gz", gzip.compress(GOOD.encode())[:-20])
    for name, words in {
        "result.csv": ["no table", "did you mean 'results.csv'"],
        "nowhere/x.csv": ["no table"],
        "results.xlsx": ["must be a file that ends in"],
        "torn.parquet": ["cannot read table"],
        "torn.csv.gz": ["cannot read table"],
        "": ["is a directory"],
    }.items():
        with pytest.raises(InputError) as caught:
            TableSimulator(path=str(tmp_path / name), design=["size"])
        assert "\n" not in str(caught.value)
        assert all(word in str(caught.value) for word in words), caught.value


def test_repeated_designs_are_refused_or_merged(tmp_path):
    text = "size,policy,ns\n4,Open,1\n8,Open,9\n4,Open,3\n4,Open,8\n"
    message = refusal(tmp_path / "t.csv", text)
    assert "rows 1 and 3" in message
    assert "size=4" in message
    assert "2 rows" in message
    mean = table(tmp_path / "t.csv", text, duplicates="mean")
    assert mean.table.values.tolist() == [[4.0], [9.0]]
    first = table(tmp_path / "t.csv", text, duplicates="first")
    assert first.table.values.tolist() == [[1.0], [9.0]]
    assert first.table.file_rows.tolist() == [1, 2]
