"""The widgets of 02 in JupyterLab in a real browser, worked from the keyboard in a notebook of their own."""

from __future__ import annotations

import re

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser import SECONDS, Notebook, browser_page, jupyterlab
from tests.test_browser import CONTRAST, READABLE, choose, drawing, pictured

pytestmark = pytest.mark.chromium
expect.set_options(timeout=10 * SECONDS)
CELLS = (
    "from course_utils.widgets import convolution_window, layer_stack",
    "convolution_window(stride=2, padding=1)",
    "layer_stack()",
)


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


def figure(notebook, widget: str):
    return notebook.page.locator(f".{widget} .bp-figure svg")


def press(notebook, control: str, key: str) -> None:
    """Press a key on a slider, which must have the focus for it, and see its value change."""
    handle = notebook.page.locator(f".{control} [role=slider]")
    value = handle.get_attribute("aria-valuetext")
    handle.focus()
    notebook.page.keyboard.press(key)
    expect(handle).not_to_have_attribute("aria-valuetext", value)


def says(notebook, widget: str, text: str) -> None:
    expect(figure(notebook, widget)).to_have_attribute("aria-label", re.compile(re.escape(text)))


def test_the_window_moves_with_the_arrow_keys_and_back(notebook):
    drawn = drawing(figure(notebook, "bp-window"))
    press(notebook, "bp-window-row", "ArrowRight")
    says(notebook, "bp-window", "output[1, 0] reads rows 2 to 4 and columns 0 to 2")
    press(notebook, "bp-window-column", "ArrowRight")
    says(notebook, "bp-window", "output[1, 1] reads rows 2 to 4 and columns 2 to 4")
    button = notebook.page.locator(".bp-window-prev")
    button.focus()
    notebook.page.keyboard.press("Space")
    notebook.page.keyboard.press("Space")
    says(notebook, "bp-window", "output[0, 2] reads")
    press(notebook, "bp-window-column", "Home")
    says(notebook, "bp-window", "output[0, 0] reads")
    assert drawing(figure(notebook, "bp-window")) == drawn


def test_a_kernel_too_large_is_said_and_taken_back(notebook):
    says(notebook, "bp-window", "No window reads column 7 of the padded input")
    press(notebook, "bp-window-padding-columns", "Home")
    press(notebook, "bp-window-kernel-width", "End")
    says(notebook, "bp-window", "its 7 columns are more than the 6 (6 + 2·0) there are")
    expect(notebook.page.locator(".bp-window-next")).to_be_disabled()
    for _ in range(4):
        press(notebook, "bp-window-kernel-width", "ArrowLeft")
    press(notebook, "bp-window-padding-columns", "ArrowRight")
    says(notebook, "bp-window", "Output size: height (7 − 3 + 2·1)/2 + 1 = 4, width (6 − 3 + 2·1)/2 + 1 = 3.5")


def test_pointing_at_an_output_element_shows_its_window(notebook):
    spot = notebook.page.locator(".bp-window .bp-spot").nth(4)
    spot.locator(".bp-hit").hover()
    outline = spot.locator("rect:not(.bp-hit)").first
    expect(outline).to_have_css("stroke", "rgb(213, 94, 0)")
    assert spot.locator("title").text_content().startswith("output[1, 1] = ")
    notebook.page.locator(".bp-window .bp-hit").first.hover()
    assert outline.evaluate("e => getComputedStyle(e).stroke") == "none"


def test_a_stack_is_built_from_the_keyboard(notebook):
    page = notebook.page
    says(notebook, "bp-stack", "Total: 22,466 parameters, 3,920,000 multiply–accumulates")
    field = page.locator(".bp-stack-out input")
    field.focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("32")
    page.keyboard.press("Enter")
    says(notebook, "bp-stack", "conv1 (32 of 5×5, padding 2) gives 32×32×32")
    press(notebook, "bp-stack-layer", "ArrowRight")
    says(notebook, "bp-stack", "Layer 2 is chosen")  # its settings have arrived, and will not undo the next choice
    choose(
        page.locator(".bp-stack-kind"), 4
    )  # the second layer becomes fully connected: conv2 has nothing to slide over
    says(notebook, "bp-stack", "The stack stops at pool1")
    for control in ("bp-stack-remove", "bp-stack-again"):
        page.locator(f".{control}").focus()
        page.keyboard.press("Enter")
        says(notebook, "bp-stack", {"bp-stack-remove": "Stack of 9 layers", "bp-stack-again": "Total: 22,466"}[control])
    choose(page.locator(".bp-stack-preset"), 3)
    says(notebook, "bp-stack", "conv1 does not fit exactly: (224 − 11 + 2·0)/4 + 1 = 54.25 is rounded down")
    choose(page.locator(".bp-stack-preset"), 0)


def test_the_widgets_are_readable_in_both_themes(notebook):
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        for widget in ("bp-window", "bp-stack"):
            rows = notebook.page.locator(f".bp-widget.{widget}").evaluate(CONTRAST)
            assert rows and [row for row in rows if row[1] < READABLE] == [], theme
            ground = figure(notebook, widget).evaluate("e => getComputedStyle(e).backgroundColor")
            assert ground == "rgb(255, 255, 255)"
