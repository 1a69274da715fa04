"""What a student meets: JupyterLab in a real browser, used with mouse and keyboard."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from course_utils.checks import registry
from tests.bank import backprop as bank
from tests.bank.registry import source
from tests.browser import SECONDS, Notebook, browser_page, jupyterlab

pytestmark = pytest.mark.chromium
expect.set_options(timeout=10 * SECONDS)

TYPED_IN = ("affine_backward", "relu_backward")  # the only exercises whose cells these tests change
EXERCISES = [exercise["name"] for exercise in registry.outline()["01_backprop"]["exercises"]]
TRACEBACK = re.compile(r"Traceback \(most recent|course_utils/|site-packages/")
READABLE = 3.0  # contrast of any text with its background (WCAG 2.2, 1.4.3 for large text)


@pytest.fixture(scope="module")
def after_run_all(chromium, tmp_path_factory):
    """The released notebook in JupyterLab, after Run All Cells."""
    folder = tmp_path_factory.mktemp("jupyterlab")
    with jupyterlab(folder) as address, browser_page(chromium) as page, pictured(page, folder):
        notebook = Notebook(page, address)
        notebook.run_all()
        yield notebook


@pytest.fixture
def notebook(after_run_all, request, tmp_path):
    """The same notebook for every test. No test needs what another did, and none may leave a traceback."""
    page = after_run_all.page
    failed, known = request.session.testsfailed, tracebacks(page)
    yield after_run_all
    if request.session.testsfailed > failed:
        picture(page, tmp_path)
    with pictured(page, tmp_path):
        assert [text for text in tracebacks(page) if text not in known] == []


def tracebacks(page: Page) -> list[str]:
    """The outputs that show a traceback of ours, or any of Python's."""
    return [text for text in page.locator(".jp-OutputArea-output").all_inner_texts() if TRACEBACK.search(text)]


@contextmanager
def pictured(page: Page, folder: Path):
    """Leave a picture of the page in `folder` when the body fails."""
    try:
        yield
    except Exception:
        picture(page, folder)
        raise


def picture(page: Page, folder: Path) -> None:
    page.screenshot(path=folder / "failure.png")
    print(f"The page at the failure: {folder / 'failure.png'}")


def sample(kind: str, exercise: str, label: str) -> str:
    """The source of an implementation from the bank's tests."""
    return next(source(made) for name, what, made in getattr(bank, kind) if (name, what) == (exercise, label)).rstrip()


def verdict(notebook: Notebook, name: str):
    return notebook.outputs(f"check_{name}").locator(".bp-verdict")


def check(notebook: Notebook, name: str, code: str) -> None:
    """Type `code` into the exercise's cell, run it and its check."""
    notebook.write(name, code)
    notebook.run(name)
    notebook.run(f"check_{name}")


def test_run_all_goes_on_after_checks_that_fail(notebook):
    waiting = [cell["source"] for cell in notebook.cells() if cell["kind"] == "code" and cell["count"] is None]
    assert waiting == []
    assert tracebacks(notebook.page) == []


@pytest.mark.parametrize("name", [name for name in EXERCISES if name not in TYPED_IN])
def test_a_stub_is_called_unwritten_in_a_verdict_and_one_line(notebook, name):
    expect(verdict(notebook, name)).to_contain_text(f"{name} is not written yet.")
    expect(verdict(notebook, name).locator("code").last).to_have_text(f"hint({name})")
    expect(notebook.outputs(f"check_{name}")).to_have_count(2)
    line = f"{name}: 0 of {registry.points(name):g} points"
    expect(notebook.outputs(f"check_{name}").last).to_have_text(line, use_inner_text=True)


def test_a_wrong_solution_is_named_and_a_right_one_passes_and_counts(notebook):
    name, wrong = "affine_backward", "averaged over the batch"
    misconception = next(m for m in registry.find(name).misconceptions if m.name == wrong)
    check(notebook, name, sample("MISTAKEN", name, wrong))
    expect(verdict(notebook, name)).to_have_class(re.compile("bp-failed"))
    expect(verdict(notebook, name)).to_contain_text(misconception.explanation)
    expect(verdict(notebook, name)).to_contain_text(misconception.question)
    expect(verdict(notebook, name)).to_contain_text("✗ grad_weight")

    right = next(what for exercise, what, _ in bank.ALTERNATIVES if exercise == name)
    check(notebook, name, sample("ALTERNATIVES", name, right))
    expect(verdict(notebook, name)).to_have_class(re.compile("bp-passed"))
    expect(verdict(notebook, name)).to_contain_text("9 of 9 points")
    expect(verdict(notebook, name)).not_to_contain_text("✗")
    expect(notebook.outputs(f"check_{name}")).to_have_count(1)  # no line in red

    last = notebook.find("progress()")
    notebook.run(last)
    expect(notebook.outputs(last)).to_contain_text(f"✓ {name}")
    notebook.run(notebook.find("def check_the_affine_layer"))
    expect(notebook.outputs(notebook.find("def check_the_affine_layer")).first).to_have_text(f"Using your {name}.")


def test_hints_come_one_at_a_time(notebook):
    first, second, _ = registry.find("affine_forward").hints
    cell = notebook.add_below("check_affine_forward", "hint(affine_forward)")
    notebook.run(cell)
    expect(notebook.outputs(cell)).to_contain_text("Hint 1 of 3")
    expect(notebook.outputs(cell)).to_contain_text(first)
    notebook.run(cell)
    expect(notebook.outputs(cell)).to_contain_text("Hint 2 of 3")
    expect(notebook.outputs(cell)).to_contain_text(second)


def test_reset_brings_the_stub_back_and_keeps_the_old_code_in_a_comment(notebook):
    name, mine = "relu_backward", "def relu_backward(grad_out, x):\n    return grad_out * 2  # my idea"
    check(notebook, name, mine)
    expect(verdict(notebook, name)).to_have_class(re.compile("bp-failed"))
    notebook.write(name, f"{mine}\n\nreset({name})")
    notebook.run(name)
    expect(notebook.outputs(name)).to_contain_text(f"stub of {name}")
    stub, _, old = notebook.source(name).partition("\n\n\n# Your code before the reset:\n")
    assert stub == registry.outlined(name)["stub"].rstrip()
    assert old.rstrip() == "# " + mine.replace("\n", "\n# ")
    notebook.run(name)
    notebook.run(f"check_{name}")
    expect(verdict(notebook, name)).to_contain_text(f"{name} is not written yet.")


@pytest.mark.parametrize("control", ["bp-graph-step", "bp-leaf-w1", "bp-relu-count", "bp-surface-rate"])
def test_a_slider_moved_from_the_keyboard_changes_the_picture(notebook, control):
    figure = notebook.page.locator(f".bp-widget:has(.{control}) .bp-figure svg")
    handle = notebook.page.locator(f".{control} [role=slider]")
    figure.scroll_into_view_if_needed()
    value, alt, drawn = (handle.get_attribute("aria-valuetext"), figure.get_attribute("aria-label"), drawing(figure))
    handle.focus()
    notebook.page.keyboard.press("ArrowRight")
    expect(handle).not_to_have_attribute("aria-valuetext", value)
    expect(figure).not_to_have_attribute("aria-label", alt)
    assert drawing(figure) != drawn
    notebook.page.keyboard.press("ArrowLeft")
    expect(figure).to_have_attribute("aria-label", alt)
    assert drawing(figure) == drawn


def drawing(figure) -> str:
    """What an svg draws, without the ids that are new in every drawing."""
    return re.sub(r"\bbp\d+-\d+\b", "", figure.inner_html())


@pytest.mark.parametrize("css", ["bp-relu-target", "bp-graph-expression"])
def test_a_choice_made_from_the_keyboard_changes_the_picture(notebook, css):
    figure = notebook.page.locator(f".bp-widget:has(.{css}) .bp-figure svg")
    alt = figure.get_attribute("aria-label")
    choose(notebook.page.locator(f".{css}"), 1)
    expect(figure).not_to_have_attribute("aria-label", alt)
    choose(notebook.page.locator(f".{css}"), 0)
    expect(figure).to_have_attribute("aria-label", alt)


@pytest.mark.parametrize(("chosen", "mark"), [(1, "✗"), (2, "✓")])
def test_a_prediction_made_from_the_keyboard_is_remembered_and_revealed(notebook, chosen, mark):
    asks, tells = notebook.find('predict(\n    "first loss"'), notebook.find("def loss_before_training")
    answers = ["about 0", "about 0.1", "about 2.3", "about 10"]
    question = notebook.outputs(asks).locator(".bp-predict")
    choose(question, chosen)
    expect(question.locator(".bp-feedback")).to_contain_text(f"Noted: {answers[chosen]}")
    notebook.run(tells)
    told = notebook.outputs(tells).locator(".bp-reveal")
    expect(told).to_contain_text(f"{mark} You predicted: {answers[chosen]}")
    expect(told).to_contain_text("So it is." if mark == "✓" else f"It is: {answers[2]}")


def choose(group, index: int) -> None:
    """Choose one of several answers with Tab and Space. (JupyterLab keeps the arrow keys to itself.)"""
    controls = group.locator("input, button")
    controls.first.focus()
    for _ in range(index):
        group.page.keyboard.press("Tab")
    expect(controls.nth(index), "Tab does not lead to this choice").to_be_focused()
    group.page.keyboard.press("Space")


# Every visible text under an element with its contrast, opacity and backgrounds of all its ancestors counted.
CONTRAST = """root => {
    const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = (top, under) => [0, 1, 2].map(k => top[3] * top[k] + (1 - top[3]) * under[k]);
    const light = color => color.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
    const behind = element => {
        const color = parse(getComputedStyle(element).backgroundColor);
        const opaque = color[3] === 1 || !element.parentElement;
        return opaque ? color.slice(0, 3) : over(color, behind(element.parentElement));
    };
    const rows = [], walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
        if (!text || !element.checkVisibility() || element.closest('svg, style')) continue;
        let [r, g, b, opacity] = parse(getComputedStyle(element).color);
        for (let e = element; e; e = e.parentElement) opacity *= Number(getComputedStyle(e).opacity);
        const ground = behind(element), [low, high] =
            [light(over([r, g, b, opacity], ground)), light(ground)].sort((x, y) => x - y);
        rows.push([text, (high + 0.05) / (low + 0.05)]);
    }
    return rows;
}"""


def test_the_dark_theme_is_readable(notebook):
    page = notebook.page
    check(notebook, "affine_backward", sample("MISTAKEN", "affine_backward", "averaged over the batch"))
    shown = [
        verdict(notebook, "affine_backward"),
        notebook.outputs("check_affine_backward").last,
        notebook.outputs(notebook.find("progress()")),
        *(page.locator(f".bp-widget.{css}") for css in ("bp-relu", "bp-graph", "bp-surface")),
        page.locator(".bp-predict").first,
        page.locator(".bp-reveal").first,
    ]
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        notebook.theme(theme)
        for part in shown:
            rows = part.evaluate(CONTRAST)
            assert rows, part
            assert [row for row in rows if row[1] < READABLE] == [], theme
        # Pictures bring their own white ground along.
        for figure in page.locator(".bp-figure svg").all():
            assert figure.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
