"""The page in a real browser: it draws, filters, turns dark, fits a phone, prints, and never complains."""

import json
import re
import zlib

import pytest

pytest.importorskip("plotly", reason="needs archgym[report]")

from archgym.report import ReportOutput, render
from tests.archgym.report.chromium import Chromium, needs_chromium
from tests.archgym.report.made_studies import SMALL_TASKS, MadeTask, large_study, made_study

pytestmark = needs_chromium
PHONE = 390
ARROW_DOWN = 40


@pytest.fixture(scope="module")
def browser():
    opened = Chromium()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    study = made_study(SMALL_TASKS, (("alpha", 1), ("beta", 5), ("<i>gamma", 3)), failed=0.1, nothing_feasible=0.1)
    output = ReportOutput.create(tmp_path_factory.mktemp("page") / "report.html", None)
    return output.write(render(study, output))[0]


def wanted(browser, scope):
    """The plots that a scope should have, by id, with the agents of their traces."""
    charts = json.loads(browser.run("document.getElementById('charts').textContent"))
    return {
        f"plot-{key}-{chart['key']}": {trace["agent"] for trace in chart["traces"]} - {""}
        for key, by_scope in charts.items()
        for chart in by_scope[scope]
    }


def drawn(browser):
    """The plots on the page, by id, with the agents of their traces."""
    found = browser.run(
        "[...document.querySelectorAll('.plot')].map((p) => [p.id, p.querySelector('.main-svg') !== null,"
        "p.data.map((t) => t.agent)])"
    )
    assert all(is_drawn for _, is_drawn, _ in found)
    return {identity: set(agents) - {""} for identity, _, agents in found}


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(browser, selector):
    ink, paper = (
        luminance(browser.run(f"getComputedStyle(document.querySelector('{where}')).{what}"))
        for where, what in ((selector, "color"), ("body", "backgroundColor"))
    )
    return (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1100, PHONE])
def test_every_plot_is_drawn_without_a_complaint(browser, page, dark, width):
    browser.open(page, dark=dark, width=width)
    assert browser.complaints == []
    plots = drawn(browser)
    assert plots == wanted(browser, "")
    assert len(plots) >= 10
    assert browser.run("[...document.querySelectorAll('.plot')].every((p) => p.getBoundingClientRect().height > 150)")


def test_the_name_of_the_study_and_of_an_agent_cannot_smuggle_markup(browser, page):
    browser.open(page)
    assert browser.run("document.querySelector('h1').textContent") == "Made & <b>small</b>"
    assert browser.run("document.querySelectorAll('h1 b, main i, #bar i').length") == 0
    assert browser.run("[...document.querySelectorAll('.agent')].map((e) => e.textContent)") == [
        "alpha",
        "beta",
        "<i>gamma",
    ]


def test_a_click_on_an_agent_takes_it_out_of_plots_and_tables_and_another_brings_it_back(browser, page):
    browser.open(page)
    before = drawn(browser)
    rows = "document.querySelectorAll('tr[data-agent=\"beta\"]:not([hidden])').length"
    listed = browser.run(rows)
    assert listed > 0
    browser.click('.agent input[value="beta"]')
    assert browser.run("document.querySelector('.agent input[value=\"beta\"]').checked") is False
    assert drawn(browser) == {identity: agents - {"beta"} for identity, agents in before.items()}
    assert any("beta" in agents for agents in before.values())
    assert browser.run(rows) == 0
    browser.click('.agent input[value="beta"]')
    assert drawn(browser) == before
    assert browser.run(rows) == listed
    assert browser.complaints == []


def test_settings_tried_are_whole_numbers(browser, tmp_path):
    study = made_study((MadeTask(),), (("alpha", 3),))  # so few that a tick would fit between two numbers
    output = ReportOutput.create(tmp_path / "report.html", None)
    browser.open(output.write(render(study, output))[0])
    browser.run("document.getElementById('scope').focus()")
    if browser.run("!document.getElementById('plot-lottery-tickets')"):
        browser.press("ArrowDown", ARROW_DOWN)
    assert browser.run("document.getElementById('plot-lottery-tickets')._fullLayout.xaxis.ticktext") == ["1", "2", "3"]


def test_choosing_a_task_shows_its_words_tables_and_plots_and_nothing_else(browser, page):
    browser.open(page)
    scopes = browser.run("[...document.querySelectorAll('#scope option')].map((o) => o.value)")
    assert len(scopes) == 1 + len(SMALL_TASKS)
    browser.run("document.getElementById('scope').focus()")
    for scope in scopes[1:]:
        browser.press("ArrowDown", ARROW_DOWN)
        assert browser.run("document.getElementById('scope').value") == scope
        assert drawn(browser) == wanted(browser, scope)
        shown = browser.run(
            "[...document.querySelectorAll('.view')].filter((v) => v.offsetParent).map((v) => v.dataset.scope)"
        )
        assert set(shown) == {scope}
    assert browser.complaints == []


def test_sections_without_data_say_so_instead_of_drawing_nothing(browser, page):
    browser.open(page)
    sections = "[...document.querySelectorAll('main section')]"
    assert browser.run(f"{sections}.length") == 11
    assert browser.run(f"{sections}.filter((s) => !s.querySelector('.view:not([hidden]) li')).length") == 0


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_both_themes(browser, page, dark):
    browser.open(page, dark=dark)
    is_dark = luminance(browser.run("getComputedStyle(document.body).backgroundColor")) < 0.1
    assert is_dark == dark
    for selector in ("h1", ".words", ".facts", ".note", "th", "nav a"):
        assert contrast(browser, selector) >= 4.5, selector
    assert browser.run("document.querySelector('.plot')._fullLayout.font.color") == (
        browser.run("getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()")
    )


def test_the_button_switches_the_theme_and_repaints_plots(browser, page):
    browser.open(page)
    paper = "document.querySelector('.plot')._fullLayout.paper_bgcolor"
    light = browser.run(paper)
    browser.click("#theme")
    assert luminance(browser.run("getComputedStyle(document.body).backgroundColor")) < 0.1
    assert browser.run(paper) != light
    browser.click("#theme")
    assert browser.run(paper) == light


def test_a_phone_scrolls_in_one_direction_only(browser, page):
    browser.open(page, width=PHONE)
    assert browser.run("document.documentElement.scrollWidth") <= PHONE
    assert browser.run("Math.max(...[...document.querySelectorAll('.plot')].map((p) => p.offsetWidth))") <= PHONE


def test_agents_are_told_apart_by_more_than_colour(browser, page):
    browser.open(page)
    styles = browser.run(
        "document.querySelector('#plot-anytime-simulations').data.filter((t) => t.part === 'line')"
        ".map((t) => [t.line.dash, t.line.color])"
    )
    assert len({dash for dash, _ in styles}) == len({colour for _, colour in styles}) == len(styles) == 3


def test_it_prints_on_white_whatever_the_theme_and_looks_as_before_afterwards(browser, page):
    browser.open(page, dark=True)
    before = drawn(browser)
    printed = browser.pdf()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") >= 4
    assert not paints_dark_paper(printed)
    browser.wait("document.documentElement.dataset.drawn === 'yes'")
    assert browser.run("document.documentElement.dataset.theme") == "dark"
    assert drawn(browser) == before
    assert browser.complaints == []


def paints_dark_paper(printed):
    """Whether the dark theme's paper colour (#14171b) is set anywhere in the PDF's page contents."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", printed, re.DOTALL)
    texts = []
    for stream in streams:
        try:
            texts.append(zlib.decompress(stream))
        except zlib.error:
            continue
    assert any(b" rg" in text for text in texts)
    return any(re.search(rb"\.0784\d* \.0901\d* \.1058\d* rg", text) for text in texts)


def test_20_000_runs_make_a_page_below_8_mb_that_opens(browser, tmp_path):
    study = large_study()
    assert len(study.runs) == 20_000
    output = ReportOutput.create(tmp_path / "large.html", None)
    (file,) = output.write(render(study, output))
    assert file.stat().st_size < 8_000_000
    browser.open(file)
    assert browser.complaints == []
    assert drawn(browser) == wanted(browser, "")
