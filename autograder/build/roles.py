"""What each cell of an author's notebook is for, and every mistake in how it was written."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autograder.build.bank import bank_path, line_of
from autograder.build.mistakes import Mistake
from autograder.build.names import bound_names, definitions, free_names, imported_modules, parse
from autograder.build.percent import AuthorCell
from autograder.build.regions import Region, find_regions, stub_of
from course_utils.checks.exercise import Exercise

_OPTIONS = {"tags", "points", "written", "test"}
_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass
class Role:
    """One cell and its part: "text", "code", "display", "solution", "check", "test" or "written".

    `name` is the exercise of a solution or check, and the id of a test or written question.
    """

    cell: AuthorCell
    role: str
    name: str = ""
    points: float = 0
    regions: list[Region] = field(default_factory=list)
    tree: ast.Module | None = None  # None for text, and where the cell does not parse

    @property
    def grade_id(self) -> str:
        """nbgrader's id of the cell; empty for ordinary ones."""
        if self.role == "check":
            return f"check_{self.name}"
        return self.name if self.role in ("solution", "test", "written") else ""


def assign_roles(path: str, cells: list[AuthorCell]) -> tuple[list[Role], list[Mistake]]:
    """The role of every cell of the file `path`, and the mistakes within single cells."""
    reader = _Reader(path)
    return [reader.role(cell) for cell in cells], reader.mistakes


def notebook_mistakes(
    path: str, roles: list[Role], bank: Mapping[str, Exercise] | None, root: Path, notebook: str
) -> list[Mistake]:
    """The mistakes between cells, and between the notebook and its bank."""
    return [
        *_pairs(path, roles),
        *_repeated_names(path, roles),
        *_repeated_ids(path, roles),
        *_display_only(path, roles),
        *_described(path, roles, bank, root, notebook),
        *_imports(path, roles, bank),
    ]


class _Reader:
    """Reads single cells and collects their mistakes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.mistakes: list[Mistake] = []

    def wrong(self, line: int, sentence: str) -> None:
        self.mistakes.append(Mistake(self.path, line, sentence))

    def role(self, cell: AuthorCell) -> Role:
        self._options(cell)
        return self._code(cell) if cell.kind == "code" else self._text(cell)

    def _options(self, cell: AuthorCell) -> None:
        if cell.unreadable:
            self.wrong(cell.line, f"the options `{cell.unreadable}` cannot be read; write key=value, texts in quotes.")
        for key in sorted(set(cell.options) - _OPTIONS):
            self.wrong(cell.line, f"the cell's option `{key}` is unknown; there are points, written, test and tags.")
        for tag in cell.tags:
            if str(tag) != "display-only" and re.sub(r"[^a-z]", "", str(tag).lower()) == "displayonly":
                self.wrong(cell.line, f'the tag "{tag}" is written "display-only".')

    def _points(self, cell: AuthorCell, what: str) -> float:
        points = cell.options.get("points")
        if points is None:
            if not cell.unreadable:
                self.wrong(cell.line, f"{what} has no points; write points=4, say.")
        elif type(points) not in (int, float) or not math.isfinite(points) or points <= 0:
            self.wrong(cell.line, f"{what} has the points {points!r}, which should be a number above 0.")
        else:
            return points
        return 0

    def _name(self, cell: AuthorCell, key: str) -> str:
        name = cell.options[key]
        if not isinstance(name, str) or not _ID.fullmatch(name):
            self.wrong(cell.line, f"{key}={name!r} should be a name of letters, digits, _ and -.")
        return str(name)

    def _text(self, cell: AuthorCell) -> Role:
        for key in ("test",) if cell.kind == "markdown" else ("test", "written"):
            if key in cell.options:
                self.wrong(cell.line, f"{key} does not belong to a {cell.kind} cell.")
        written = cell.kind == "markdown" and "written" in cell.options
        if "points" in cell.options and not written:
            self.wrong(cell.line, 'this text has points but no written="…" id.')
        for number, line in enumerate(cell.source.split("\n")):
            if re.search("(BEGIN|END) SOLUTION", line):
                self.wrong(cell.first_line + number, "a solution marker does not belong into text.")
        if written:
            name = self._name(cell, "written")
            return Role(cell, "written", name, self._points(cell, f"the written question {name}"))
        return Role(cell, "text")

    def _code(self, cell: AuthorCell) -> Role:
        if "written" in cell.options:
            self.wrong(cell.line, "written does not belong to a code cell: a model answer is # %% [markdown].")
        try:
            tree = parse(cell.source)
        except (SyntaxError, ValueError) as error:
            line, what = (error.lineno or 1, error.msg) if isinstance(error, SyntaxError) else (1, str(error))
            self.wrong(cell.first_line + line - 1, f"this cell is not Python ({what}).")
            tree = None
        regions, marker_mistakes = find_regions(cell.source)
        for line, sentence in marker_mistakes:
            self.wrong(cell.first_line + line - 1, sentence)
        checked = _checked(tree) if tree else []
        if "test" in cell.options:
            return self._test(cell, tree, regions)
        if regions or marker_mistakes:
            return self._solution(cell, tree, regions, broken=bool(marker_mistakes))
        if checked or "points" in cell.options:
            return self._check(cell, tree, checked)
        return Role(cell, "display" if cell.display_only else "code", tree=tree)

    def _test(self, cell: AuthorCell, tree: ast.Module | None, regions: list[Region]) -> Role:
        name = self._name(cell, "test")
        if regions:
            self.wrong(cell.first_line + regions[0].begin - 1, f"the test {name} has a solution region.")
        if cell.display_only:
            self.wrong(cell.line, f"the test {name} cannot be display-only.")
        return Role(cell, "test", name, self._points(cell, f"the test {name}"), tree=tree)

    def _check(self, cell: AuthorCell, tree: ast.Module | None, checked: list[str]) -> Role:
        name = checked[0] if checked else ""
        what = f"check({name})" if name else "this cell"
        if tree and not checked:
            self.wrong(cell.line, 'this cell has points but neither is it check(name) nor does it have a test="…" id.')
        elif tree and len(tree.body) > 1:
            self.wrong(cell.line, f"{what} must be alone in its cell.")
        elif cell.display_only:
            self.wrong(cell.line, f"{what} cannot be display-only.")
        points = 0 if tree and not checked else self._points(cell, what)
        return Role(cell, "check" if name else "code", name, points, tree=tree)

    def _solution(self, cell: AuthorCell, tree: ast.Module | None, regions: list[Region], broken: bool) -> Role:
        if "points" in cell.options:
            self.wrong(cell.line, "points belong to the check of an exercise, not to its solution.")
        if cell.display_only:
            self.wrong(cell.line, "a solution cannot be display-only.")
        role = Role(cell, "solution", _first_definition(cell.source), regions=regions, tree=tree)
        if tree is None or broken:
            return role  # enough is wrong with it already
        holding: dict[str, int] = {}
        for region in regions:
            inside = [
                d for d in definitions(tree) if d.lineno < region.begin and region.end <= _last_line(d, cell.source)
            ]
            if inside:
                holding.setdefault(inside[0].name, inside[0].lineno)
            else:
                self.wrong(cell.first_line + region.begin - 1, "this solution region stands outside any definition.")
        for name, line in list(holding.items())[1:]:
            self.wrong(cell.first_line + line - 1, f"`{name}` is a second exercise in this cell; give it its own.")
        if holding:
            role.name = next(iter(holding))
            try:
                stub = parse(stub_of(cell.source, regions))
            except SyntaxError as error:
                at = cell.first_line + regions[0].begin - 1
                self.wrong(at, f"without its solution regions `{role.name}` is no longer Python ({error.msg}).")
            else:
                if role.name not in {d.name for d in definitions(stub)}:
                    self.wrong(cell.first_line, f"without its solution regions nothing defines `{role.name}`.")
        return role


def _first_definition(source: str) -> str:
    """The name of the first function or class in a text that need not be Python; empty without one."""
    found = re.search(r"^(?:async\s+def|def|class)\s+(\w+)", source, re.MULTILINE)
    return found.group(1) if found else ""


def _last_line(node: ast.AST, source: str) -> int:
    """The last line of a definition, comments at its indentation (such as an end marker) included."""
    lines = source.split("\n")
    last = node.end_lineno
    while last < len(lines) and (not lines[last].strip() or lines[last][0].isspace()):
        last += 1
    return last


def _checked(tree: ast.Module) -> list[str]:
    """The names that the cell itself passes to check()."""
    names = []
    for node in tree.body:
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check":
            simple = len(call.args) == 1 and isinstance(call.args[0], ast.Name) and not call.keywords
            names.append(call.args[0].id if simple else ast.unparse(call)[len("check(") : -1])
    return names


def _pairs(path: str, roles: list[Role]) -> Iterator[Mistake]:
    solved: dict[str, Role] = {}
    checked: dict[str, Role] = {}
    for role in roles:
        line = role.cell.line
        if role.role == "solution" and role.name:
            if role.name in solved:
                first = solved[role.name].cell.line
                yield Mistake(path, line, f"`{role.name}` is defined a second time; the first is at line {first}.")
            solved.setdefault(role.name, role)
        elif role.role == "check":
            if role.name not in solved:
                yield Mistake(path, line, f"check({role.name}) has no solution cell before it.")
            if role.name in checked:
                first = checked[role.name].cell.line
                yield Mistake(path, line, f"`{role.name}` is checked a second time; the first is at line {first}.")
            checked.setdefault(role.name, role)
    for name, role in solved.items():
        if name not in checked:
            yield Mistake(path, role.cell.line, f"the solution cell of `{name}` has no check({name}) after it.")


def _repeated_names(path: str, roles: list[Role]) -> Iterator[Mistake]:
    """Exercises bound outside their own cell, and functions or classes defined twice."""
    exercises = {role.name: role for role in reversed(roles) if role.role == "solution" and role.name}
    defined: dict[str, int] = {}
    for role in roles:
        if role.tree is None or role.role == "display":
            continue  # a display-only cell has its own, stricter rule
        at = role.cell.first_line - 1
        own = role.name if role.role == "solution" else ""
        for name, line in bound_names(role.tree).items():
            if name in exercises and name != own:
                first = exercises[name].cell.line
                yield Mistake(path, at + line, f"`{name}` is defined here and in its solution cell at line {first}.")
        here: dict[str, int] = {}
        for node in definitions(role.tree):
            line = at + node.lineno
            known = here if node.name in exercises else defined
            if node.name in known and (node.name == own or node.name not in exercises):
                first = known[node.name]
                yield Mistake(path, line, f"`{node.name}` is defined a second time; the first is at line {first}.")
            known.setdefault(node.name, line)


def _repeated_ids(path: str, roles: list[Role]) -> Iterator[Mistake]:
    seen: dict[str, Role] = {}
    for role in roles:
        grade_id = role.grade_id
        if not grade_id:
            continue
        other = seen.setdefault(grade_id, role)
        # Two solutions or two checks of one name are reported where they are paired.
        if other is not role and {other.role, role.role} & {"test", "written"}:
            sentence = f"the id {grade_id} is used a second time; the first is at line {other.cell.line}."
            yield Mistake(path, role.cell.line, sentence)


def _display_only(path: str, roles: list[Role]) -> Iterator[Mistake]:
    needs = [(role, free_names(role.cell.source)) for role in roles if role.tree is not None]
    for role in roles:
        if role.role != "display" or role.tree is None:
            continue
        at = role.cell.first_line - 1
        for name, line in bound_names(role.tree).items():
            users = [other.cell.line for other, names in needs if other is not role and name in names]
            if name == "*":
                yield Mistake(path, at + line, "a display-only cell imports by name, not with *.")
            elif users:
                sentence = f"this display-only cell defines `{name}`, which the cell at line {users[0]} uses"
                yield Mistake(path, at + line, f"{sentence}; grading does not run it.")


def _described(
    path: str, roles: list[Role], bank: Mapping[str, Exercise] | None, root: Path, notebook: str
) -> Iterator[Mistake]:
    solutions = {role.name: role for role in roles if role.role == "solution" and role.name}
    for name, role in solutions.items():
        if name not in (bank or {}):
            why = "it is not in" if bank is not None else "there is no"
            sentence = f"no bank file describes the exercise `{name}`: {why} {bank_path(notebook)}."
            yield Mistake(path, role.cell.line, sentence)
    for name in bank or {}:
        if name not in solutions:
            line = line_of(root / bank_path(notebook), name)
            yield Mistake(bank_path(notebook), line, f"the exercise `{name}` has no solution cell in {path}.")


def _imports(path: str, roles: list[Role], bank: Mapping[str, Exercise] | None) -> Iterator[Mistake]:
    """Imports of what every exercise of the notebook forbids: the kernels that grade it do not have these packages."""
    lists = [{name for name in exercise.forbidden if "." not in name} for exercise in (bank or {}).values()]
    forbidden = set.intersection(*lists) if lists else {"torch"}
    for role in roles:
        if role.tree is None or role.role == "display":
            continue
        for module, line in imported_modules(role.tree):
            if module in forbidden:
                yield Mistake(
                    path,
                    role.cell.first_line + line - 1,
                    f'{module} is imported, which grading does without; mark the cell tags=["display-only"].',
                )
