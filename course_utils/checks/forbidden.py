"""Reads code for names that may not be used: a friendly sentence early, not the line of defence.

What enforces the list is the process that grades: it does not have these modules.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from functools import lru_cache

from course_utils.checks.exercise import COURSE_INTERNALS, Exercise
from course_utils.magics import without_magics


class _Source:
    """What a list of cells defines and imports, the last definition of a name winning."""

    def __init__(self, cells: Iterable[str]):
        self.definitions: dict[str, list[ast.AST]] = {}
        self.imports: dict[str, str] = {}
        self.stars: list[str] = []
        for cell in cells:
            tree = parse(cell)
            for node in tree.body if tree else ():
                self._read(node)

    def _read(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.definitions[node.name] = [node]
            self.imports.pop(node.name, None)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            aliases, stars = imported(node)
            self.imports.update(aliases)
            self.stars += stars
        else:
            for name in bound_names(node):
                self.definitions[name] = [node]
                self.imports.pop(name, None)
            for inner in _walk(node):  # imports under if or try
                if isinstance(inner, (ast.Import, ast.ImportFrom)):
                    self.imports.update(imported(inner)[0])


# What parsing can raise for a text that somebody else has written; SystemError is Python 3.11's own for deep nesting.
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError, SystemError)


@lru_cache(maxsize=1024)  # the cells of a notebook are read again for each of its exercises
def parse(cell: str) -> ast.Module | None:
    """The syntax tree of a cell without its magics; None where it has a syntax error."""
    try:
        return ast.parse(without_magics(cell))
    except UNREADABLE:
        return None


@lru_cache(maxsize=4096)
def _walk(node: ast.AST) -> tuple[ast.AST, ...]:
    """`ast.walk`, once for each definition: several exercises reach the same one."""
    return tuple(ast.walk(node))


def imported(node: ast.Import | ast.ImportFrom) -> tuple[dict[str, str], list[str]]:
    """Alias → dotted name for an import statement, and the modules it imports with a star."""
    if isinstance(node, ast.Import):
        return {a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names}, []
    module = node.module or ""
    aliases = {a.asname or a.name: f"{module}.{a.name}" for a in node.names if a.name != "*"}
    return aliases, [module for a in node.names if a.name == "*"]


def bound_names(node: ast.AST) -> list[str]:
    """Names that a statement binds by assignment (f = …, with … as f, for f in …)."""
    return [n.id for n in _walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def refusal(exercise: Exercise, cells: Sequence[str]) -> str | None:
    """The sentence that refuses an exercise whose code in these cells reaches a forbidden name; None if none does."""
    used = find_forbidden(cells, exercise.name, (*exercise.forbidden, *COURSE_INTERNALS))
    if used is None:
        return None
    if hit(used, COURSE_INTERNALS):
        return f"{used} may not be used here: it holds the course's own answers."
    tool = "NumPy" if "torch" in exercise.forbidden else "PyTorch"
    return f"{used} may not be used here: the exercise is to write this yourself, in {tool}."


def find_forbidden(cells: Sequence[str], name: str, forbidden: Sequence[str]) -> str | None:
    """The first forbidden dotted name that `name`, or anything of these cells it uses, reaches; None if there is none.

    Reaches through helper functions, aliases, from-imports and `__import__`/`import_module` with a literal name.
    """
    source = _Source(cells)
    unknown = False
    for current in _reach(source, name):
        for node in source.definitions.get(current, ()):
            local: dict[str, str] = {}
            for inner in _walk(node):
                if isinstance(inner, (ast.Import, ast.ImportFrom)):
                    aliases, stars = imported(inner)
                    local.update(aliases)
                    for path in (*aliases.values(), *stars):
                        if hit(path, forbidden):
                            return path
            names = {**source.imports, **local}
            for inner in _walk(node):
                path = _dotted(inner, names)
                if path and hit(path, forbidden):
                    return path
            unknown = unknown or bool(_unknown_names(node, source, local))
    if unknown:  # only then can anything come from a star import
        return next((m for m in source.stars if hit(m, forbidden)), None)
    return None


def reached_names(cells: Sequence[str], name: str) -> list[str]:
    """Every name of these cells that `name` uses, directly or through others; itself not among them."""
    return [reached for reached in _reach(_Source(cells), name) if reached != name]


def _reach(source: _Source, name: str) -> list[str]:
    todo, seen = [name], []
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.append(current)
        for node in source.definitions.get(current, ()):
            todo += [n.id for n in _walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    return seen


def _unknown_names(node: ast.AST, source: _Source, local: dict[str, str]) -> set[str]:
    """Names a definition reads that nothing here defines."""
    names = [n for n in _walk(node) if isinstance(n, ast.Name)]
    own = {n.id for n in names if not isinstance(n.ctx, ast.Load)}
    own |= {a.arg for n in _walk(node) if isinstance(n, ast.arguments) for a in _arguments(n)}
    own |= {n.name for n in _walk(node) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    own |= {n.name for n in _walk(node) if isinstance(n, ast.ExceptHandler) and n.name}
    known = own | source.definitions.keys() | source.imports.keys() | local.keys() | set(dir(builtins))
    return {n.id for n in names} - known


def _arguments(node: ast.arguments) -> list[ast.arg]:
    return [a for a in (*node.posonlyargs, *node.args, node.vararg, *node.kwonlyargs, node.kwarg) if a]


def _dotted(node: ast.AST, imports: dict[str, str]) -> str | None:
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in ("__import__", "import_module") and isinstance(node.args[0].value, str):
            return node.args[0].value
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name) and node.id in imports:
        return ".".join([imports[node.id], *reversed(parts)])
    return None


def hit(path: str, forbidden: Sequence[str]) -> bool:
    """Whether a dotted name is, or is inside, a forbidden one."""
    return any(path == name or path.startswith(name + ".") for name in forbidden)


def defines(cell: str, name: str) -> bool:
    """Whether a cell binds `name` at its top level, by definition, import or assignment."""
    tree = parse(cell)
    return any(
        getattr(node, "name", None) == name
        or (isinstance(node, (ast.Import, ast.ImportFrom)) and name in imported(node)[0])
        or (not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and name in bound_names(node))
        for node in (tree.body if tree else ())
    )
