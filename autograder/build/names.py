"""Which names a code cell defines, and which it needs from elsewhere."""

from __future__ import annotations

import ast
import symtable
import warnings
from collections.abc import Iterator

from course_utils.magics import without_magics


def parse(source: str) -> ast.Module:
    """The cell's syntax tree; IPython's magics count as nothing. Raises SyntaxError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(without_magics(source), "<cell>", "exec", flags=flags, dont_inherit=True)


def definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The functions and classes that the cell itself defines."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def bound_names(tree: ast.Module) -> dict[str, int]:
    """The names that running the cell leaves behind, each with the line (from 1) of its first binding."""
    return _read(tree).bound


def free_names(source: str) -> set[str]:
    """The names that the cell needs from elsewhere: used before it binds them, or in functions and never bound by it.

    Built-in names are among them. Raises SyntaxError.
    """
    reader = _read(parse(source))
    try:
        table = symtable.symtable(without_magics(source), "<cell>", "exec")
    except SyntaxError:  # a top-level await: no table, so every name used anywhere counts
        return reader.free | {n.id for n in ast.walk(parse(source)) if isinstance(n, ast.Name)} - set(reader.bound)
    return reader.free | {name for name in _inner_globals(table) if name not in reader.bound}


def imported_modules(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The top-level package and line of every import anywhere in the cell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0], node.lineno


def _inner_globals(table: symtable.SymbolTable) -> Iterator[str]:
    for child in table.get_children():
        for symbol in child.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                yield symbol.get_name()
        yield from _inner_globals(child)


def _read(tree: ast.Module) -> _Reader:
    reader = _Reader()
    reader.visit(tree)
    return reader


class _Reader(ast.NodeVisitor):
    """Walks the cell's own statements in the order in which they run, without entering inner scopes."""

    def __init__(self) -> None:
        self.bound: dict[str, int] = {}
        self.free: set[str] = set()

    def bind(self, name: str, node: ast.AST) -> None:
        self.bound.setdefault(name, node.lineno)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id, node)
        elif node.id not in self.bound:
            self.free.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name) and node.target.id not in self.bound:
            self.free.add(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value:
            self.visit(node.value)
            self.visit(node.target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        for statement in node.body + node.orelse:
            self.visit(statement)

    visit_AsyncFor = visit_For

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.bind((alias.asname or alias.name).split(".")[0], node)

    visit_ImportFrom = visit_Import

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in [*node.decorator_list, *node.args.defaults, *node.args.kw_defaults]:
            if part:
                self.visit(part)
        self.bind(node.name, node)
        self._globals_of(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(part)
        self.bind(node.name, node)
        self._globals_of(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default:
                self.visit(default)

    def visit_ListComp(self, node: ast.AST) -> None:
        # Only the first iterable belongs to this scope, and whatever := binds.
        self.visit(node.generators[0].iter)
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):
                self.bind(inner.target.id, inner)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name:
            self.bind(node.name, node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self.bind(node.rest, node)

    def _globals_of(self, node: ast.AST) -> None:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Global):
                for name in inner.names:
                    self.bind(name, inner)
