"""Exported datasets come back to the bit, with a card that is right."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

from archgym.datasets import Dataset
from archgym.datasets.card import Publication, croissant
from archgym.datasets.export import write_dataset
from archgym.datasets.readme import readme
from archgym.datasets.sources import file_digest
from archgym.wording import split_unit
from archgym_simulators import OK, InputError
from tests.archgym.datasets import made_data
from tests.archgym.datasets.made_data import assert_same, made

PUBLICATION = Publication("chips", "2026-11-20", license="CC-BY-4.0", creator="A. Person", url="https://example.org/c")


def test_a_dataset_comes_back_to_the_bit(tmp_path):
    data = made(300)
    write_dataset(data, tmp_path / "data")
    assert_same(Dataset.load(tmp_path / "data", duplicates="keep"), data)
    study = Dataset.load(made_data.study(tmp_path / "study"))
    write_dataset(study, tmp_path / "of-study")
    assert_same(Dataset.load(tmp_path / "of-study"), study)
    assert_same(Dataset.load(tmp_path / "of-study" / "data.parquet"), study)


def test_columns_are_readable_and_say_their_units(tmp_path):
    data = made(60)
    frame = pq.read_table(write_dataset(data, tmp_path / "data") / "data.parquet").to_pandas()
    for name, column in data.readable().items():
        assert list(map(str, frame[name])) == list(map(str, column)), name
    assert frame["banks"].dtype == np.int64
    np.testing.assert_array_equal(frame["time_ns"], data.column("time_ns"))
    assert list(frame["agent"]) == list(data.agent)
    assert list(frame["workload"]) == list(data.workload)
    assert set(frame["status"]) == {"ok", "invalid"}


def test_the_digest_names_the_content(tmp_path):
    data = made(100)
    again = Dataset.load(write_dataset(data, tmp_path / "data"), duplicates="keep")
    assert again.digest == data.digest
    values, rows = data.values.copy(), data.rows.copy()
    values[np.flatnonzero(data.status == OK)[0], 0] *= 1 + 1e-15
    rows[0, 0] ^= 1
    later = replace(data.schema, simulator_version="8")
    others = [replace(data, values=values), replace(data, rows=rows), replace(data, schema=later), data.take(slice(99))]
    assert len({data.digest, *(one.digest for one in others)}) == 5
    empty = data.take(np.zeros(100, bool))
    assert empty.digest != data.digest


def test_an_empty_part_is_still_a_dataset(tmp_path):
    data = made(10).take(np.zeros(10, bool))
    write_dataset(data, tmp_path / "data")
    again = Dataset.load(tmp_path / "data")
    assert len(again) == 0
    assert again.schema == data.schema
    assert "no row is valid, so there is no metric to learn" in again.summary().notes


def test_a_directory_that_is_there_stays_as_it_is(tmp_path):
    write_dataset(made(), tmp_path / "data")
    before = file_digest(tmp_path / "data" / "data.parquet")
    with pytest.raises(InputError, match="exists already; choose another --out"):
        write_dataset(made(50), tmp_path / "data")
    assert file_digest(tmp_path / "data" / "data.parquet") == before


def test_nothing_is_left_of_an_export_that_fails(tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("archgym.datasets.export.readme", fails)
    with pytest.raises(OSError, match="No space"):
        write_dataset(made(), tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


# ---- the card --------------------------------------------------------------------------------------------------------


@pytest.fixture
def card(tmp_path):
    data = made(200)
    folder = write_dataset(data, tmp_path / "chips", publication=PUBLICATION)
    return data, folder, json.loads((folder / "croissant.json").read_text())


def test_the_metadata_has_what_the_specification_requires(card):
    """Croissant 1.1, tables of required properties; sha256 is what loading checks."""
    _, folder, found = card
    required = ["@context", "@type", "conformsTo", "description", "license", "name", "url", "creator", "datePublished"]
    assert [name for name in (*required, "distribution") if not found.get(name)] == []
    assert found["@type"] == "sc:Dataset"
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert found["@context"]["conformsTo"] == "dct:conformsTo"
    assert found["@context"]["cr"] == "http://mlcommons.org/croissant/"
    assert found["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert found["creator"]["name"] == "A. Person"
    assert date.fromisoformat(found["datePublished"])
    (file,) = found["distribution"]
    assert file["@type"] == "cr:FileObject"
    assert (folder / file["contentUrl"]).is_file()
    assert file["sha256"] == file_digest(folder / file["contentUrl"])
    assert file["contentSize"] == f"{(folder / file['contentUrl']).stat().st_size} B"


def test_every_column_of_the_file_is_a_field_of_the_right_type(card):
    _, folder, found = card
    (records,) = found["recordSet"]
    fields = {field["source"]["extract"]["column"]: field for field in records["field"]}
    schema = pq.read_schema(folder / "data.parquet")
    assert list(fields) == schema.names or sorted(fields) == sorted(schema.names)
    kinds = {"int64": "sc:Integer", "double": "sc:Float", "bool": "sc:Boolean"}
    for name, field in fields.items():
        assert field["dataType"] == kinds.get(str(schema.field(name).type), "sc:Text"), name
        assert field["@id"] == f"evaluations/{name}"
        assert field["source"]["fileObject"]["@id"] == found["distribution"][0]["@id"]
        assert field["description"]
    ids = [found["distribution"][0]["@id"], records["@id"], *(field["@id"] for field in records["field"])]
    assert len(set(ids)) == len(ids)


def test_the_metadata_gives_coverage_ranges_and_source_agents(card):
    data, _, found = card
    measured = {one["name"]: one for one in found["variableMeasured"]}
    assert measured["banks"]["value"] == len(np.unique(data.rows[:, 0])) / 4
    valid = data.values[data.status == OK]
    for place, name in enumerate(data.schema.metric_names):
        assert measured[name]["unitText"] == split_unit(name)[1]
        assert (measured[name]["minValue"], measured[name]["maxValue"]) == (
            valid[:, place].min(),
            valid[:, place].max(),
        )
    agents = [one["prov:wasAssociatedWith"]["prov:label"] for one in found["prov:wasGeneratedBy"]]
    assert agents == ["ant", "bee"]
    assert "search by ant (k=1); 1 runs, seeds 0" in found["prov:wasGeneratedBy"][0]["prov:label"]


def test_what_nobody_has_stated_is_not_made_up():
    data = made(20)
    found = croissant(data, Publication("x", "2026-11-20"), digest="ab", size=1)
    assert found["license"] == {"@type": "sc:CreativeWork", "name": "No licence stated"}
    assert found["creator"]["name"] == "unknown"
    assert found["url"] == "urn:sha256:ab"
    json.dumps(found, allow_nan=False)
    json.dumps(croissant(data.take(np.zeros(20, bool)), PUBLICATION, digest="ab", size=1), allow_nan=False)


def test_the_card_for_people_says_the_same(card):
    data, folder, _ = card
    text = (folder / "README.md").read_text()
    assert text == readme(data, PUBLICATION)
    for part in ("CC-BY-4.0", "A. Person", "`banks`", "`time_ns` | ns | lower | log", "| ant |", "my/Chip-v0"):
        assert part in text
    assert f"| valid | {np.mean(data.status == OK):.1%} |" in text


# ---- the summary -----------------------------------------------------------------------------------------------------


def test_the_summary_counts():
    data = made(300)
    found = data.summary()
    assert found.rows == 300
    assert found.designs == len(set(data.space.keys(data.designs)))
    assert found.space_size == data.space.size
    assert found.valid == np.mean(data.status == OK)
    assert found.agents == {name: int((data.agent == name).sum()) for name in ("ant", "bee")}
    assert found.workloads == {name: int((data.workload == name).sum()) for name in ("a", "b")}
    assert found.parameters["order"].size == 6
    assert found.parameters["order"].values == len(np.unique(data.readable()["order"].astype(str)))
    assert found.metrics["time_ns"].median == np.median(data.valid().column("time_ns"))
    assert "repeated designs are kept" in found.notes


def test_evenness_is_1_for_a_uniform_column_and_0_for_a_constant_one():
    data = made(4, metrics=["time_ns"])
    rows = np.zeros((4, data.space.width), np.uint8)
    rows[:, 0] = [0, 1, 2, 3]
    found = replace(data, rows=rows).summary()
    assert found.parameters["banks"].evenness == pytest.approx(1.0)
    assert (found.parameters["policy"].values, found.parameters["policy"].evenness) == (1, 0.0)


def test_a_constant_metric_and_few_rows_are_noted():
    data = made(5)
    found = replace(data, values=np.where(np.isnan(data.values), np.nan, [7.0, 1.0] * np.ones((5, 1)))).summary()
    assert "time_ns is constant: nothing to learn" in found.notes
    assert any("valid rows are few" in note for note in found.notes)
