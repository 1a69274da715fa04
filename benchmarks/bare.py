"""The limit: what executing a submission's cells costs at least, in a process that has imported everything already.

`python -m benchmarks.bare COURSE` runs the graded cells of every submission one after the other, and prints the seconds
that took, imports not counted. Check cells run the student's own check.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from pathlib import Path

import nbformat

from autograder.references import display_only
from benchmarks.honest_class import ASSIGNMENT, NOTEBOOK


def run_cells(sources: list[str]) -> None:
    """Run code cells one after the other; an error ends its cell alone."""
    space = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for number, source in enumerate(sources):
            with contextlib.suppress(Exception):
                exec(compile(source, f"<ipython-input-{number}>", "exec"), space)


def main() -> None:
    """Print the seconds that all submissions of a course directory take."""
    import torch

    torch.set_num_threads(1)
    paths = sorted(Path(sys.argv[1]).glob(f"submitted/*/{ASSIGNMENT}/{NOTEBOOK}.ipynb"))
    run_cells(cells_of(paths[0]))  # what is imported on first use is not counted
    started = time.perf_counter()
    for path in paths:
        run_cells(cells_of(path))
    print(time.perf_counter() - started)


def cells_of(path: Path) -> list[str]:
    """The code cells of a notebook that grading runs."""
    notebook = nbformat.read(path, as_version=4)
    return [c.source for c in notebook.cells if c.cell_type == "code" and not display_only(c)]


if __name__ == "__main__":
    main()
