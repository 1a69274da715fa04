"""Grading an honest class with stock `nbgrader autograde` and with `autograder grade`, side by side.

`python -m benchmarks.grading` prints three tables: the scores compared and the ratio on the whole notebook, where the
ratio comes from, and how the cost grows with the class. `--quick` takes a minute or two.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.honest_class import ASSIGNMENT, make_course, source_notebook
from benchmarks.meter import Measured, measure

# As in a kernel that grades: one thread, and a check that keeps no record of a learner's progress.
BARE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
BARE["NBGRADER_EXECUTION"] = "autograde"
console = Console(width=110)


def stock(root: Path) -> Measured:
    """`nbgrader autograde` on a course directory; its release is made first and not counted."""
    nbgrader = [sys.executable, "-m", "nbgrader"]
    measure([*nbgrader, "generate_assignment", ASSIGNMENT, "--force"], root)
    return measure([*nbgrader, "autograde", ASSIGNMENT, "--force"], root)


def ours(root: Path, jobs: int) -> Measured:
    """`autograder grade` on a course directory, from nothing: its release and start-up are counted."""
    return measure([sys.executable, "-m", "autograder", "grade", "--course-dir", str(root), "--jobs", str(jobs)], root)


def bare(root: Path) -> float:
    """Seconds for the cells alone, on one core."""
    command = [sys.executable, "-m", "benchmarks.bare", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **BARE})
    return float(done.stdout)


def scores(root: Path) -> dict[tuple[str, str], float]:
    """(student, cell) → points, from a course's gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        return {
            (submission.student.id, grade.cell.name): grade.auto_score
            for submission in gradebook.assignment_submissions(ASSIGNMENT)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def compare(scratch: Path, students: int, jobs: int) -> None:
    """The whole notebook, and the same without the cells that we do not run again."""
    whole, lean = source_notebook(), source_notebook(display=False)
    theirs = stock(make_course(scratch / "stock", whole, students, stock=True))
    theirs_lean = stock(make_course(scratch / "lean", lean, students, stock=True))
    our_root = make_course(scratch / "ours", whole, students, stock=False)
    mine, limit = ours(our_root, jobs), bare(our_root)
    if scores(scratch / "stock") != scores(our_root):
        sys.exit("The scores differ: a comparison of times means nothing.")
    cells = len(scores(our_root))
    console.print(f"{ASSIGNMENT}, {students} submissions, {jobs} jobs: all {cells} scores are identical.\n")
    table = Table("", "seconds", "per submission", "stock takes", title="The whole notebook", title_justify="left")
    row = [("nbgrader autograde", theirs.seconds), ("nbgrader autograde, graded cells only", theirs_lean.seconds),
           ("autograder grade", mine.seconds)]  # fmt: skip
    for name, seconds in row:
        table.add_row(name, f"{seconds:.1f}", f"{seconds / students:.2f}", f"{theirs.seconds / seconds:.1f} ×")
    console.print(table)
    execution, saving = theirs_lean.seconds / mine.seconds, theirs.seconds / theirs_lean.seconds
    console.print(f"{execution:.1f} × by how cells are run, {saving:.1f} × by cells that are not run again.")
    per_core = mine.seconds * jobs / students
    console.print(
        f"The cells alone in a warm process: {limit / students:.2f} s per submission and core; "
        f"ours {per_core:.2f} s, {per_core * students / limit:.1f} times as much.\n"
    )


def grow(scratch: Path, sizes: list[int], most_stock: int, jobs: int) -> None:
    """A small notebook, for classes of several sizes."""
    notebook = source_notebook(small=True, display=False)
    title = f"A notebook with four short exercises, {jobs} jobs (seconds per submission)"
    columns = ("submissions", "stock", "ours", "cells alone", "stock/ours", "ours per core/cells", "ours, MB")
    table = Table(*columns, title=title, title_justify="left")
    for size in sizes:
        mine_root = make_course(scratch / "grow-ours", notebook, size, stock=False)
        mine, limit = ours(mine_root, jobs), bare(mine_root)
        theirs = stock(make_course(scratch / "grow-stock", notebook, size, stock=True)) if size <= most_stock else None
        table.add_row(
            str(size),
            f"{theirs.seconds / size:.2f}" if theirs else "not run",
            f"{mine.seconds / size:.3f}",
            f"{limit / size:.3f}",
            f"{theirs.seconds / mine.seconds:.1f} ×" if theirs else "",
            f"{mine.seconds * jobs / limit:.1f} ×",
            f"{mine.megabytes:.0f}",
        )
    console.print(table)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small classes")
    parser.add_argument("--students", type=int, default=0, help="submissions of the whole notebook")
    parser.add_argument("--sizes", type=int, nargs="+", default=[], help="class sizes for the small notebook")
    parser.add_argument("--most-stock", type=int, default=0, help="the largest class that stock nbgrader grades too")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    students = asked.students or (2 if asked.quick else 10)
    sizes = asked.sizes or ([4, 10] if asked.quick else [10, 30, 100, 300])
    most_stock = asked.most_stock or (4 if asked.quick else 300)
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        compare(Path(scratch), students, asked.jobs)
        grow(Path(scratch), sizes, most_stock, asked.jobs)


if __name__ == "__main__":
    main()
