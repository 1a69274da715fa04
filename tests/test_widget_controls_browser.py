"""The widgets from 03 on in JupyterLab in a real browser, worked from the keyboard in a notebook of their own.

One notebook holds them all, as the call in `WIDGETS` makes them.
"""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser import SECONDS, Notebook, browser_page, jupyterlab
from tests.test_browser import CONTRAST, READABLE, choose, drawing, pictured, tracebacks

pytestmark = pytest.mark.chromium
expect.set_options(timeout=40 * SECONDS)  # some moves train dozens of small networks
# The call, the widget's class, and the names of its controls in the order in which Tab reaches them.
WIDGETS = (
    ("layer_histograms()", "bp-layers", ("activation", "scheme", "gain", "depth")),
    ("dead_units()", "bp-dead", ("rate", "step", "run", "inputs")),
    ("optimizer_race()", "bp-race", ("surface", "factor", "step", "follow")),
    ("stability_map()", "bp-stability", ("product", "momentum", "curvature")),
    ("thinned_networks()", "bp-thinned", ("p", "samples", "where", "draw")),
    ("dropout_gap()", "bp-gap", ("p", "examples", "wrong")),
    ("batch_statistics()", "bp-batch", ("size", "number", "unit")),
    ("rates_survived()", "bp-rates", ("rate", "weights")),
    ("augmentation_knobs()", "bp-knobs", ("subject", "mirrored", "turn", "shift", "brightness", "contrast")),
    ("elastic_distortion()", "bp-elastic", ("alpha", "sigma", "draw")),
    ("first_layer_filters()", "bp-filters", ("moment", "show", "scale")),
    ("alexnet_accounting()", "bp-account", ("width", "size", "groups", "classes", "batch")),
)
# A slider, a key that moves it and the one that takes the move back, and what the picture then says.
MOVES = (
    ("bp-layers-gain", "ArrowRight", "ArrowLeft", "(std 0.01, gain 1.01)"),
    ("bp-layers-depth", "ArrowLeft", "ArrowRight", "A network of 9 layers"),
    ("bp-dead-rate", "ArrowRight", "ArrowLeft", "Learning rate 1.8, after 60 steps"),
    ("bp-dead-step", "ArrowLeft", "ArrowRight", "Learning rate 1, after 57 steps"),
    ("bp-dead-run", "ArrowRight", "ArrowLeft", "inputs pixels 0 to 1, run 2."),
    ("bp-race-factor", "ArrowRight", "ArrowLeft", "learning rates × 2"),
    ("bp-race-step", "ArrowLeft", "ArrowRight", "After 59 steps"),
    ("bp-stability-product", "ArrowRight", "ArrowLeft", "α·λ = 1.52"),
    ("bp-stability-momentum", "ArrowRight", "ArrowLeft", "momentum 0.51"),
    ("bp-thinned-p", "ArrowRight", "ArrowLeft", "with probability 0.45"),
    ("bp-thinned-samples", "ArrowRight", "ArrowLeft", "Average of 50"),
    ("bp-thinned-draw", "ArrowRight", "ArrowLeft", "of draw 2"),
    ("bp-gap-p", "ArrowRight", "ArrowLeft", "p = 0.6"),
    ("bp-batch-size", "ArrowRight", "ArrowLeft", "Mini-batch 1 of 16 images"),
    ("bp-batch-number", "ArrowRight", "ArrowLeft", "Mini-batch 2 of 8 images"),
    ("bp-batch-unit", "ArrowRight", "ArrowLeft", "Unit 2 on all"),
    ("bp-rates-rate", "ArrowRight", "ArrowLeft", "learning rate 0.5"),
    ("bp-knobs-turn", "ArrowRight", "ArrowLeft", "turned by 20°"),
    ("bp-knobs-shift", "ArrowLeft", "ArrowRight", "shifted by −1 pixels"),
    ("bp-knobs-brightness", "ArrowRight", "ArrowLeft", "brightness 0.05"),
    ("bp-knobs-contrast", "ArrowLeft", "ArrowRight", "contrast 0.95"),
    ("bp-elastic-alpha", "ArrowRight", "ArrowLeft", "α = 31"),
    ("bp-elastic-sigma", "ArrowLeft", "ArrowRight", "σ = 3.5"),
    ("bp-elastic-draw", "ArrowRight", "ArrowLeft", "draw 2"),
    ("bp-filters-moment", "ArrowLeft", "ArrowRight", "after 4,250 updates"),
    ("bp-account-width", "ArrowLeft", "ArrowRight", "of width 0.9375"),
    ("bp-account-size", "ArrowRight", "ArrowLeft", "228 pixels do not fit"),
    ("bp-account-batch", "ArrowRight", "ArrowLeft", "Activations of 256 images"),
)
# Radio buttons: which one to choose, which one is chosen at first, and what the picture then says.
CHOICES = (
    ("bp-layers-activation", 2, 1, "activation relu"),
    ("bp-layers-scheme", 1, 2, "(He, gain 1)"),
    ("bp-dead-inputs", 1, 0, "inputs minus their mean"),
    ("bp-race-surface", 0, 2, "The surface Beale"),
    ("bp-stability-curvature", 2, 1, "½·100·x²"),
    ("bp-thinned-where", 1, 0, "inputs are dropped"),
    ("bp-gap-examples", 0, 1, "100 training images"),
    ("bp-gap-wrong", 0, 1, "all labels right"),
    ("bp-rates-weights", 1, 0, "std 0.01 weights"),
    ("bp-knobs-subject", 2, 0, "A picture of a cross"),
    ("bp-knobs-mirrored", 1, 0, "a mirrored b is a d"),
    ("bp-filters-show", 1, 0, "Grey is no change since the beginning"),
    ("bp-filters-scale", 1, 0, "the largest value of the whole run"),
    ("bp-account-groups", 0, 1, "Total: 62,378,344 parameters"),
    ("bp-account-classes", 0, 1, "two groups, 10 classes"),
)


@pytest.fixture(scope="module")
def notebook(chromium, tmp_path_factory):
    """A notebook that holds the widgets and nothing else, after Run All Cells."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    with jupyterlab(folder) as address, browser_page(chromium) as page, pictured(page, folder):
        calls = [call for call, _, _ in WIDGETS]
        names = ", ".join(call.partition("(")[0] for call in calls)
        sources = [f"from course_utils.widgets import {names}", *calls]
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
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


@pytest.mark.parametrize(("control", "key", "back", "text"), MOVES)
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


@pytest.mark.parametrize(("control", "index", "first", "text"), CHOICES)
def test_a_choice_made_from_the_keyboard_changes_the_picture_and_back(notebook, control, index, first, text):
    alt = figure(notebook, control).get_attribute("aria-label")
    choose(notebook.page.locator(f".{control}"), index)
    shows(notebook, control, text)
    choose(notebook.page.locator(f".{control}"), first)
    expect(figure(notebook, control)).to_have_attribute("aria-label", alt)


@pytest.mark.parametrize(("widget", "controls"), [row[1:] for row in WIDGETS])
def test_tab_leads_through_all_controls_in_reading_order_and_out(notebook, widget, controls):
    focused = f"() => document.activeElement.closest('[class*={widget}-]')?.className.match(/{widget}-(\\w+)/)[1]"
    notebook.page.locator(f".{widget} input, .{widget} [role=slider]").first.focus()
    seen = []
    while name := notebook.page.evaluate(focused):
        seen.append(name)
        assert len(seen) < 40, "Tab does not lead out of the widget"
        notebook.page.keyboard.press("Tab")
    assert tuple(dict.fromkeys(seen)) == controls and seen == sorted(seen, key=controls.index)


def test_both_themes_are_readable_and_nothing_is_cut_off(notebook):
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        for _, widget, _ in WIDGETS:
            part = notebook.page.locator(f".bp-widget.{widget}")
            rows = part.evaluate(CONTRAST)
            assert len(rows) >= 5 and [row for row in rows if row[1] < READABLE] == [], theme
            svg = part.locator(".bp-figure svg")
            assert svg.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
            # Labels are ended by an ellipsis where they do not fit.
            cut = "e => [...e.querySelectorAll('.widget-label')].filter(l => l.scrollWidth > l.clientWidth + 1).length"
            assert part.evaluate(cut) == 0
            out, box = part.bounding_box(), svg.bounding_box()
            assert out["x"] <= box["x"] and box["x"] + box["width"] <= out["x"] + out["width"] + 1
