"""What Value is tried with and compared to: the call, the truth by PyTorch, and engines that make one mistake each."""

from __future__ import annotations

import math
from itertools import product

from course_utils.checks.describe import one_of

RTOL = 1e-7


def call_value(student, program, look, **leaves):
    names = {name: student(number) for name, number in leaves.items()}
    exec(program, {}, names)
    if any(entry.endswith(".grad") for entry in look):
        names["y"].backward()
    found = {}
    for entry in look:
        name, attribute = entry.split(".")
        found[entry] = getattr(names[name], attribute)
    return found


# --- truth ------------------------------------------------------------------------------------------------------


def torch_value():
    """A class with the interface of Value that leaves all the work to PyTorch."""
    import torch

    class TorchValue:
        def __init__(self, data):
            self.tensor = data if isinstance(data, torch.Tensor) else torch.tensor(float(data), dtype=torch.float64)
            self.tensor.requires_grad_(True)
            self.tensor.retain_grad()

        @property
        def data(self):
            return self.tensor.item()

        @data.setter
        def data(self, number):
            with torch.no_grad():
                self.tensor.fill_(float(number))

        @property
        def grad(self):
            return 0.0 if self.tensor.grad is None else self.tensor.grad.item()

        @grad.setter
        def grad(self, number):
            self.tensor.grad = torch.full_like(self.tensor, float(number))

        def __neg__(self):
            return TorchValue(-self.tensor)

        def tanh(self):
            return TorchValue(self.tensor.tanh())

        def relu(self):
            return TorchValue(self.tensor.relu())

        def exp(self):
            return TorchValue(self.tensor.exp())

        def backward(self):
            self.tensor.backward(retain_graph=True)

        def __repr__(self):
            return f"Value(data={self.data:.4g}, grad={self.grad:.4g})"

    def operator(name):
        def method(self, other):
            return TorchValue(getattr(self.tensor, name)(getattr(other, "tensor", other)))

        return method

    for name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow"):
        setattr(TorchValue, f"__{name}__", operator(f"__{name}__"))
    TorchValue.__name__ = TorchValue.__qualname__ = "Value"
    return TorchValue


def truth(**inputs):
    return call_value(torch_value(), **inputs)


# --- wrong ideas ------------------------------------------------------------------------------------------------

# Local derivatives with respect to the operands a and b; y is the result.
LOCAL = {
    "add": lambda a, b, y: (1.0, 1.0),
    "sub": lambda a, b, y: (1.0, -1.0),
    "mul": lambda a, b, y: (b, a),
    "div": lambda a, b, y: (1 / b, -a / b**2),
    "pow": lambda a, b, y: (b * a ** (b - 1), 0.0),
    "tanh": lambda a, b, y: (1 - y**2, 0.0),
    "relu": lambda a, b, y: (float(a > 0), 0.0),
    "exp": lambda a, b, y: (y, 0.0),
}
WRONG_LOCAL = {
    "power": {"pow": lambda a, b, y: (a ** (b - 1), 0.0)},
    "power kept": {"pow": lambda a, b, y: (b * a**b, 0.0)},
    "product": {"mul": lambda a, b, y: (a, b)},
    "difference": {"sub": lambda a, b, y: (1.0, 1.0)},
    "tanh input": {"tanh": lambda a, b, y: (1 - a**2, 0.0)},
    "tanh twice": {"tanh": lambda a, b, y: (1 - math.tanh(y) ** 2, 0.0)},
}


class _Node:
    """A recorded operation. Its class attributes say which mistake the backward pass makes."""

    flaw = ""
    schedule = "creation"  # the order in which backward visits the nodes
    division_by_power = False  # a / b as a * b ** -1
    difference_by_product = False  # a - b as a + b * -1

    def __init__(self, data, op="", parents=()):
        self.data, self.op, self.parents, self.grad = float(data), op, parents, 0.0
        self.number = max((p.number for p in parents), default=0) + 1

    def _make(self, op, data, other=None):
        parents = (self,) if other is None else (self, other)
        return type(self)(data, op, parents)

    def _wrap(self, other):
        return other if isinstance(other, _Node) else type(self)(other)

    def __add__(self, other):
        other = self._wrap(other)
        return self._make("add", self.data + other.data, other)

    def __sub__(self, other):
        other = self._wrap(other)
        if self.difference_by_product:
            return self + other * -1
        return self._make("sub", self.data - other.data, other)

    def __mul__(self, other):
        other = self._wrap(other)
        return self._make("mul", self.data * other.data, other)

    def __truediv__(self, other):
        other = self._wrap(other)
        if self.division_by_power:
            return self * other**-1
        return self._make("div", self.data / other.data, other)

    def __pow__(self, exponent):
        return self._make("pow", self.data**exponent, self._wrap(exponent))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        swapped = self.flaw in ("swapped difference", "swapped both")
        return self - other if swapped else self._wrap(other) - self

    def __rtruediv__(self, other):
        swapped = self.flaw in ("swapped quotient", "swapped both")
        return self / other if swapped else self._wrap(other) / self

    def tanh(self):
        return self._make("tanh", math.tanh(self.data))

    def relu(self):
        return self._make("relu", max(self.data, 0.0))

    def exp(self):
        return self._make("exp", math.exp(self.data))

    def _edges(self):
        """Pairs of a parent and the slope towards it; the exponent of a power is a number, so it has none."""
        if not self.parents:
            return ()
        a, b = self.parents[0].data, self.parents[-1].data
        slopes = WRONG_LOCAL.get(self.flaw, {}).get(self.op, LOCAL[self.op])(a, b, self.data)
        return tuple(zip(self.parents[: 1 if self.op == "pow" else 2], slopes, strict=False))

    def _step(self):
        for parent, slope in self._edges():
            gradient = slope if self.flaw == "no upstream" else slope * self.grad
            parent.grad = gradient if self.flaw == "overwritten" else parent.grad + gradient

    def backward(self):
        self.grad = 0.0 if self.flaw == "no seed" else 1.0
        for node in SCHEDULES[self.schedule](self):
            node._step()


class _Interleaved(_Node):
    """Hands a gradient to one parent and goes on from there at once, before the next parent gets its own."""

    once = False  # whether a node that was met before is left alone

    def backward(self):
        self.grad = 1.0
        self._go(set())

    def _go(self, met):
        met.add(id(self))
        for parent, slope in self._edges():
            parent.grad += slope * self.grad
            if not (self.once and id(parent) in met):
                parent._go(met)


def _by_depth(root):
    """A topological order: every node before its parents."""
    seen, stack = {}, [root]
    while stack:
        node = stack.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            stack.extend(node.parents)
    return sorted(seen.values(), key=lambda node: -node.number)


def _sorted_depth_first(root, turn):
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((p, False) for p in (reversed(node.parents) if turn else node.parents))
    return reversed(order)


def _as_met(root, first_in, turn, again):
    """No order at all: nodes are visited as they are met, from a stack or a queue, once or each time."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop(0 if first_in else -1)
        if id(node) in seen and not again:
            continue
        seen.add(id(node))
        yield node
        waiting.extend(reversed(node.parents) if turn else node.parents)


SCHEDULES = {
    "creation": _by_depth,
    "left": lambda root: _sorted_depth_first(root, False),
    "right": lambda root: _sorted_depth_first(root, True),
    "forwards": lambda root: reversed(_by_depth(root)),
    "left forwards": lambda root: reversed(list(_sorted_depth_first(root, False))),
    "right forwards": lambda root: reversed(list(_sorted_depth_first(root, True))),
    **{
        f"met {queue}{turn}{again}": lambda root, q=queue, t=turn, a=again: _as_met(root, q, t, a)
        for queue, turn, again in product((False, True), repeat=3)
    },
}
SORTED = ("creation", "left", "right")
UNSORTED = tuple(name for name in SCHEDULES if name not in SORTED)


def idea(*flaws, schedules=SORTED):
    """Matches a flaw under every way of composing quotients and differences, and every order of the visits."""
    ways = [(_Node, {"flaw": flaw, "schedule": schedule}) for flaw, schedule in product(flaws, schedules)]
    return any_way(*ways)


def any_way(*ways):
    """Matches any of these classes with these attributes, under every way of composing quotients and differences."""
    classes = [
        type("Value", (base,), {**attributes, "division_by_power": d, "difference_by_product": m})
        for (base, attributes), d, m in product(ways, (False, True), (False, True))
    ]
    return one_of(call_value, *classes, rtol=RTOL)


NO_ORDER = (
    *((_Node, {"schedule": name}) for name in UNSORTED),
    (_Interleaved, {}),
    (_Interleaved, {"once": True}),
)
