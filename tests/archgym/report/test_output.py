"""Files: whole or not at all, the same each time, in three formats."""

import csv
import io

import numpy as np
import pytest

from archgym.report import ReportOutput, drawings, render
from archgym.report.charts import Axis, Boxes
from archgym.report.csv_files import COLUMNS
from archgym.report.sections import build_sections
from archgym.report.study_data import prepare
from archgym_simulators import InputError
from tests.archgym.report.made_studies import SMALL_TASKS, made_study

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def study():
    return made_study(SMALL_TASKS, (("alpha", 1), ("beta", 3)), failed=0.1, nothing_feasible=0.1, seeds=4)


@pytest.fixture(scope="module")
def sections(study):
    return build_sections(prepare(study))


@pytest.fixture(scope="module")
def single():
    """One task: pictures take their time."""
    return made_study(seeds=3)


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_one_csv_holds_every_number_that_is_drawn_in_full_precision(study, sections, tmp_path):
    rows = rows_of(render(study, ReportOutput.create(tmp_path / "report.csv", None))["report.csv"])
    assert tuple(rows[0]) == COLUMNS
    for section in sections:
        for scope, view in section.views.items():
            for chart in view.charts:
                key = {"section": section.key, "task": scope, "chart": chart.key}
                found = [row for row in rows if all(row[name] == value for name, value in key.items())]
                drawn = [list(m.quantiles) if isinstance(m, Boxes) else list(getattr(m, "x", ())) for m in chart.marks]
                flat = [value for values in drawn for value in values]
                if flat:
                    assert [float(row["x"]) for row in found] == [float(value) for value in flat]
                assert found


def test_a_folder_has_one_csv_a_chart_and_one_a_table(study, sections, tmp_path):
    files = render(study, ReportOutput.create(tmp_path / "tables", "csv"))
    charts = {f"{s.key}-{c.key}.csv" for s in sections for v in s.views.values() for c in v.charts}
    tables = {f"{s.key}-{t.key}-table.csv" for s in sections for v in s.views.values() for t in v.tables}
    assert set(files) == charts | tables
    agents = rows_of(files["ranking-agents-table.csv"])
    assert {row["agent"] for row in agents} == {"alpha", "beta"}
    assert {row["for task"] for row in agents} == set(sections[0].views)


def test_a_folder_has_one_picture_a_chart_and_task(single, tmp_path):
    output = ReportOutput.create(tmp_path / "pictures", "png")
    files = output.write(render(single, output))
    sections = build_sections(prepare(single))
    assert len(files) == sum(len(view.charts) for section in sections for view in section.views.values())
    assert all(file.read_bytes().startswith(PNG) for file in files)
    assert {file.parent for file in files} == {tmp_path / "pictures"}


def test_one_picture_holds_all_charts(single, tmp_path):
    output = ReportOutput.create(tmp_path / "report.png", None)
    (file,) = output.write(render(single, output))
    assert file.read_bytes().startswith(PNG)


@pytest.mark.parametrize(("low", "high"), [(0.105, 0.125), (0.03, 0.6), (0.01, 50.0), (0.01, 1000.0)])
def test_logarithmic_axes_of_pictures_have_a_few_plain_numbers(low, high):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    canvas, axes = FigureCanvasAgg(figure), figure.subplots()
    axes.plot([low, high], [1.0, 2.0])
    drawings._axis(axes, Axis("regret", log=True), "x")
    canvas.draw()
    ticks = [*axes.xaxis.get_major_ticks(), *axes.xaxis.get_minor_ticks()]
    shown = [t.label1.get_text() for t in ticks if low <= t.get_loc() <= high and t.label1.get_text()]
    assert 2 <= len(shown) <= 12
    assert all(float(text.replace(",", "")) > 0 for text in shown)


def test_the_same_study_gives_the_same_bytes(single, tmp_path):
    pytest.importorskip("plotly")
    for name in ("report.html", "report.csv", "report.png"):
        output = ReportOutput.create(tmp_path / name, None)
        assert render(single, output) == render(single, output)


def test_a_page_needs_nothing_from_elsewhere(study, tmp_path):
    pytest.importorskip("plotly")
    page = render(study, ReportOutput.create(tmp_path / "report.html", None))["report.html"].decode()
    head, rest = page.split('<script type="application/json" id="charts">')
    assert "http" not in head
    assert "src=" not in head
    assert 'src="' not in rest.rsplit("<script>", 1)[1]
    assert len(page) < 8_000_000


def test_a_number_that_is_not_finite_never_reaches_the_page(study, tmp_path):
    pytest.importorskip("plotly")
    study.runs.loc[0, "agent_seconds"] = np.nan
    page = render(study, ReportOutput.create(tmp_path / "report.html", None))["report.html"].decode()
    data = page.split('id="charts">')[1].split("</script>")[0]
    assert "NaN" not in data
    assert "Infinity" not in data


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [
        ("report", None, "must end in .html, .png or .csv"),
        ("report.html", "csv", "ends in .html, but --format is csv"),
        ("report.csv", "png", "ends in .csv, but --format is png"),
        ("nowhere/report.html", None, "there is no folder"),
        ("nowhere/pictures", "png", "there is no folder"),
        ("folder.html", None, "is a folder; name a file"),
        ("file", "csv", "is a file; name a folder"),
        ("file/report.html", None, "there is no folder"),
    ],
)
def test_an_unusable_place_is_named_before_any_work(tmp_path, name, kind, part):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=part):
        ReportOutput.create(tmp_path / name, kind)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder.html"]
    assert (tmp_path / "file").read_text() == "mine"


def test_checking_a_place_leaves_nothing_there(tmp_path):
    ReportOutput.create(tmp_path / "report.html", None)
    ReportOutput.create(tmp_path / "pictures", "png")
    assert list(tmp_path.iterdir()) == []


def test_a_format_by_name_needs_no_extension(tmp_path):
    output = ReportOutput.create(tmp_path / "page", "html")
    assert not output.is_folder
    assert output.write({"report.html": b"x"}) == [tmp_path / "page"]


def test_a_failed_write_leaves_what_was_there_before(tmp_path, monkeypatch):
    output = ReportOutput.create(tmp_path / "tables", "csv")
    output.write({"a.csv": b"old"})
    wrote = []

    def fails(self, content):
        if wrote:
            raise OSError(28, "No space left on device")
        wrote.append(self)
        return original(self, content)

    original = type(tmp_path).write_bytes
    monkeypatch.setattr(type(tmp_path), "write_bytes", fails)
    with pytest.raises(OSError, match="No space left"):
        output.write({"a.csv": b"new", "b.csv": b"new"})
    monkeypatch.undo()
    assert [(file.name, file.read_bytes()) for file in (tmp_path / "tables").iterdir()] == [("a.csv", b"old")]
