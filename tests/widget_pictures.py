"""What every widget's picture and page must be, whatever it shows."""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from functools import cache

import nbformat
from nbclient import NotebookClient

from course_utils.widgets.scene import Scene, Text
from tests.made_up import ROOT


@cache
def _fonts():
    from matplotlib.font_manager import FontProperties, findfont
    from PIL import ImageFont

    weights = {False: "normal", True: "bold"}
    files = {bold: findfont(FontProperties(family="DejaVu Sans", weight=weight)) for bold, weight in weights.items()}
    return {bold: ImageFont.truetype(file, 100) for bold, file in files.items()}


def assert_drawn_well(name: str, scene: Scene) -> None:
    """Valid SVG with an alternative text, finite coordinates, and no text over another one or over the edge."""
    svg = scene.svg()
    root = xml.fromstring(svg)
    assert root.get("role") == "img" and root.get("aria-label") == scene.alt and len(scene.alt) > 100, name
    assert not re.search(r'="[^"]*(nan|inf)\b', svg.replace(root.get("aria-label"), "")), name
    boxes = []
    for item in scene.items:
        if isinstance(item, Text) and not item.turned and item.text.strip():
            width = _fonts()[item.bold].getlength(item.text) / 100 * item.size
            left = item.at[0] - {"start": 0, "middle": width / 2, "end": width}[item.anchor]
            assert left >= 0 and left + width <= scene.width, (name, item.text)
            assert item.size >= 7 and item.size <= item.at[1] <= scene.height - 3, (name, item.text)
            boxes.append((left, left + width, item.at[1] - 0.73 * item.size, item.at[1], item.text))
    for i, (left, right, top, bottom, text) in enumerate(boxes):
        for other in boxes[:i]:
            apart = right <= other[0] or other[1] <= left or bottom <= other[2] or other[3] <= top
            assert apart, (name, text, other[-1])


def assert_reaches_the_page(*calls: str) -> None:
    """In a real kernel every call displays a live view, a small picture and its text, and nothing else."""
    names = ", ".join(call.partition("(")[0] for call in calls)
    sources = [f"from course_utils.widgets import {names}", *calls]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    for cell in notebook.cells[1:]:
        (output,) = cell.outputs
        assert set(output.data) == {
            "application/vnd.jupyter.widget-view+json", "text/html", "image/png", "text/plain",
        }  # fmt: skip
        assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
        assert len(output.data["image/png"]) < 130_000  # characters of base64


def assert_named_controls(view, count: int) -> None:
    """Every one of `count` controls has a description, a tooltip and a class of its own."""
    assert "bp-widget" in view._dom_classes
    found = list(controls(view))
    classes = [name for control in found for name in control._dom_classes if name.startswith("bp-")]
    assert all(control.description and control.tooltip for control in found)
    assert len(classes) == len(set(classes)) == len(found) == count


def controls(view):
    """All widgets inside `view` that a user works."""
    for child in view.children:
        if hasattr(child, "children"):
            yield from controls(child)
        elif type(child).__name__ != "HTML":
            yield child
