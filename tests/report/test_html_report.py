"""The HTML report in headless Chromium, read as a user would: whole, drawn, and alone."""

import os
import shutil

import pytest

import funcgrad as fg
from funcgrad.problems import read_problem
from funcgrad.report.html import report_html
from funcgrad.report.record import Report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IDS = ("no-l2-gradient", "natural-gradient-is-projection", "fisher-is-l2", "ntk-gradient")
PROBLEM = {
    "model": "a*exp(-b*x) + c",
    "parameters": "a=2, b=0.7, c=0.1",
    "data": {"x": [0.3, 1.0, 2.0, 3.5], "y": [1.0, 0.2, 0.4, 0.1]},
    "domain": "interval 0 4",
    "metric": "sobolev 1",
}


@pytest.fixture(scope="module")
def report(verdict_of):
    """A report of every kind: theorems that hold, one that does not, one not applicable, some unchecked."""
    text, problem = read_problem(**PROBLEM)
    verdicts = [verdict_of(id) for id in IDS]
    verdicts.append(fg.verify("sobolev-gradient-smooths", problem))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fg.L2, "riesz", lambda self, c, grid: 1 / 0)
        verdicts.append(fg.verify("riesz-representation"))
    return Report("funcgrad verify <all>", 0, "quick", tuple(verdicts), ("l2-limit",), text.as_dict())


@pytest.fixture(scope="module")
def html(report):
    return report_html(report)


def test_the_page_needs_nothing_but_itself(html):
    for word in ("http://", "https://", "@import", "url(", "<script src", '<link rel="stylesheet'):
        assert word not in html.replace("http://www.w3.org/1998/Math/MathML", "")
    assert "funcgrad verify &lt;all&gt;" in html  # what users write is text


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        # .ci/run installs one and fails without, so that this is not skipped there.
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, html, tmp_path):
    """The page from a file, and everything it complained about or asked a network for."""
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.complaints, page.requests = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(path.as_uri())
    yield page
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    page.close()


def test_every_theorem_is_there_with_its_statement_formula_and_status(page, report):
    assert page.locator("h1").inner_text() == "What was verified"
    assert report.summary in page.locator(".lead").inner_text()
    for verdict in report.verdicts:
        section = page.locator(f"#{verdict.id}")
        assert section.locator("h2").inner_text() == verdict.id
        assert verdict.statement in section.inner_text()
        assert verdict.shown_status in section.locator("header .status").inner_text().lower()
        formula = section.locator("math").bounding_box()
        assert formula["width"] > 20
        assert formula["height"] > 10
        assert section.get_by_text(f"funcgrad verify {verdict.id}").count() or report.problem
    assert "l2-limit" in page.locator(".notice").first.inner_text()


def test_every_figure_is_drawn_inside_its_frame(page, report):
    figures = page.locator("figure svg")
    assert figures.count() == sum(len(verdict.cases) for verdict in report.verdicts)
    for k in range(figures.count()):
        figure = figures.nth(k)
        frame, claim = figure.bounding_box(), figure.locator("polyline.claim").bounding_box()
        assert frame["width"] > 200
        assert claim["width"] > 20
        assert frame["x"] <= claim["x"]
        assert claim["x"] + claim["width"] <= frame["x"] + frame["width"]
        assert frame["y"] <= claim["y"] <= frame["y"] + frame["height"]
        assert figure.locator("circle.claim").count() >= 3
        assert figure.locator("circle.control").count() >= 1
        assert figure.locator("text").count() >= 4
        assert figure.get_attribute("aria-label")
    # Where an order is expected, its slope is drawn.
    (verdict,) = [verdict for verdict in report.verdicts if verdict.id == "no-l2-gradient"]
    assert page.locator("#no-l2-gradient figure polyline.slope").count() == len(verdict.cases)


def test_the_details_hold_every_level_and_control(page, report):
    section = page.locator("#no-l2-gradient")
    section.locator("summary").click()
    cases = report.verdicts[0].cases
    tables = section.locator("table")
    assert tables.count() == sum(1 + len(case.controls) for case in cases)
    assert tables.first.locator("tbody tr").count() == len(cases[0].series.residuals)
    assert "Detected" in section.locator("caption").nth(1).inner_text()
    assert "the function does not fit the data exactly" in section.inner_text()
    assert "Not checked" in section.inner_text()


@pytest.mark.parametrize(("group", "shown"), [("holds", 4), ("fails", 1), ("none", 1), ("all", 6)])
def test_the_filter_shows_what_it_says(page, group, shown):
    page.locator(f"#show-{group}").check()
    visible = [row.is_visible() for row in page.locator("section.theorem").all()]
    assert sum(visible) == shown
    assert sum(row.is_visible() for row in page.locator("#overview tbody tr").all()) == shown


def test_it_is_used_by_keyboard(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the overview"
    page.locator("#no-l2-gradient summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#no-l2-gradient details").get_attribute("open") is not None
    page.locator("#show-all").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#show-holds").is_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(page, scheme):
    """Of the colours of text against paper and panel; 4.5 is WCAG's level AA."""
    page.emulate_media(color_scheme=scheme)
    root = "getComputedStyle(document.documentElement)"

    def colour(name):
        return page.evaluate(f"{root}.getPropertyValue('--{name}').trim()")

    for name in ("ink", "soft", "claim", "holds", "fails", "open"):
        for ground in ("paper", "panel"):
            assert contrast(colour(name), colour(ground)) >= 4.5, (name, ground)


def contrast(first, second):
    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_phone_does_not_scroll_sideways(page):
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_printing_shows_what_is_folded(page, tmp_path):
    page.pdf(path=str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes()[:5] == b"%PDF-"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0


def test_ci_has_a_browser():
    assert CHROMIUM or not os.environ.get("CI"), "install chromium: the page is to be tested"
