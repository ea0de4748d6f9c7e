"""``archgym data``: importing published benchmarks, and listing them."""

import json
from itertools import product

import pandas as pd
import pytest

from archgym.doctor import environment_findings, matrix_findings
from archgym_simulators.nas.official_store import KINDS


@pytest.fixture
def macro(tmp_path):
    digits = ["".join(one) for one in product("012", repeat=8)]
    frame = pd.DataFrame({"arch": digits, "acc1": 50.0, "acc2": 60.0, "acc3": 70.0, "params": 10, "flops": 20})
    path = tmp_path / "macro.csv"
    frame.to_csv(path, index=False)
    return path


def test_an_import_says_what_it_wrote_and_the_environment_finds_it(cli, macro, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_DATA", str(tmp_path / "data"))
    before = cli("describe", "archgym/NASMacro-v0", "--json")
    done = cli("data", "import", "nas-bench-macro", macro)
    assert done.status == 0
    assert "6,561 rows" in done.flat
    assert (tmp_path / "data" / "nas-bench-macro.parquet").is_file()
    before.assert_is_one_line_error("archgym data import nas-bench-macro PATH")
    assert cli("describe", "archgym/NASMacro-v0").status == 0


def test_out_names_another_folder(cli, macro, tmp_path):
    done = json.loads(cli("data", "import", "nas-bench-macro", macro, "--out", tmp_path / "here", "--json").out)
    assert done["path"] == str(tmp_path / "here" / "nas-bench-macro.parquet")
    assert done["rows"] == 6561


def test_the_list_says_what_is_there_missing_and_damaged(cli, macro, tmp_path):
    cli("data", "import", "nas-bench-macro", macro, "--out", tmp_path)
    (tmp_path / "nats-tss.parquet").write_bytes(b"no table")
    found = {entry["kind"]: entry for entry in json.loads(cli("data", "list", "--out", tmp_path, "--json").out)}
    assert set(found) == set(KINDS)
    status = {kind: entry["status"] for kind, entry in found.items()}
    assert status == {**dict.fromkeys(KINDS, "missing"), "nas-bench-macro": "imported", "nats-tss": "damaged"}
    assert "Apache-2.0" in found["nas-bench-macro"]["note"]
    assert "macro.csv" in found["nas-bench-macro"]["note"]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("data",), ("ACTION",)),
        (("data", "improt"), ("'improt'", "did you mean 'import'?")),
        (("data", "import"), ("needs KIND and PATH", "nats-tss")),
        (("data", "import", "nats-tss"), ("needs KIND and PATH",)),
        (("data", "import", "nats", "x"), ("unknown kind 'nats'", "did you mean 'nats-tss'?")),
        (("data", "import", "nats-tss", "nowhere"), ("no file 'nowhere'", "NATS-tss-v1_0-3ffb9-simple")),
        (("data", "list", "nats-tss"), ("takes no kind",)),
    ],
)
def test_wrong_arguments_are_one_line(cli, arguments, parts):
    cli(*arguments).assert_is_one_line_error(*parts)


def test_an_import_that_fails_leaves_nothing(cli, macro, tmp_path):
    macro.write_text("\n".join(macro.read_text().splitlines()[:-1]))
    cli("data", "import", "nas-bench-macro", macro, "--out", tmp_path / "out").assert_is_one_line_error("architectures")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("env_id", ["archgym/NAS201-v0", "archgym/MnasNetAccel-v0"])
def test_data_that_nobody_has_imported_are_missing_to_the_doctor_and_no_failure(env_id, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHGYM_DATA", str(tmp_path))
    findings = [*environment_findings(env_id), *matrix_findings("check_env", env_id)]
    assert {finding.status for finding in findings} <= {"ok", "missing"}
    notes = [finding.note for finding in findings if finding.status == "missing"]
    assert len(notes) > 2
    assert all("archgym data import" in note for note in notes)
