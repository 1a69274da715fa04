"""A plain test whose result nbgrader cannot turn into points earns nothing; the rest of the submission is graded.

A cell's result is its partial credit. A student's code often has a part in it, so it can be any number, or an object
that has no text. nbgrader then gives up on the whole submission.
"""

from __future__ import annotations

from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import determine_grade, is_grade

from autograder.executor import METADATA


class RefuseUncountable(NbGraderPreprocessor):
    """Comes right after the notebook has run; nbgrader's `SaveAutoGrades` raises an error for such a result."""

    def preprocess(self, nb, resources):
        """Replace, in place, each result that cannot be counted by an error; the problems go into the metadata."""
        for cell in nb.cells:
            if is_grade(cell) and cell.cell_type == "code" and (why := _uncountable(cell)):
                cell.outputs = [output for output in cell.outputs if output.output_type != "execute_result"]
                cell.outputs.append(new_output("error", ename="NoPoints", evalue=why, traceback=[why]))
                nb.metadata.setdefault(METADATA, {}).setdefault("problems", []).append(why)
        return nb, resources


def _uncountable(cell) -> str:
    """Why the cell's result is no partial credit, in a sentence; empty where it is, or there is none."""
    info = cell.metadata["nbgrader"]
    try:
        determine_grade(cell)
    except ValueError:
        return f"The test {info['grade_id']} gave more than its {info['points']:g} points, so it earns nothing."
    except Exception:  # a result without a text, or with anything else in its place
        return f"The test {info['grade_id']} gave a result that has no text, so it earns nothing."
    return ""
