"""The validation program on directories of its own making, with a family that only exists here."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import experiments.validation
from experiments.validation import _registry
from experiments.validation.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
FIELDS = [
    "table",
    "group",
    "metric",
    "rows",
    "skipped",
    "exact",
    "mean_rel_err",
    "p95_rel_err",
    "max_rel_err",
    "spearman",
]

FAMILY = """
import numpy as np
from experiments.validation._comparator import Comparator, Comparison, Metric, numeric_column, require_columns

def compare(table, factor):
    require_columns(table, ["size", "cycles", "kind"])
    size, cycles = numeric_column(table, "size"), numeric_column(table, "cycles")
    skips = ["size is not positive" if not value > 0 else "" for value in size]
    metrics = [Metric("cycles", cycles, factor * size, is_integer=True)]
    return Comparison(table.frame["kind"].astype(str).tolist(), skips, metrics, ["cycles"])

def comparator(prefix, simulator, factor):
    return Comparator(
        prefix, simulator, "a pocket calculator", "Calculators agree.", lambda table: compare(table, factor)
    )

COMPARATORS = (comparator("toy/numbers", "Doubler", 2), comparator("toy/numbers_tripled", "Tripler", 3))
"""


@pytest.fixture
def toy_family(tmp_path, monkeypatch):
    """A family module in a folder of its own: nothing of the program is touched."""
    folder = tmp_path / "family"
    folder.mkdir()
    (folder / "toy.py").write_text(FAMILY)
    monkeypatch.setattr(experiments.validation, "__path__", [*experiments.validation.__path__, str(folder)])
    monkeypatch.delitem(sys.modules, "experiments.validation.toy", raising=False)
    _registry.families.cache_clear()
    _registry._comparators.cache_clear()
    yield
    sys.modules.pop("experiments.validation.toy", None)
    _registry.families.cache_clear()
    _registry._comparators.cache_clear()


@pytest.fixture
def refs(tmp_path, toy_family):
    root = tmp_path / "refs"
    write(
        root / "toy" / "numbers_a.csv",
        "kind,size,cycles\nsmall,1,2\nsmall,2,4\nlarge,10,20\nlarge,20,44\nlarge,0,7\nsmall,3,\n",
    )
    return root


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def validate(refs, out, *more):
    assert main(["--refs", str(refs), "--json", str(out), *more]) == 0
    return json.loads(out.read_text())


def one_line_refusal(capsys, arguments):
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    told = capsys.readouterr()
    assert status == 2
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err
    return told.err


def test_the_report_has_the_agreed_fields_for_the_whole_table_and_every_group(refs, tmp_path):
    entries = validate(refs, tmp_path / "out.json")
    assert [list(entry) for entry in entries] == [FIELDS] * 3
    assert [(e["table"], e["group"], e["metric"]) for e in entries] == [
        ("toy/numbers_a", "all", "cycles"),
        ("toy/numbers_a", "large", "cycles"),
        ("toy/numbers_a", "small", "cycles"),
    ]
    whole, large, small = entries
    assert (whole["rows"], whole["skipped"], whole["exact"]) == (4, 2, 0.75)
    assert whole["max_rel_err"] == pytest.approx(4 / 44)
    assert whole["mean_rel_err"] == pytest.approx(1 / 44)
    assert whole["spearman"] == pytest.approx(1.0)
    assert (large["rows"], large["skipped"], large["exact"]) == (2, 1, 0.5)
    assert (small["rows"], small["skipped"], small["exact"]) == (2, 1, 1.0)


def test_the_printed_report_names_tool_disagreement_and_skips(refs, tmp_path, capsys):
    validate(refs, tmp_path / "out.json")
    text = capsys.readouterr().out
    assert "Doubler against a pocket calculator" in text
    assert "Calculators agree." in text
    assert "skipped 1: size is not positive" in text


def test_the_longest_prefix_wins(refs, tmp_path):
    write(refs / "toy" / "numbers_tripled.csv", "kind,size,cycles\nsmall,1,3\n")
    found = {
        entry["table"]: entry["exact"] for entry in validate(refs, tmp_path / "out.json") if entry["group"] == "all"
    }
    assert found == {"toy/numbers_a": 0.75, "toy/numbers_tripled": 1.0}


def test_unknown_tables_and_families_without_a_simulator_are_named(refs, tmp_path, capsys, monkeypatch):
    write(refs / "toy" / "letters.csv", "a\n1\n")
    write(refs / "elsewhere" / "numbers_a.csv", "a\n1\n")
    monkeypatch.setattr(_registry, "PROMISED", (*_registry.PROMISED, _registry.Promise("later/thing", "Later")))
    write(refs / "later" / "thing_new.csv", "a\n1\n")
    entries = validate(refs, tmp_path / "out.json")
    text = capsys.readouterr().out
    waiting, unknown = text.split("Known tables without a comparator yet:")[1].split("Unknown tables, not compared:")
    assert "later/thing_new: Later" in waiting
    assert unknown.split("\n")[1:3] == ["  elsewhere: numbers_a", "  toy: letters"]
    assert {entry["table"] for entry in entries} == {"toy/numbers_a"}


@pytest.mark.parametrize("form", [".csv.gz", ".parquet", ".parquet.gz"])
def test_every_form_of_a_table_reads_the_same(refs, tmp_path, form):
    expected = validate(refs, tmp_path / "csv.json")
    plain = refs / "toy" / "numbers_a.csv"
    data = plain.read_bytes()
    if "parquet" in form:
        pd.read_csv(plain).to_parquet(tmp_path / "table.parquet")
        data = (tmp_path / "table.parquet").read_bytes()
    (refs / "toy" / f"numbers_a{form}").write_bytes(gzip.compress(data, mtime=0) if form.endswith("gz") else data)
    plain.unlink()
    assert validate(refs, tmp_path / "out.json") == expected


def test_comments_before_the_header_extra_columns_and_another_order_change_nothing(refs, tmp_path):
    expected = validate(refs, tmp_path / "first.json")
    plain = refs / "toy" / "numbers_a.csv"
    frame = pd.read_csv(plain)[["cycles", "size", "kind"]].assign(remark="x, y")
    plain.write_text("# measured, by hand\n# twice\n" + frame.to_csv(index=False))
    assert validate(refs, tmp_path / "out.json") == expected


def test_two_forms_of_one_table_keep_apart(refs, tmp_path):
    plain = refs / "toy" / "numbers_a.csv"
    (refs / "toy" / "numbers_a.csv.gz").write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    tables = {entry["table"] for entry in validate(refs, tmp_path / "out.json")}
    assert tables == {"toy/numbers_a.csv", "toy/numbers_a.csv.gz"}


def test_the_directory_may_be_deeper_or_be_the_family_folder_itself(refs, tmp_path):
    expected = validate(refs, tmp_path / "out.json")
    for root, name in ((refs / "toy", "numbers_a"), (refs.parent, "refs/toy/numbers_a")):
        found = validate(root, tmp_path / "out.json")
        assert found == [{**entry, "table": name} for entry in expected]


@pytest.mark.parametrize("only", ["toy", "TOY"])
def test_only_selects_a_family_in_either_case(refs, tmp_path, only, capsys):
    write(refs / "nas" / "hawqv3_x.csv", "a\n1\n")
    assert len(validate(refs, tmp_path / "out.json", "--only", only)) == 3
    assert "hawqv3" not in capsys.readouterr().out


def test_an_empty_table_is_reported_with_nothing_defined(refs, tmp_path):
    write(refs / "toy" / "numbers_a.csv", "kind,size,cycles\n")
    (entry,) = validate(refs, tmp_path / "out.json")
    assert [entry[field] for field in FIELDS[3:]] == [0, 0, None, None, None, None, None]


def test_bad_arguments_are_refused_in_one_line(refs, tmp_path, capsys):
    out = tmp_path / "out.json"
    common = ["--json", str(out)]
    assert "does not exist" in one_line_refusal(capsys, ["--refs", str(tmp_path / "nowhere"), *common])
    (tmp_path / "empty").mkdir()
    assert "holds no table" in one_line_refusal(capsys, ["--refs", str(tmp_path / "empty"), *common])
    assert "not a directory" in one_line_refusal(capsys, ["--refs", str(refs / "toy" / "numbers_a.csv"), *common])
    assert "did you mean 'toy'" in one_line_refusal(capsys, ["--refs", str(refs), *common, "--only", "toi"])
    assert "no table of 'nas'" in one_line_refusal(capsys, ["--refs", str(refs), *common, "--only", "nas"])
    assert "no directory" in one_line_refusal(
        capsys, ["--refs", str(refs), "--json", str(tmp_path / "no" / "out.json")]
    )
    assert "is a directory" in one_line_refusal(capsys, ["--refs", str(refs), "--json", str(tmp_path)])
    assert "--refs" in one_line_refusal(capsys, common)
    assert "--frobnicate" in one_line_refusal(capsys, ["--refs", str(refs), *common, "--frobnicate"])
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("numbers_a.csv", b"kind,sise,cycles\nsmall,1,2\n", "no column 'size'; did you mean 'sise'?"),
        ("numbers_a.csv", b"kind,size,cycles\nsmall,1,2\nsmall,1,many\n", "row 2, column 'cycles': 'many'"),
        ("numbers_a.csv", b"kind,size,cycles\nsmall,1,inf\n", "row 1, column 'cycles'"),
        ("numbers_a.csv", b"", "cannot be read"),
        ("numbers_a.csv", b'kind,size\n"small,1\n', "cannot be read"),
        ("numbers_a.csv", b"kind,size\n1,2,3\n1,2,3,4,5\n", "cannot be read"),
        ("numbers_a.csv", b"\xff\xfe\x00", "cannot be read"),
        ("numbers_b.csv.gz", b"no gzip", "cannot be read"),
        ("numbers_b.csv.gz", gzip.compress(b"kind,size,cycles\nsmall,1,2\n" * 9, mtime=0)[:-9], "cannot be read"),
        ("numbers_b.parquet", b"no parquet", "cannot be read"),
    ],
)
def test_a_broken_table_is_refused_in_one_line_that_names_it(refs, tmp_path, capsys, name, content, told):
    (refs / "toy" / name).write_bytes(content)
    out = tmp_path / "out.json"
    out.write_text("as before")
    line = one_line_refusal(capsys, ["--refs", str(refs), "--json", str(out)])
    assert told in line
    assert str(refs / "toy" / name) in line
    assert out.read_text() == "as before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["family", "out.json", "refs"]


def test_the_module_runs_as_a_program_and_leaves_its_status(tmp_path):
    program = [
        sys.executable,
        "-m",
        "experiments.validation",
        "--refs",
        str(tmp_path / "nowhere"),
        "--json",
        "out.json",
    ]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
