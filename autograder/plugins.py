"""Our steps in nbgrader's autograding, for `nbgrader_config.py` and for `autograder grade`."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from nbformat.v4 import new_output
from nbgrader.api import Gradebook
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from autograder.executor import METADATA, JudgedExecute
from autograder.references import checked_name, display_only
from course_utils.checks.forbidden import defines

PNG = b"\x89PNG\r\n\x1a\n"
MAX_PICTURE = 3 * 2**20
MAX_TEXT = 20_000


class KeepPictures(ClearOutput):
    """Clears all outputs, but leaves the pictures and plain text of display-only cells for the human reader."""

    def preprocess_cell(self, cell, resources, cell_index):
        """Keep what is safe of a display-only cell's outputs; clear every other cell."""
        if not display_only(cell):
            return super().preprocess_cell(cell, resources, cell_index)
        cell.outputs = [kept for output in cell.get("outputs", []) if (kept := kept_output(output))]
        cell.execution_count = None
        return cell, resources


def kept_output(output: Any) -> Any | None:
    """An output reduced to a PNG picture and plain text; None when nothing of it may stay."""
    if output.get("output_type") == "stream" and output.get("name") == "stdout":
        return new_output("stream", name="stdout", text=str(_joined(output.get("text", "")))[:MAX_TEXT])
    if output.get("output_type") not in ("display_data", "execute_result"):
        return None
    data = output.get("data", {})
    kept = {}
    if _is_png(_joined(data.get("image/png", ""))):
        kept["image/png"] = _joined(data["image/png"])
    if isinstance(_joined(data.get("text/plain")), str):
        kept["text/plain"] = _joined(data["text/plain"])[:MAX_TEXT]
    return new_output("display_data", kept) if kept else None


def _joined(text: Any) -> Any:
    return "".join(text) if isinstance(text, list) and all(isinstance(t, str) for t in text) else text


def _is_png(text: Any) -> bool:
    if not isinstance(text, str) or not 0 < len(text) <= MAX_PICTURE:
        return False
    try:
        return base64.b64decode(text, validate=False).startswith(PNG)
    except (binascii.Error, ValueError):
        return False


class RestoreCells(NbGraderPreprocessor):
    """Gives every cell the metadata that the gradebook knows for it, and puts deleted graded cells back.

    A deleted check comes back after the last cell that defines what it checks; any other deleted cell after its
    predecessor in the source notebook.
    """

    def preprocess(self, nb, resources):
        """Repair `nb` in place from the gradebook's record of the source notebook."""
        info = resources["nbgrader"]
        with Gradebook(info["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(info["notebook"], info["assignment"])
            known = {cell.name: source_metadata(notebook, cell) for cell in notebook.source_cells}
            order = [cell.name for cell in notebook.source_cells]
            sources = {cell.name: cell.source for cell in notebook.source_cells}
        present, changed, missing = set(), [], []
        for cell in nb.cells:
            given = cell.metadata.get("nbgrader")
            name = given.get("grade_id") if isinstance(given, dict) else None
            if name in known and known[name]["cell_type"] == cell.cell_type:
                if known[name]["locked"] and (cell.source != sources[name] or _tampered(given, known[name])):
                    changed.append(name)
                cell.metadata["nbgrader"] = dict(known[name])
                present.add(name)
            else:
                cell.metadata.pop("nbgrader", None)
        for name in order:
            if name not in present and (known[name]["grade"] or known[name]["task"]):
                cell = restored_cell(known[name], sources[name])
                nb.cells.insert(_place(nb, cell, order, name), cell)
                missing.append(name)
        problems = []
        if changed:
            problems.append(f"Locked cells had been changed and were put back: {_listed(changed)}.")
        if missing and present:  # where none is left, the intake has said so
            problems.append(f"Graded cells were missing and were put back: {_listed(missing)}.")
        nb.metadata[METADATA] = {"problems": problems}
        nb.metadata.pop("widgets", None)  # saved widgets are the student's own HTML
        return nb, resources


def _tampered(given: Any, known: dict[str, Any]) -> bool:
    """Whether the flags or points of a locked cell are not those of the release."""
    return any(given.get(key) != known.get(key) for key in ("grade", "solution", "locked", "points"))


def _listed(names: list[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def source_metadata(notebook: Any, cell: Any) -> dict[str, Any]:
    """The nbgrader metadata of a source cell, from the gradebook's tables."""
    points = {c.name: float(c.max_score) for c in (*notebook.grade_cells, *notebook.task_cells)}
    return {
        "schema_version": MetadataValidator.schema_version,
        "grade_id": cell.name,
        "grade": any(c.name == cell.name for c in notebook.grade_cells),
        "solution": any(c.name == cell.name for c in notebook.solution_cells),
        "task": any(c.name == cell.name for c in notebook.task_cells),
        "locked": bool(cell.locked),
        "cell_type": cell.cell_type,
        "checksum": cell.checksum,
        **({"points": points[cell.name]} if cell.name in points else {}),
    }


def restored_cell(metadata: dict[str, Any], source: str) -> Any:
    """A cell of the source notebook, to be put back."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    make = new_code_cell if metadata["cell_type"] == "code" else new_markdown_cell
    return make(source=source, metadata={"nbgrader": dict(metadata)})


def _place(nb: Any, cell: Any, order: list[str], name: str) -> int:
    """The index at which a missing cell goes back."""
    checked = checked_name(cell.source) if cell.cell_type == "code" else None
    if checked:
        defining = [i for i, c in enumerate(nb.cells) if c.cell_type == "code" and defines(c.source, checked)]
        if defining:
            return defining[-1] + 1
    positions = {c.metadata["nbgrader"]["grade_id"]: i for i, c in enumerate(nb.cells) if "nbgrader" in c.metadata}
    for earlier in reversed(order[: order.index(name)]):
        if earlier in positions:
            return positions[earlier] + 1
    return len(nb.cells)


SANITIZE = (KeepPictures, RestoreCells, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata)
AUTOGRADE = (JudgedExecute, IgnorePattern, LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata)
