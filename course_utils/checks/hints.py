"""`hint`, `solution` and `reset`: help with one exercise, on request."""

from __future__ import annotations

import ast
from html import escape
from pathlib import Path
from typing import Any

from course_utils.checks import records, registry
from course_utils.checks.checking import caller_names, identify
from course_utils.checks.forbidden import defines
from course_utils.checks.render import call_as_code
from course_utils.environment import grading, in_jupyter, show

OLD_CODE = "# Your code before the reset:"
PACKAGE_HOME = Path(__file__).resolve().parents[2]


def hint(student: Any) -> None:
    """Show the next of three hints on an exercise; after the third they start over."""
    if grading():
        return
    name = _name_of(student)
    exercise = registry.find(name)
    given = records.load().get(name, {}).get("hints", 0)
    step = given % len(exercise.hints)
    records.update(name, hints=given + 1)
    more = (
        f"hint({name}) again gives the next one." if step < 2 else "That was the last one; the next call starts over."
    )
    text = f"Hint {step + 1} of {len(exercise.hints)} for {name}: {exercise.hints[step]}"
    show(
        f"{text}\n{more}",
        f"<div style='max-width:62em'><b>Hint {step + 1} of {len(exercise.hints)}</b> for <code>{escape(name)}</code>: "
        f"{escape(exercise.hints[step])}<div style='opacity:.75'>{call_as_code(more)}</div></div>",
    )


def _name_of(student: Any) -> str:
    """The exercise's name; by name, help can be had before anything is defined."""
    undefined = {student: None} if isinstance(student, str) else {}
    return identify(student, caller_names() | undefined)[0]


def solution(student: Any) -> None:
    """Show the reference solution where the course's `solutions/` folder is present; say why not elsewhere."""
    if grading():
        return
    name = _name_of(student)
    source = find_solution(name)
    if source is None:
        show(f"The reference solution of {name} is not here: a release for students comes without solutions.")
        return
    show(source, f"<pre style='line-height:1.35'>{escape(source)}</pre>")


def find_solution(name: str, home: Path = PACKAGE_HOME) -> str | None:
    """The source of the reference `name` in `home`/solutions, without the markers; None where there is none."""
    for path in sorted((home / "solutions").glob("*/*.py")):
        text = path.read_text(encoding="utf-8")
        for cell in text.split("\n# %%"):
            cell = cell.split("\n", 1)[1] if "\n" in cell else ""
            if "### BEGIN SOLUTION" in cell and defines(cell, name):
                return "\n".join(
                    x for x in cell.strip().splitlines() if x.strip() not in ("### BEGIN SOLUTION", "### END SOLUTION")
                )
    return None


def reset(student: Any) -> None:
    """Put the stub of an exercise back into the cell that calls this, the old code kept below in a comment.

    Call it as the last line of the exercise's own cell, e.g. `reset(affine_forward)`. In another cell it turns that
    cell into the stub; nothing is ever deleted.
    """
    if grading():
        return
    name = _name_of(student)
    entry = registry.outlined(name)
    if entry is None:
        show(f"The stub of {name} is not in this copy of the course, so nothing was changed.")
        return
    names = caller_names()
    cells = [c for c in names.get("In", []) if isinstance(c, str)]
    here = bool(cells) and defines(cells[-1], name)
    old = previous_code(name, cells, entry["stub"])
    text = with_old_code(entry["stub"], old)
    if not in_jupyter():
        show(text)
        return
    from IPython import get_ipython

    get_ipython().set_next_input(text, replace=True)
    exec(entry["stub"], names)  # so that the next check finds the stub, not the old code
    kept = " Your old code is kept below it, in a comment." if old else ""
    elsewhere = "" if here else f" The cell in which you wrote {name} is unchanged."
    show(f"This cell now holds the stub of {name}.{kept}{elsewhere}")


def previous_code(name: str, cells: list[str], stub: str) -> str:
    """The last of the run `cells` that defines `name` and is more than its stub; empty if there is none.

    Calls of reset and the comment of an earlier reset are left out.
    """
    for cell in reversed(cells):
        if defines(cell, name):
            lines = [line for line in cell.split(OLD_CODE)[0].splitlines() if not _is_reset_call(line)]
            code = "\n".join(lines).strip()
            if code != stub.strip():
                return code
    return ""


def _is_reset_call(line: str) -> bool:
    try:
        tree = ast.parse(line.strip())
    except SyntaxError:
        return False
    node = tree.body[0].value if tree.body and isinstance(tree.body[0], ast.Expr) else None
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reset"


def with_old_code(stub: str, old: str) -> str:
    """The stub, followed by the old code in a comment."""
    if not old:
        return stub
    commented = "\n".join(f"# {line}".rstrip() for line in old.splitlines())
    return f"{stub.rstrip()}\n\n\n{OLD_CODE}\n{commented}\n"
