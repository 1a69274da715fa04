"""Reads an expression such as ``tanh(w*x + b)`` into a graph of numbered operations."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from course_utils.widgets.errors import WidgetError

LEAF, CONSTANT = "leaf", "constant"
FUNCTIONS = ("tanh", "relu", "exp")
_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
MOST_NODES, LONGEST = 16, 200


class ExpressionError(WidgetError):
    """An expression that cannot be read or computed."""


@dataclass(frozen=True)
class Node:
    """One number of the graph: `op` says how it comes from its `operands` (indices of earlier nodes).

    `number` is a constant's value, or the exponent of ``**``.
    """

    name: str
    op: str
    operands: tuple[int, ...] = ()
    number: float = 0.0


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order: operands come before what uses them, the output is last."""

    expression: str
    nodes: tuple[Node, ...]

    @property
    def leaves(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes if node.op == LEAF)

    def depends_on_leaf(self) -> tuple[bool, ...]:
        """For each node, whether it has a gradient worth computing."""
        flags: list[bool] = []
        for node in self.nodes:
            flags.append(node.op == LEAF or any(flags[i] for i in node.operands))
        return tuple(flags)


def parse(expression: str) -> Graph:
    """Read `expression` into a `Graph`.

    It may use ``+ - * /``, ``**`` with a number as exponent, ``tanh relu exp``, numbers and names. A value used twice
    gets a name of its own before a semicolon: ``s = a*b; s*s + s``. As in Python, a term written twice is
    computed twice.
    Raises `ExpressionError` with one sentence for anything else.
    """
    if not isinstance(expression, str):
        raise ExpressionError(f"An expression is a text such as 'x*x + x', not {expression!r}.")
    if len(expression) > LONGEST:
        raise ExpressionError(f"The expression {expression[:20]!r}… is longer than {LONGEST} characters.")
    try:
        statements = ast.parse(expression.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"The expression {expression!r} is not valid Python.") from None
    reader = _Reader(expression)
    if not statements or not isinstance(statements[-1], ast.Expr):
        raise ExpressionError(f"The expression {expression!r} must end in the value to compute.")
    for statement in statements[:-1]:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                reader.assign(name, value)
            case _:
                raise ExpressionError(f"Before the last semicolon of {expression!r} only `name = …` may stand.")
    output = reader.read(statements[-1].value)
    return reader.finish(output)


class _Reader:
    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.nodes: list[Node] = []
        self.named: dict[str, int] = {}  # leaves and assigned values

    def add(self, op: str, operands: tuple[int, ...] = (), name: str = "", number: float = 0.0) -> int:
        self.nodes.append(Node(name, op, operands, number))
        if len(self.nodes) > 4 * MOST_NODES:
            raise self.too_large()
        return len(self.nodes) - 1

    def too_large(self) -> ExpressionError:
        return ExpressionError(
            f"The expression {self.expression!r} has more than {MOST_NODES} nodes, too many to draw."
        )

    def assign(self, name: str, tree: ast.expr) -> None:
        if name in self.named:
            raise ExpressionError(f"{name} has two meanings in {self.expression!r}.")
        index = self.read(tree)
        if self.nodes[index].op in (LEAF, CONSTANT) or self.nodes[index].name:
            raise ExpressionError(f"{name} needs an operation on its right in {self.expression!r}.")
        node = self.nodes[index]
        self.nodes[index] = Node(name, node.op, node.operands, node.number)
        self.named[name] = index

    def read(self, tree: ast.expr) -> int:
        match tree:
            case ast.Name(id=name):
                if name not in self.named:
                    self.named[name] = self.add(LEAF, name=name)
                return self.named[name]
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self.add(CONSTANT, name=f"{value:g}", number=float(value))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return self.add(CONSTANT, name=f"−{value:g}", number=-float(value))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.add("neg", (self.read(operand),))
            case ast.BinOp(left=base, op=ast.Pow(), right=power):
                return self.add("**", (self.read(base),), number=self.exponent(power))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return self.add(_BINARY[type(op)], (self.read(left), self.read(right)))
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return self.add(name, (self.read(argument),))
        raise ExpressionError(f"In {self.expression!r} only + - * / **, tanh, relu, exp, numbers and names may stand.")

    def exponent(self, tree: ast.expr) -> float:
        try:
            return float(ast.literal_eval(tree))
        except (ValueError, TypeError, OverflowError):
            raise ExpressionError(f"In {self.expression!r} an exponent must be a number.") from None

    def finish(self, output: int) -> Graph:
        """Keep what the output needs, and name the operations that the author did not."""
        needed = {output}
        for index in range(output, -1, -1):
            if index in needed:
                needed.update(self.nodes[index].operands)
        kept = sorted(needed)
        if len(kept) > MOST_NODES:
            raise self.too_large()
        if self.nodes[output].op in (LEAF, CONSTANT):
            raise ExpressionError(f"The expression {self.expression!r} computes nothing.")
        taken = set(self.named)
        fresh = (name for k in range(1, 9999) if (name := f"v{k}") not in taken)
        position = {old: new for new, old in enumerate(kept)}
        nodes = []
        for old in kept:
            node = self.nodes[old]
            name = node.name or ("out" if old == output and "out" not in taken else next(fresh))
            nodes.append(Node(name, node.op, tuple(position[i] for i in node.operands), node.number))
        return Graph(self.expression, tuple(nodes))
