"""A course directory with one small assignment of every kind of graded cell, for tests that run whole commands.

It bears the name of a real assignment, so that the course's own bank judges its one exercise.
"""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.made_up import ROOT
from tests.toy import info

# What instructors read; tests use the settings that it shows.
GUIDE = (ROOT / "docs" / "nbgrader.md").read_text(encoding="utf-8")
ASSIGNMENT, NOTEBOOK = "01_backprop", "backprop.ipynb"
SIGNATURE = "def affine_forward(x, weight, bias):\n"
SOLVED = SIGNATURE + "    return x @ weight.T + bias"
BIAS_FORGOTTEN = SIGNATURE + "    return x @ weight.T"
UNWRITTEN = SIGNATURE + "    # YOUR CODE HERE\n    raise NotImplementedError()"
STEPS = """\
from autograder import feedback
from autograder.plugins import AUTOGRADE, SANITIZE
c.Autograde.sanitize_preprocessors = list(SANITIZE)
c.Autograde.autograde_preprocessors = list(AUTOGRADE)
feedback.configure(c)  # our feedback pages; and no script of a student runs in the formgrader
"""


def source() -> NotebookNode:
    """The instructor's notebook: a judged exercise (4 points), a plain test (2) and a written question (3)."""
    solution = SIGNATURE + "    ### BEGIN SOLUTION\n    return x @ weight.T + bias\n    ### END SOLUTION"
    plain = "assert affine_forward(np.ones((1, 2)), np.ones((3, 2)), np.zeros(3)).shape == (1, 3)"
    question = info("question", grade=True, solution=True, points=3)
    cells = [
        new_code_cell("import numpy as np\nfrom course_utils import check"),
        new_code_cell(solution, metadata={"nbgrader": info("affine_forward", solution=True)}),
        new_code_cell(
            "check(affine_forward)",
            metadata={"nbgrader": info("check_affine_forward", grade=True, locked=True, points=4)},
        ),
        new_code_cell(plain, metadata={"nbgrader": info("plain", grade=True, locked=True, points=2)}),
        new_markdown_cell("It moves the line.", metadata={"nbgrader": question}),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def lay_out(root: Path, config: str = "") -> Path:
    """Make `root` the course directory; `config` is what its nbgrader_config.py sets."""
    folder = root / "source" / ASSIGNMENT
    folder.mkdir(parents=True)
    nbformat.write(source(), folder / NOTEBOOK)
    configure(root, config)
    return root


def configure(root: Path, config: str) -> None:
    """Give the course this nbgrader_config.py."""
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}\n")


def written(code: str, answer: str = "It shifts what comes out.") -> NotebookNode:
    """What a student hands in: this code for `affine_forward`, and this answer."""
    notebook = copy.deepcopy(source())
    notebook.cells[1].source, notebook.cells[4].source = code, answer
    return notebook


def hand_in(root: Path, student: str, code: str, timestamp: str = "") -> Path:
    """Put a submission where it belongs; returns its folder."""
    folder = root / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(written(code), folder / NOTEBOOK)
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)
    return folder
