"""``archgym report`` on real studies and real searches, and on what is neither."""

import subprocess
import sys

import pytest

from tests.archgym.studies.small_studies import BOWL, fragile, toml


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A study with a failing setting, and a search."""
    place = tmp_path_factory.mktemp("recorded")
    crashing = {"name": fragile(place), "grid": {"mode": ["work", "crash"]}}
    file = toml(place, agents=[{"name": "random_search"}, crashing], record="all")
    search = ["search", BOWL, "--agent", "random_search", "--budget", "30", "--seed", "1", "--out", place / "search"]
    for arguments in (["study", file, "--out", place / "study"], search):
        subprocess.run([sys.executable, "-m", "archgym", *map(str, arguments)], check=False, capture_output=True)
    return place


@pytest.mark.parametrize("kind", ["study", "search"])
def test_a_page_is_written_and_named(cli, folders, tmp_path, kind):
    pytest.importorskip("plotly")
    out = tmp_path / "report.html"
    done = cli("report", folders / kind, "--out", out)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"{out} (")
    page = out.read_text()
    assert "random_search" in page
    assert page.count("<section ") == 11
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_failures_of_a_real_study_are_told_with_their_cause(cli, folders, tmp_path):
    assert cli("report", folders / "study", "--out", tmp_path / "tables", "--format", "csv").status == 0
    failed = (tmp_path / "tables/failures-failed-table.csv").read_text()
    assert "ZeroDivisionError: the agent's own mistake" in failed


def test_recorded_evaluations_tell_which_parameters_matter_and_why_designs_were_invalid(cli, folders, tmp_path):
    assert cli("report", folders / "study", "--out", tmp_path / "tables", "--format", "csv").status == 0
    reasons = (tmp_path / "tables/failures-reasons-table.csv").read_text()
    assert "draws # W, the package takes # W" in reasons


@pytest.mark.parametrize("out", ["report.png", "report.csv"])
def test_pictures_and_numbers_need_no_plotly(process, folders, tmp_path, out):
    code = (
        "import sys; sys.modules['plotly'] = None\n"
        "from archgym.cli.main import main\n"
        f"sys.exit(main(['report', {str(folders / 'search')!r}, '--out', {str(tmp_path / out)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / out).stat().st_size > 1000


def test_without_plotly_the_command_that_installs_it_is_named(cli, folders, tmp_path, monkeypatch):
    from archgym.report.page import require_plotly

    require_plotly.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.delitem(sys.modules, "plotly.offline", raising=False)
    done = cli("report", folders / "search", "--out", tmp_path / "report.html")
    done.assert_is_one_line_error("pip install 'archgym[report]'")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_study_is_named(cli, folders, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/manifest.json").write_text("{}")
    (tmp_path / "file").write_text("")
    for name in ("nowhere", "empty", "other", "file"):
        done = cli("report", tmp_path / name, "--out", tmp_path / "report.html")
        done.assert_is_one_line_error(str(tmp_path / name))
        assert not (tmp_path / "report.html").exists()


def test_a_study_without_a_finished_run_is_named(cli, folders, tmp_path):
    file = toml(tmp_path, agents=[{"name": "random_search"}])
    subprocess.run(
        [sys.executable, "-m", "archgym", "study", str(file), "--out", str(tmp_path / "s"), "--dry-run"],
        check=True,
        capture_output=True,
    )
    done = cli("report", tmp_path / "s", "--out", tmp_path / "report.html")
    done.assert_is_one_line_error(str(tmp_path / "s"))


def test_wrong_options_are_named(cli, folders, tmp_path):
    cli("report", folders / "study").assert_is_one_line_error("--out")
    cli("report", folders / "study", "--out", tmp_path / "a.html", "--format", "htm").assert_is_one_line_error(
        "'htm'", "html, png, csv"
    )
    cli("report", folders / "study", "--out", tmp_path / "a.pdf").assert_is_one_line_error("a.pdf", ".html")


def test_a_full_disk_leaves_nothing_half_written(folders, tmp_path):
    code = (
        "import resource, sys\n"
        "import archgym.report.sections, matplotlib\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from archgym.cli.main import main\n"
        f"sys.exit(main(['report', {str(folders / 'search')!r}, '--out', {str(tmp_path / 'report.png')!r}]))"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(tmp_path / "report.png") in done.stderr
    assert list(tmp_path.iterdir()) == []
