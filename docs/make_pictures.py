"""Make the pictures of the README from the notebook as it is now: `.venv/bin/python -m docs.make_pictures`.

Needs Chromium. Raises RuntimeError where a picture would not show what the README says of it.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image

from course_utils.checks import registry
from course_utils.checks.hints import find_solution
from tests.browser import Notebook, browser_page, jupyterlab
from tests.conftest import chromium_path

DOCS = Path(__file__).resolve().parent
RIGHT, WRONG = "parent.grad += ", "parent.grad = "  # the one line that was mended
STEP, SAYS = 14, "w1.grad += x1.data × v1.grad"  # of the neuron's graph
KILOBYTES = 150


def main() -> None:
    """Write check_failing.png, check_passing.png and widget.png beside this file."""
    solution = find_solution("Value")
    overwritten = next(m for m in registry.find("Value").misconceptions if m.name == "gradient overwritten")
    if solution.count(RIGHT) != 1:
        raise RuntimeError(f"the reference of Value has no single line with {RIGHT!r} any more")
    window = {"viewport": {"width": 1250, "height": 1000}, "device_scale_factor": 2}
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as folder,
        jupyterlab(Path(folder)) as address,
        browser_page(chromium_path(), **window) as page,
    ):
        notebook = Notebook(page, address)
        first = notebook.find("import numpy as np")
        notebook.run(first)
        for name, code, wanted in (
            ("check_failing", solution.replace(RIGHT, WRONG), overwritten.explanation),
            ("check_passing", solution, "12 of 12 points"),
        ):
            notebook.write("Value", code.rstrip())
            notebook.run("Value")
            notebook.run("check_Value")
            notebook.cell(first).focus()  # the frame around the chosen cell stays out of the picture
            save(notebook.cell("check_Value"), name, wanted)
        player = notebook.find("graph_player()")
        notebook.run(player)
        page.locator(".bp-graph-step [role=slider]").focus()
        for _ in range(STEP):
            page.keyboard.press("ArrowRight")
        page.locator(f".bp-graph .bp-figure svg[aria-label*='Step {STEP}']").wait_for()
        save(page.locator(".bp-widget.bp-graph"), "widget", SAYS, margin=4)


def save(part, name: str, wanted: str, margin: int = 0) -> None:
    """Write the picture of a part of the page, once it says what is `wanted`."""
    text = part.inner_text()
    if wanted not in text:
        raise RuntimeError(f"{name}.png would not show {wanted!r} but:\n{text}")
    # In the middle of the window no frame of JupyterLab's runs along an edge of the picture.
    part.evaluate("part => part.scrollIntoView({block: 'center'})")
    box = part.bounding_box()
    clip = {
        "x": box["x"] - margin,
        "y": box["y"] - margin,
        "width": box["width"] + 2 * margin,
        "height": box["height"] + 2 * margin,
    }
    shot = Image.open(io.BytesIO(part.page.screenshot(clip=clip))).convert("RGB")
    # A page has few colours: with a palette of 64 the file is a third as large and looks the same.
    picture = shot.quantize(64, dither=Image.Dither.NONE)
    path = DOCS / f"{name}.png"
    picture.save(path, optimize=True)
    if path.stat().st_size > KILOBYTES * 1000:
        raise RuntimeError(f"{path.name} has {path.stat().st_size / 1000:.0f} kB, more than {KILOBYTES}")
    print(f"{path.name}: {picture.width} × {picture.height}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
