"""Proxies come back from disk to the bit; what has been touched is refused, and nothing is ever executed."""

import hashlib
import json
import pickle
import shutil

import numpy as np
import pytest

from archgym.proxies import fit, load_proxy, save_proxy
from archgym.proxies.files import MANIFEST, _digest
from archgym.proxies.regressors import KINDS
from archgym_simulators import InputError
from tests.archgym.proxies.test_fitting import SMALL


def refusal(folder):
    """The one line with which a proxy is refused."""
    with pytest.raises(InputError) as caught:
        load_proxy(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def forge(folder, **contents):
    """Change files, and the content hashes with them, as an attacker would."""
    manifest = json.loads((folder / MANIFEST).read_text())
    for name, content in contents.items():
        file = name.replace("__", "-")
        (folder / file).write_bytes(content)
        manifest["files"][file] = hashlib.sha256(content).hexdigest()
    manifest["digest"] = _digest(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize("regressor", KINDS)
def test_a_proxy_comes_back_to_the_bit(one_workload, tmp_path, regressor):
    if regressor == "deep-ensemble":
        pytest.importorskip("torch")
    made = fit(one_workload, regressor=regressor, metrics=["time_ns", "slack_ns"], settings=SMALL.get(regressor))
    read = load_proxy(save_proxy(made, tmp_path / "proxy"))
    one, other = (proxy.predict(one_workload.designs, coverage=0.8) for proxy in (made, read))
    for name in ("values", "low", "high", "valid", "unseen", "outside"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name
    assert (read.schema, read.workloads, read.scores) == (made.schema, made.workloads, made.scores)
    assert {**read.training, "proxy": None} == {**made.training, "proxy": None}


def test_the_manifest_says_what_it_is_of(folder, data):
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["units"] == {"time_ns": "ns", "energy_pj": "pJ", "speed_mhz": "MHz", "slack_ns": "ns"}
    assert manifest["schema"]["simulator_version"] == "1"
    assert manifest["schema"]["space_digest"] == data.schema.space_digest
    assert manifest["training"]["digest"]
    assert set(manifest["files"]) == {file.name for file in folder.iterdir()} - {MANIFEST}


def test_lightgbm_models_are_in_its_own_text(folder):
    import lightgbm

    assert lightgbm.Booster(model_file=folder / "model-00.txt").num_trees() == 60


def test_nothing_is_pickled(folder):
    for file in folder.glob("*.npz"):
        with np.load(file, allow_pickle=False) as archive:
            assert all(archive[name].dtype != object for name in archive.files)


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "missing"])
def test_every_file_that_is_touched_is_refused(folder, tmp_path, change):
    for file in sorted(folder.iterdir()):
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        content, touched = file.read_bytes(), copy / file.name
        if change == "missing":
            touched.unlink()
        elif change == "flip":
            middle = len(content) // 2
            touched.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        else:
            touched.write_bytes(content[: len(content) // 2] if change == "cut" else b"")
        message = refusal(copy)
        assert file.name in message or change == "flip"
        shutil.rmtree(copy)


class Bomb:
    """Says so where it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


@pytest.mark.parametrize(
    "content",
    [pickle.dumps(Bomb()), b"PK\x03\x04 no archive", b"", b"\x93NUMPY", b"not numbers"],
    ids=["pickle", "zip", "empty", "npy", "text"],
)
@pytest.mark.parametrize("name", ["region.npz", "model-00.txt", "model-00-residuals.npz", "validity.npz"])
def test_foreign_content_under_a_forged_hash_is_refused_and_not_executed(folder, name, content):
    forge(folder, **{name: content})
    assert str(folder) in refusal(folder)


def test_a_pickle_within_an_archive_is_refused_and_not_executed(folder):
    file = folder / "model-00-residuals.npz"
    bombs = np.empty(1, object)
    bombs[0] = Bomb()
    np.savez(file, residuals=bombs, allow_pickle=True)
    forge(folder, **{"model-00-residuals.npz": file.read_bytes()})
    message = refusal(folder)
    assert "damaged" in message
    assert "allow_pickle=False" in message


def test_a_manifest_cannot_point_elsewhere(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] = {"../../secret": "0"}
    manifest["digest"] = _digest(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert "names a file '../../secret' elsewhere" in refusal(folder)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "is no manifest"),
        ("[]", "has the format None"),
        ('{"format": "archgym-proxy 99"}', "'archgym-proxy 99'; this version of archgym reads 'archgym-proxy 1'"),
        ('{"format": "archgym-proxy 1", "digest": ""}', "has been changed"),
    ],
)
def test_a_foreign_manifest_is_refused(folder, content, part):
    (folder / MANIFEST).write_text(content)
    assert part in refusal(folder)


def test_what_is_no_proxy_is_refused_with_the_command_that_makes_one(tmp_path):
    for folder, why in ((tmp_path / "nowhere", "does not exist"), (tmp_path, "is no proxy")):
        message = refusal(folder)
        assert why in message
        assert "archgym proxy fit" in message


def test_a_proxy_is_never_written_over_another(proxy, folder):
    before = (folder / MANIFEST).read_bytes()
    with pytest.raises(InputError, match="exists already"):
        save_proxy(proxy, folder)
    assert (folder / MANIFEST).read_bytes() == before
