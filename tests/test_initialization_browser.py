"""The widgets of 03 in JupyterLab in a real browser, worked from the keyboard in a notebook of their own."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser import SECONDS, Notebook, browser_page, jupyterlab
from tests.test_browser import CONTRAST, READABLE, choose, drawing, pictured, tracebacks

pytestmark = pytest.mark.chromium
expect.set_options(timeout=10 * SECONDS)
CELLS = (
    "from course_utils.widgets import dead_units, layer_histograms",
    "layer_histograms()",
    "dead_units()",
)
WIDGETS = ("bp-layers", "bp-dead")


@pytest.fixture(scope="module")
def notebook(chromium, tmp_path_factory):
    """A notebook that holds the two widgets and nothing else, after Run All Cells."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    with jupyterlab(folder) as address, browser_page(chromium) as page, pictured(page, folder):
        cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "work/widgets.ipynb")
        opened = Notebook(page, address, "widgets.ipynb")
        opened.run_all()
        yield opened
        assert tracebacks(page) == []


def figure(notebook, control: str):
    """The picture of the widget that has this control."""
    return notebook.page.locator(f".bp-widget:has(.{control}) .bp-figure svg")


def shows(notebook, control: str, text: str) -> None:
    expect(figure(notebook, control)).to_have_attribute("aria-label", re.compile(re.escape(text)))


@pytest.mark.parametrize(
    ("control", "key", "back", "text"),
    [
        ("bp-layers-gain", "ArrowRight", "ArrowLeft", "(std 0.01, gain 1.01)"),
        ("bp-layers-depth", "ArrowLeft", "ArrowRight", "A network of 9 layers"),
        ("bp-dead-rate", "ArrowRight", "ArrowLeft", "Learning rate 1.8, after 60 steps"),
        ("bp-dead-step", "ArrowLeft", "ArrowRight", "Learning rate 1, after 57 steps"),
        ("bp-dead-run", "ArrowRight", "ArrowLeft", "inputs pixels 0 to 1, run 2."),
    ],
)
def test_a_slider_moved_from_the_keyboard_changes_the_picture_and_back(notebook, control, key, back, text):
    shown = figure(notebook, control)
    shown.scroll_into_view_if_needed()
    alt, drawn = shown.get_attribute("aria-label"), drawing(shown)
    notebook.page.locator(f".{control} [role=slider]").focus()
    notebook.page.keyboard.press(key)
    shows(notebook, control, text)
    assert drawing(shown) != drawn
    notebook.page.keyboard.press(back)
    expect(shown).to_have_attribute("aria-label", alt)
    assert drawing(shown) == drawn


@pytest.mark.parametrize(
    ("control", "index", "first", "text"),
    [
        ("bp-layers-activation", 2, 1, "activation relu"),
        ("bp-layers-scheme", 1, 2, "(He, gain 1)"),
        ("bp-dead-inputs", 1, 0, "inputs minus their mean"),
    ],
)
def test_a_choice_made_from_the_keyboard_changes_the_picture_and_back(notebook, control, index, first, text):
    alt = figure(notebook, control).get_attribute("aria-label")
    choose(notebook.page.locator(f".{control}"), index)
    shows(notebook, control, text)
    choose(notebook.page.locator(f".{control}"), first)
    expect(figure(notebook, control)).to_have_attribute("aria-label", alt)


@pytest.mark.parametrize(
    ("widget", "controls"),
    [("bp-layers", ["activation", "scheme", "gain", "depth"]), ("bp-dead", ["rate", "step", "run", "inputs"])],
)
def test_tab_leads_through_all_controls_in_reading_order_and_out(notebook, widget, controls):
    focused = f"() => document.activeElement.closest('[class*={widget}-]')?.className.match(/{widget}-(\\w+)/)[1]"
    notebook.page.locator(f".{widget} input, .{widget} [role=slider]").first.focus()
    seen = []
    while name := notebook.page.evaluate(focused):
        seen.append(name)
        assert len(seen) < 40, "Tab does not lead out of the widget"
        notebook.page.keyboard.press("Tab")
    assert list(dict.fromkeys(seen)) == controls and seen == sorted(seen, key=controls.index)


def test_both_themes_are_readable_and_nothing_is_cut_off(notebook):
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        for widget in WIDGETS:
            part = notebook.page.locator(f".bp-widget.{widget}")
            rows = part.evaluate(CONTRAST)
            assert len(rows) > 6 and [row for row in rows if row[1] < READABLE] == [], theme
            svg = part.locator(".bp-figure svg")
            assert svg.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
            # Labels are ended by an ellipsis where they do not fit.
            cut = "e => [...e.querySelectorAll('.widget-label')].filter(l => l.scrollWidth > l.clientWidth + 1).length"
            assert part.evaluate(cut) == 0
            out, box = part.bounding_box(), svg.bounding_box()
            assert out["x"] <= box["x"] and box["x"] + box["width"] <= out["x"] + out["width"] + 1
