"""Course directories with an honest class of any size, for benchmarks and long tests."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import nbformat

from autograder.build.course import build_sources
from autograder.references import display_only

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT, NOTEBOOK = "01_backprop", "backprop"
STUB = "def {name}(*args, **kwargs):\n    raise NotImplementedError()"
# What an honest student may still have wrong; None is the solution.
STORIES: tuple[dict[str, str], ...] = (
    {},
    {"affine_forward": "def affine_forward(x, weight, bias):\n    return x @ weight.T"},
    {"tanh_backward": "def tanh_backward(grad_out, out):\n    return grad_out * (1 - np.tanh(out) ** 2)"},
    {"relu_backward": STUB.format(name="relu_backward"), "unbroadcast": STUB.format(name="unbroadcast")},
    {"softmax_cross_entropy": "def softmax_cross_entropy(logits, labels):\n    return logits[0]"},
)
SMALL = ("affine_forward", "affine_backward", "relu_backward", "tanh_backward")
STOCK = "c = get_config()\n"


def source_notebook(small: bool = False, display: bool = True) -> Any:
    """The source of 01_backprop; `small` keeps four short exercises, without `display` the display-only cells go."""
    build_sources(ROOT)
    notebook = nbformat.read(ROOT / "build" / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", as_version=4)
    kept = []
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("check_")
        first = cell.cell_type == "code" and not kept
        wanted = first or name in SMALL if small else cell.cell_type == "code" or "nbgrader" in cell.metadata
        if wanted and (display or not display_only(cell)):
            kept.append(cell)
    notebook.cells = kept if small or not display else notebook.cells
    return notebook


def submission(notebook: Any, number: int) -> Any:
    """What student `number` hands in."""
    handed_in = copy.deepcopy(notebook)
    for cell in handed_in.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = STORIES[number % len(STORIES)].get(name, cell.source)
    return handed_in


def make_course(root: Path, notebook: Any, students: int, stock: bool) -> Path:
    """A course directory with a class; with nbgrader's own configuration where `stock` is set."""
    shutil.rmtree(root, ignore_errors=True)
    (root / "source" / ASSIGNMENT).mkdir(parents=True)
    nbformat.write(notebook, root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb")
    if stock:
        (root / "nbgrader_config.py").write_text(STOCK)
    for number in range(students):
        folder = root / "submitted" / f"student{number:04}" / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(submission(notebook, number), folder / f"{NOTEBOOK}.ipynb")
    return root
