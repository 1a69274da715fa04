"""Our steps in nbgrader's autograding, for `nbgrader_config.py` and for `autograder grade`."""

from __future__ import annotations

from nbgrader.api import Gradebook
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from autograder.executor import METADATA, JudgedExecute
from autograder.outputs import Defuse, KeepPictures
from autograder.partial_credit import RefuseUncountable
from autograder.plan import known_cells
from autograder.repair import repair


class RestoreCells(NbGraderPreprocessor):
    """Puts damaged cells back as they were released: see `autograder.repair`.

    What the release held comes from `resources["autograder"]["known"]`, or else from the gradebook.
    """

    def preprocess(self, nb, resources):
        """Repair `nb` in place; the problems go into its metadata."""
        known = resources.get("autograder", {}).get("known")
        if known is None:
            info = resources["nbgrader"]
            with Gradebook(info["db_url"]) as gradebook:
                notebook = gradebook.find_notebook(info["notebook"], info["assignment"])
                known = known_cells(notebook, [cell.name for cell in notebook.source_cells])
        nb.metadata[METADATA] = {"problems": repair(nb, known)}
        nb.metadata.pop("widgets", None)  # saved widgets are the student's own HTML
        return nb, resources


SANITIZE = (RestoreCells, KeepPictures, DeduplicateIds, OverwriteKernelspec, OverwriteCells, CheckCellMetadata)
AUTOGRADE = (
    JudgedExecute,
    RefuseUncountable,
    Defuse,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
)
