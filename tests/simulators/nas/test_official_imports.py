"""Published benchmarks are imported whole and checked, or refused in one line with nothing written."""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import official_samples as samples

from archgym_simulators import InputError
from archgym_simulators.errors import MissingData
from archgym_simulators.nas.cells import SIZE, cell_of_text, index_of_cells
from archgym_simulators.nas.official_imports import import_data
from archgym_simulators.nas.official_nats import DATASETS, archive_columns
from archgym_simulators.nas.official_store import load_table, table_path


@pytest.fixture(scope="module")
def frame():
    return samples.nats_frame()


def imported(kind, source, folder):
    import_data(kind, source, folder=folder)
    return load_table(kind, folder, wanted_by="a test")


def index_of(text):
    return int(index_of_cells(np.array([cell_of_text(text)]))[0])


def test_an_archive_and_a_folder_give_the_same(tmp_path):
    one = archive_columns(samples.nats_archive(tmp_path / "NATS-tss.pickle.pbz2"), needed=3)
    other = archive_columns(samples.nats_folder(tmp_path / "simple"), needed=3)
    assert one.keys() == other.keys()
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name])
    assert one["cell"].tolist() == [index_of(text) for text in samples.STRINGS]


def test_what_is_read_of_an_archive_is_what_its_own_package_says(tmp_path):
    nats_bench = pytest.importorskip("nats_bench")
    folder = samples.nats_folder(tmp_path / "simple")
    ours = archive_columns(folder, needed=3)
    official = nats_bench.create(str(folder), "tss", fast_mode=True, verbose=False)
    for number in range(3):
        for data, theirs in zip(DATASETS, ("cifar10-valid", "cifar100", "ImageNet16-120"), strict=True):
            for epochs in (12, 200):
                said = official.get_more_info(number, theirs, hp=str(epochs), is_random=False)
                assert ours[f"{data}_val_{epochs}"][number] == pytest.approx(said["valid-accuracy"], rel=1e-12)
            whole = "cifar10" if data == "cifar10" else theirs
            said = official.get_more_info(number, whole, hp="200", is_random=False)
            assert ours[f"{data}_test_200"][number] == pytest.approx(said["test-accuracy"], rel=1e-12)
        said = official.get_more_info(number, "cifar10-valid", hp="12", is_random=False)
        assert ours["train_s"][number] * 12 == pytest.approx(said["train-all-time"], rel=1e-12)


def test_an_archive_with_missing_architectures_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"has 3 of the 15,625 architectures"):
        import_data("nats-tss", samples.nats_folder(tmp_path / "simple"), folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_that_calls_something_is_refused_and_nothing_runs(tmp_path):
    folder = samples.nats_folder(tmp_path / "simple")
    mark = tmp_path / "mark"

    class Hostile:
        def __reduce__(self):
            return Path.touch, (mark,)

    (folder / "000001.pickle.pbz2").write_bytes(pickle.dumps({"12": Hostile()}))
    with pytest.raises(InputError, match="never loaded"):
        import_data("nats-tss", folder, folder=tmp_path / "out")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda entry: entry.pop("200"), "has no '200'"),
        (lambda entry: entry["12"].pop("all_results"), "has no 'all_results'"),
        (lambda entry: entry["12"].update(all_results=[1]), "must be a mapping"),
        (lambda entry: entry["12"].update(all_results={}), "has no results on"),
        (lambda entry: entry["12"]["all_results"]["cifar10-valid", 777].pop("eval_acc1es"), "has no 'eval_acc1es'"),
        (
            lambda entry: entry["12"]["all_results"]["cifar10-valid", 777]["eval_acc1es"].update({"x-valid@11": "no"}),
            "'no' is no number",
        ),
        (
            lambda entry: entry["12"]["all_results"]["cifar10-valid", 777]["eval_acc1es"].update({"x-valid@11": 101.0}),
            "101 must be from 0 to 100",
        ),
        (
            lambda entry: entry["12"]["all_results"]["cifar10-valid", 777].update(train_times=None),
            "train_times must be seconds",
        ),
    ],
)
def test_a_malformed_entry_of_an_archive_is_one_line(damage, complaint, tmp_path):
    folder = samples.nats_folder(tmp_path / "simple", samples.STRINGS[:1])
    entry = samples.trainings(np.random.default_rng(0), 0, samples.STRINGS[0])
    damage(entry)
    (folder / "000000.pickle.pbz2").write_bytes(pickle.dumps(entry))
    with pytest.raises(InputError, match=complaint) as refusal:
        archive_columns(folder, needed=1)
    assert "\n" not in str(refusal.value)


def test_a_folder_without_its_list_or_a_file_is_one_line(tmp_path):
    folder = samples.nats_folder(tmp_path / "simple")
    (folder / "000002.pickle.pbz2").unlink()
    with pytest.raises(InputError, match=r"000002.pickle.pbz2.*No such file"):
        archive_columns(folder, needed=3)
    (folder / "meta.pickle.pbz2").unlink()
    with pytest.raises(InputError, match=r"meta.pickle.pbz2.*No such file"):
        archive_columns(folder, needed=3)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".csv.gz"])
def test_a_table_is_put_in_our_order_by_its_strings(suffix, frame, tmp_path):
    path = tmp_path / f"table{suffix}"
    frame.to_parquet(path) if suffix == ".parquet" else frame.to_csv(path, index=False)
    table = imported("nats-tss", path, tmp_path / "out")
    for row in (0, 1, 7_000, SIZE - 1):
        cell = index_of(frame["arch_str"][row])
        assert table.columns["nats_index"][cell] == row
        assert table.columns["cifar100_val_12"][cell] == pytest.approx(frame["c100_val_12ep"][row])
        assert np.isnan(table.columns["cifar10_val_200"][cell])
    assert table.manifest["source"] == path.name
    assert len(table.manifest["sha256"]) == 64
    assert "MIT" in table.manifest["licence"]


BROKEN = {
    "missing row": (lambda f: f.iloc[1:], "has 15,624 of the 15,625 architectures"),
    "repeated row": (lambda f: f.iloc[[0, *range(SIZE)]], "15,626 rows, but only 15,625 different"),
    "missing column": (lambda f: f.drop(columns="c10_val_12ep"), "has no column 'c10_val_12ep'"),
    "out of range": (lambda f: f.assign(c10_val_12ep=f["c10_val_12ep"] * 100), "must be a number from 0 to 100"),
    "empty cell": (lambda f: f.assign(c10_val_12ep=f["c10_val_12ep"].mask(f["index"] == 5)), "row 6"),
    "text": (lambda f: f.assign(c10_val_12ep="good"), "'good' must be a number"),
    "other operations": (
        lambda f: f.assign(arch_str=f["arch_str"].str.replace("nor_conv_3x3", "conv_3x3")),
        "unknown operation 'conv_3x3'",
    ),
    "numbers for strings": (lambda f: f.assign(arch_str=f["index"]), "must have 3 nodes"),
    "numbers twice": (lambda f: f.assign(index=0), "numbers two architectures alike"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_table_is_refused_and_the_last_import_stays(name, frame, tmp_path):
    change, complaint = BROKEN[name]
    frame.to_parquet(tmp_path / "good.parquet")
    before = imported("nats-tss", tmp_path / "good.parquet", tmp_path).digest
    change(frame).to_parquet(tmp_path / "broken.parquet")
    with pytest.raises(InputError, match=complaint) as refusal:
        import_data("nats-tss", tmp_path / "broken.parquet", folder=tmp_path)
    assert "\n" not in str(refusal.value)
    assert load_table("nats-tss", tmp_path, wanted_by="a test").digest == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.parquet", "good.parquet", "nats-tss.parquet"]


def test_another_librarys_order_of_operations_changes_nothing(frame, tmp_path):
    frame.to_parquet(tmp_path / "one.parquet")
    shuffled = frame.sample(frac=1.0, random_state=0)
    shuffled.to_parquet(tmp_path / "other.parquet")
    one = imported("nats-tss", tmp_path / "one.parquet", tmp_path / "a")
    assert imported("nats-tss", tmp_path / "other.parquet", tmp_path / "b").digest == one.digest


def test_hw_nas_bench_gives_latencies_and_energies_of_every_data_set(tmp_path):
    path = samples.hw_nas_bench(tmp_path / "HW-NAS-Bench-v1_0.pickle")
    table = imported("hw-nas-bench", path, tmp_path)
    raw = pickle.loads(path.read_bytes())["nasbench201"]["ImageNet16-120"]
    for row in (0, 9, SIZE - 1):
        cell = index_of(raw["config"][row]["arch_str"])
        assert table.columns["imagenet16-120:fpga:energy_mj"][cell] == raw["fpga_energy"][row]
        assert table.columns["imagenet16-120:raspi4:latency_ms"][cell] == raw["raspi4_latency"][row]
    assert len(table.columns) == 3 * 7


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda found: found.pop("nasbench201"), "has no mapping 'nasbench201'"),
        (lambda found: found["nasbench201"].pop("cifar100"), "has no mapping 'cifar100'"),
        (lambda found: found["nasbench201"]["cifar10"].pop("config"), "has no list 'config'"),
        (lambda found: found["nasbench201"]["cifar10"]["config"].pop(), "has 15,624 of the 15,625"),
        (lambda found: found["nasbench201"]["cifar10"].update(fpga_latency=[1.0]), "must be 15,625 numbers"),
        (lambda found: found["nasbench201"]["cifar10"].update(fpga_latency=["x"]), "must be 15,625 numbers"),
        (lambda found: found["nasbench201"]["cifar10"].update(fpga_latency=[-1.0] * SIZE), "from 0 to"),
    ],
)
def test_a_malformed_hw_nas_bench_is_one_line(damage, complaint, tmp_path):
    path = samples.hw_nas_bench(tmp_path / "hw.pickle")
    found = pickle.loads(path.read_bytes())
    damage(found)
    path.write_bytes(pickle.dumps(found))
    with pytest.raises(InputError, match=complaint):
        import_data("hw-nas-bench", path, folder=tmp_path / "out")


def test_help_by_number_needs_the_strings_of_a_nats_table(frame, tmp_path):
    latency = frame[["index"]].assign(lat_ms_fpga=np.arange(SIZE) + 1.0)
    latency.to_parquet(tmp_path / "help.parquet")
    with pytest.raises(MissingData, match="archgym data import nats-tss PATH"):
        import_data("help-latency", tmp_path / "help.parquet", folder=tmp_path / "out")
    frame.to_parquet(tmp_path / "nats.parquet")
    import_data("nats-tss", tmp_path / "nats.parquet", folder=tmp_path / "out")
    by_number = imported("help-latency", tmp_path / "help.parquet", tmp_path / "out")
    latency.assign(arch_str=frame["arch_str"]).to_parquet(tmp_path / "named.parquet")
    by_name = imported("help-latency", tmp_path / "named.parquet", tmp_path / "other")
    assert by_number.digest == by_name.digest
    assert by_name.columns["cifar10:fpga:latency_ms"][index_of(frame["arch_str"][41])] == 42.0


def test_macro_architectures_come_from_json_or_a_table(tmp_path):
    table = imported("nas-bench-macro", samples.macro_json(tmp_path / "nas-bench-macro_cifar10.json"), tmp_path)
    entry = samples.macro_entries()["01200120"]
    row = int("01200120", 3)
    assert [table.columns[f"accuracy_{one}"][row] for one in (1, 2, 3)] == entry["test_acc"]
    assert (table.columns["parameters"][row], table.columns["macs"][row]) == (entry["params"], entry["flops"])


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda found: found.pop("00000000"), "has 6,560 of the 6,561"),
        (lambda found: found.update({"3" * 8: found.pop("00000000")}), "must be 8 digits"),
        (lambda found: found["00000000"].update(test_acc=[1.0]), "must have 3 numbers"),
        (lambda found: found["00000000"].update(mean_acc=1.0), "is not the mean of its trainings"),
        (lambda found: found["00000000"].update(params="many"), "'many' must be a number"),
    ],
)
def test_malformed_macro_entries_are_one_line(damage, complaint, tmp_path):
    found = samples.macro_entries()
    damage(found)
    path = tmp_path / "macro.json"
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match=complaint):
        import_data("nas-bench-macro", path, folder=tmp_path / "out")


def test_the_surrogate_finds_a_cost_that_is_a_sum_over_blocks_and_is_the_same_each_time(tmp_path):
    samples.accel_frame().to_parquet(tmp_path / "accel.parquet")
    done = import_data("accel-nasbench", tmp_path / "accel.parquet", folder=tmp_path)
    for name in ("macs", "params", "latency_zcu102"):
        assert done.notes["errors"][name]["r2"] > 0.9999
        assert done.notes["errors"][name]["kendall"] > 0.99
    assert done.notes["errors"]["throughput_a100"]["r2"] > 0.99
    first = load_table("accel-nasbench", tmp_path, wanted_by="a test").digest
    assert imported("accel-nasbench", tmp_path / "accel.parquet", tmp_path / "again").digest == first


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda f: f.iloc[:100], "has 100 rows; a surrogate needs 2,000"),
        (lambda f: f.assign(block2_e=5), "column 'block2_e': 5 must be one of 1, 4, 6"),
        (lambda f: f.assign(block2_l=4), "column 'block2_l': 4 must be one of 1, 2, 3"),
        (lambda f: f.drop(columns="block6_se"), "has no column 'block6_se'"),
        (lambda f: f.assign(val_top1=100.0), "must be a number from 1e-09 to 99.99"),
    ],
)
def test_a_broken_accel_table_is_one_line(change, complaint, tmp_path):
    change(samples.accel_frame()).to_parquet(tmp_path / "accel.parquet")
    with pytest.raises(InputError, match=complaint):
        import_data("accel-nasbench", tmp_path / "accel.parquet", folder=tmp_path / "out")


def test_what_is_not_imported_is_said_with_the_command(tmp_path):
    with pytest.raises(
        MissingData, match=r"run: archgym data import nats-tss PATH --out .* \(PATH: NATS-tss"
    ) as missing:
        load_table("nats-tss", tmp_path / "nowhere", wanted_by="a test")
    assert "\n" not in str(missing.value)


def test_a_damaged_import_is_noticed(frame, tmp_path):
    frame.to_parquet(tmp_path / "table.parquet")
    import_data("nats-tss", tmp_path / "table.parquet", folder=tmp_path)
    path = table_path("nats-tss", tmp_path)
    whole = path.read_bytes()
    for damaged in (whole[:-100], b"", whole[:5000] + bytes(64) + whole[5064:]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="archgym data import nats-tss PATH"):
            load_table("nats-tss", tmp_path, wanted_by="a test")


def test_a_folder_that_cannot_be_written_is_one_line(frame, tmp_path):
    frame.to_parquet(tmp_path / "table.parquet")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        import_data("nats-tss", tmp_path / "table.parquet", folder=tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("kind", "path", "complaint"),
    [
        ("nats", "x", "unknown kind 'nats'; did you mean 'nats-tss'"),
        ("nats-tss", "nowhere", "no file 'nowhere'; nats-tss is read from"),
        ("hw-nas-bench", ".", "is a folder"),
        ("help-latency", __file__, "must end in one of"),
    ],
)
def test_a_wrong_kind_or_path_is_one_line(kind, path, complaint, tmp_path):
    with pytest.raises(InputError, match=complaint):
        import_data(kind, path, folder=tmp_path)
