"""The numbers of the graph player: every step of a forward and a backward pass, with its arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from course_utils.widgets.expressions import CONSTANT, LEAF, ExpressionError, Graph, Node, parse
from course_utils.widgets.panel import number


@dataclass(frozen=True)
class Step:
    """One moment of the two passes.

    phase: "start", "forward", "seed" (the output's own gradient is 1) or "backward".
    node: index of the node whose value or gradient this step fills in; at the start, the output.
    source, operand: in a backward step, the node that the gradient comes from and which of its operands `node` is.
    text: the arithmetic of this step. total: how it adds to what was there, or "".
    values, grads: after this step, per node; None where nothing is known yet.
    """

    phase: str
    node: int
    text: str
    values: tuple[float | None, ...]
    grads: tuple[float | None, ...]
    source: int | None = None
    operand: int = 0
    total: str = ""


def trace(expression: str | Graph, leaves: Mapping[str, float]) -> list[Step]:
    """Play `expression` forward and backward at the given leaf values, one number at a time.

    `leaves` maps each leaf's name to its value. The backward steps take one operand of one operation each, in reverse
    topological order, so that a node's gradient is complete before it is passed on. Constants get no gradient.
    Raises `ExpressionError` for an expression that cannot be read, a missing leaf or a value that cannot be computed.
    Source: reverse-mode differentiation as in micrograd's ``engine.py`` (Karpathy, 2020).
    """
    graph = parse(expression) if isinstance(expression, str) else expression
    nodes, last = graph.nodes, len(graph.nodes) - 1
    values: list[float | None] = [_given(node, leaves) for node in nodes]
    grads: list[float | None] = [None] * len(nodes)
    steps: list[Step] = []

    def record(phase: str, node: int, text: str, **more) -> None:
        steps.append(Step(phase, node, text, tuple(values), tuple(grads), **more))

    record("start", last, "The leaves are given. Nothing is computed yet.")
    for index, node in enumerate(nodes):
        if values[index] is None:
            values[index] = _compute(node, nodes, values)
            written = [number(values[i], 4) for i in node.operands]
            text = f"{node.name} = {_formula(node, [nodes[i].name for i in node.operands])}"
            record("forward", index, f"{text} = {_formula(node, written)} = {number(values[index], 4)}")

    grads[last] = 1.0
    record("seed", last, f"{nodes[last].name}.grad = 1: the output changes as fast as itself.")
    differentiable = graph.depends_on_leaf()
    for index in range(last, -1, -1):
        node = nodes[index]
        for operand, target in enumerate(node.operands):
            if not differentiable[target]:
                continue
            symbols, numbers, local = _local_derivative(node, operand, nodes, values, index)
            added = local * grads[index]
            before = grads[target]
            grads[target] = added if before is None else before + added
            name, arriving = nodes[target].name, f"{numbers} × {_signed(grads[index])}"
            text = f"{name}.grad += {symbols} × {node.name}.grad = {arriving} = {number(added, 4)}"
            total = ""
            if before is not None:
                total = f"{number(before, 4)} + {_signed(added)} = {number(grads[target], 4)}"
                total = f"{name} is used more than once: {name}.grad = {total}"
            record("backward", target, text, source=index, operand=operand, total=total)
    return steps


def _given(node: Node, leaves: Mapping[str, float]) -> float | None:
    if node.op == CONSTANT:
        return node.number
    if node.op != LEAF:
        return None
    if node.name not in leaves:
        raise ExpressionError(f"The leaf {node.name} has no value.")
    return float(leaves[node.name])


def _compute(node: Node, nodes, values) -> float:
    inputs = [values[i] for i in node.operands]
    try:
        match node.op, inputs:
            case "+", [a, b]:
                result = a + b
            case "-", [a, b]:
                result = a - b
            case "*", [a, b]:
                result = a * b
            case "/", [a, b]:
                result = a / b
            case "**", [a]:
                result = a**node.number
            case "neg", [a]:
                result = -a
            case "tanh", [a]:
                result = math.tanh(a)
            case "relu", [a]:
                result = max(a, 0.0)
            case "exp", [a]:
                result = math.exp(a)
    except (ZeroDivisionError, OverflowError):
        result = math.nan
    if isinstance(result, complex) or not math.isfinite(result):
        names = [nodes[i].name for i in node.operands]
        where = " and ".join(f"{name} = {number(value, 4)}" for name, value in zip(names, inputs, strict=True))
        raise ExpressionError(f"{node.name} = {_formula(node, names)} has no finite value at {where}.")
    return result


def _formula(node: Node, names: list[str]) -> str:
    """The operation written with these operands, names or numbers."""
    # A negative number after an operator is put in brackets, as by hand.
    later = [f"({name})" if name.startswith("−") else name for name in names]
    match node.op:
        case "+":
            return f"{names[0]} + {later[1]}"
        case "-":
            return f"{names[0]} − {later[1]}"
        case "*":
            return f"{names[0]} × {later[1]}"
        case "/":
            return f"{names[0]} / {later[1]}"
        case "**":
            return f"{later[0]}**{number(node.number)}"
        case "neg":
            return f"−{later[0]}"
    return f"{node.op}({names[0]})"


def _local_derivative(node: Node, operand: int, nodes, values, index: int) -> tuple[str, str, float]:
    """∂node/∂operand: in symbols, in numbers, and its value."""
    names = [f"{nodes[i].name}.data" for i in node.operands]
    inputs = [values[i] for i in node.operands]
    out, value = f"{node.name}.data", values[index]
    match node.op:
        case "+":
            return "1", "1", 1.0
        case "-":
            return ("1", "1", 1.0) if operand == 0 else ("(−1)", "(−1)", -1.0)
        case "*":
            other = inputs[1 - operand]
            return names[1 - operand], number(other, 4), other
        case "/" if operand == 0:
            return f"1/{names[1]}", f"1/{_signed(inputs[1])}", 1.0 / inputs[1]
        case "/":
            symbols = f"(−{names[0]}/{names[1]}²)"
            return symbols, f"(−{_signed(inputs[0])}/{_signed(inputs[1])}²)", -inputs[0] / inputs[1] / inputs[1]
        case "**":
            power, base = node.number, inputs[0]
            try:
                local = power * base ** (power - 1)
            except (ZeroDivisionError, OverflowError):
                raise ExpressionError(f"{node.name} has no finite slope at {names[0]} = {number(base, 4)}.") from None
            symbols = f"{number(power)} × {names[0]}**{_signed(power - 1)}"
            return symbols, f"{number(power)} × {_signed(base)}**{_signed(power - 1)}", local
        case "neg":
            return "(−1)", "(−1)", -1.0
        case "tanh":
            return f"(1 − {out}²)", f"(1 − {_signed(value)}²)", 1.0 - value**2
        case "relu":
            local = 1.0 if inputs[0] > 0 else 0.0
            return f"[{names[0]} > 0]", number(local), local
    return out, number(value, 4), value  # exp is its own derivative


def _signed(value: float) -> str:
    """A number in brackets when it is negative."""
    text = number(value, 4)
    return f"({text})" if text.startswith("−") else text
