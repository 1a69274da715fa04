"""Value: the scalar reverse-mode engine.

A case is a line of Python (`program`) that builds an expression y from the leaves (a, b, …) and numbers; the student's
class runs it, and what `look` names ("a.grad") comes back. The truth is the same program on a class that hands
everything to PyTorch. The longest chain is 200 operations deep, so a recursive sort stays within Python's
recursion limit. Not judged: the slope of relu at 0, a second call of backward, Value ** Value.
"""

from __future__ import annotations

import math
from itertools import product

from course_utils.checks._backprop.common import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception

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


def _truth(**inputs):
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
        self.data, self.op, self.parents, self.grad = data, op, parents, 0.0
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

    def _step(self):
        if not self.parents:
            return
        a, b = self.parents[0].data, self.parents[-1].data
        slopes = WRONG_LOCAL.get(self.flaw, {}).get(self.op, LOCAL[self.op])(a, b, self.data)
        for parent, slope in zip(self.parents, slopes, strict=False):
            if self.op == "pow" and parent is not self.parents[0]:
                continue  # the exponent is a number
            gradient = slope if self.flaw == "no upstream" else slope * self.grad
            parent.grad = gradient if self.flaw == "overwritten" else parent.grad + gradient

    def backward(self):
        self.grad = 0.0 if self.flaw == "no seed" else 1.0
        for node in SCHEDULES[self.schedule](self):
            node._step()


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


def _idea(*flaws, schedules=SORTED):
    """Matches a flaw under every way of composing quotients and differences, and every order of the visits."""
    classes = [
        type("Value", (_Node,), {"flaw": f, "schedule": s, "division_by_power": d, "difference_by_product": m})
        for f, s, d, m in product(flaws, schedules, (False, True), (False, True))
    ]
    return one_of(call_value, *classes, rtol=RTOL)


# --- cases ------------------------------------------------------------------------------------------------------


def _cases(rng):
    def number(low=0.5, high=1.8, sign=None):
        return float(rng.uniform(low, high) * (rng.choice([-1, 1]) if sign is None else sign))

    def case(aspect, program, inner="", **leaves):
        """Looks at data and gradient of the leaves, of y, and of the nodes named in `inner`."""
        leaves = {name: number() for name in "abcd" if name in program} | leaves
        look = [f"{name}.{attribute}" for name in (*leaves, *inner, "y") for attribute in ("data", "grad")]
        return Case(aspect, {"program": program, "look": tuple(look)} | leaves)

    def forward(program, inner="", **leaves):
        """Looks at data alone; nothing is propagated back."""
        made = case("values", program, inner, **leaves)
        return Case("values", dict(made.inputs, look=tuple(f"{name}.data" for name in (*inner, "y"))))

    def woven(steps):
        """Each node uses the one before it and an older one, so that there is only one topological order."""
        names = ["a", "b"]
        lines = ["p0 = a * b"]
        for i in range(1, steps):
            older = names[int(rng.integers(len(names)))]
            text = ("p{0} * {1}", "p{0} + {1}", "{1} - p{0}", "(p{0} + {1}).tanh()")[int(rng.integers(4))]
            names.append(f"p{i - 1}")
            lines.append(f"p{i} = " + text.format(i - 1, older))
            if i % 3 == 0:
                lines.append(f"p{i} = p{i}.tanh()")
        return "; ".join([*lines, f"y = p{steps - 1} * p{steps - 2} + a"])

    sums, numbers = "sums and products", "numbers on either side"
    functions, shared, order = "powers, quotients, functions", "shared nodes", "order of the backward pass"
    positive = {"a": number(sign=1), "b": number(sign=1)}
    return [
        forward("y = (a + b) * c - a * b"),
        forward("u = a / b - c ** 3; y = u * 2 + 1", "u"),
        forward("u = a.relu() + b.relu(); y = u.tanh() + c.exp()", "u", a=number(sign=-1)),
        case(sums, "y = a * b + c"),
        case(sums, "u = a - b; v = c - d; y = u * v", "uv"),
        case(sums, "u = a * b; y = (u - c) * d", "u", e=1.5),
        *(case(numbers, f"y = 3 * ({text}) + b") for text in ("a + 2", "2 + a", "a - 2", "2 - a", "a * 3", "3 * a")),
        case(numbers, "y = (a / 4) * (3 / b)"),
        case(numbers, "y = 1 - 2 / a", a=3),
        case(functions, "y = 2 * a ** 3"),
        case(functions, "y = a ** -1 * b ** 0.5", **positive),
        case(functions, "u = a / b; y = u / c", "u"),
        case(functions, "u = (a * b).tanh(); y = 3 * u", "u"),
        case(functions, "u = (a - b).exp(); y = u * c", "u"),
        case(functions, "u = a.relu(); v = b.relu(); y = u * 2 - v * c", "uv", a=number(sign=1), b=number(sign=-1)),
        case(shared, "y = a + a"),
        case(shared, "y = a * a + a"),
        case(shared, "y = a * b + a * c"),
        case(shared, "y = (a * a) * a"),
        case(order, "u = 2 * a; v = u + a; y = u*v", "uv"),
        case(order, "u = a * b; v = u + u; w = v * u; y = w - v", "uvw"),
        case(order, "u = a * b; v = u.tanh(); y = u * v; z = 5 * u * y", "uvz"),
        case(order, woven(8)),
        case(order, "x = a * 1" + "; x = x * 0.98 + b" * 100 + "; y = x * x"),
    ]


Value = Exercise(
    name="Value",
    cases=_cases,
    call=call_value,
    for_call=("look", "root"),
    expected=_truth,
    stand_in=torch_value,
    rtol=RTOL,
    difficulty=4,
    importance=5,
    minutes=45,
    hints=(
        "Every operation makes a new Value that remembers its operands and how to pass its own gradient on to them. "
        "backward starts with the gradient 1 at the end and lets every node pass on what it has received.",
        "A node may pass its gradient on only when all of it has arrived, that is after every node that uses it. "
        "Sort the nodes so that operands come before results, and walk that list backwards. "
        "A node that is used twice receives two gradients: add them.",
        "For a product: self.grad += other.data * out.grad and other.grad += self.data * out.grad. "
        "For the order: def visit(v): if v is new, mark it, visit its operands, then append v to a list. "
        "In backward: visit(self), self.grad = 1, then go through reversed(list). "
        "2 * v needs __rmul__, and 1 − v needs __rsub__.",
    ),
    misconceptions=(
        Misconception(
            "gradient overwritten",
            "It looks as if a node that is used twice keeps only one of its gradients: = where += belongs.",
            "Ask yourself: in x * x + x, how many paths lead from x to the result, and what does each bring?",
            matches=_idea("overwritten"),
        ),
        Misconception(
            "no topological order",
            "It looks as if a node passes its gradient on before all of it has arrived, or passes it on again later.",
            "Ask yourself: b = 2a, c = b + a, y = b · c: in which order may b and c act?",
            matches=_idea("", schedules=UNSORTED),
        ),
        Misconception(
            "gradient not seeded",
            "It looks as if the backward pass starts with a gradient of 0, and so every gradient is 0.",
            "Ask yourself: what is dy/dy?",
            matches=_idea("no seed"),
        ),
        Misconception(
            "upstream gradient forgotten",
            "It looks as if a node passes on its local slope without multiplying by its own gradient.",
            "Ask yourself: where is out.grad in your rule for each operation?",
            matches=_idea("no upstream"),
        ),
        Misconception(
            "operands of the product swapped",
            "It looks as if each factor of a product gets its own value as its slope.",
            "Ask yourself: how much does a · b grow when a grows by 1?",
            matches=_idea("product"),
        ),
        Misconception(
            "sign of the difference",
            "It looks as if both operands of a − b receive the gradient with a plus.",
            "Ask yourself: what happens to a − b when b grows?",
            matches=_idea("difference"),
        ),
        Misconception(
            "exponent forgotten as a factor",
            "It looks as if your slope of xⁿ is xⁿ⁻¹, without the factor n.",
            "Ask yourself: what is the derivative of x³?",
            matches=_idea("power"),
        ),
        Misconception(
            "exponent not lowered",
            "It looks as if your slope of xⁿ is n·xⁿ.",
            "Ask yourself: what is the derivative of x², and which power of x stands in it?",
            matches=_idea("power kept"),
        ),
        Misconception(
            "slope of tanh from its input",
            "It looks as if your slope of tanh is 1 − x², with x the input. It is 1 − y², with y = tanh(x).",
            "Ask yourself: which of the two numbers lies between −1 and 1 for certain?",
            matches=_idea("tanh input"),
        ),
        Misconception(
            "tanh applied a second time",
            "It looks as if the slope of tanh applies tanh to a value that is activated already.",
            "Ask yourself: is out.data the input of tanh, or its result?",
            matches=_idea("tanh twice"),
        ),
        Misconception(
            "left and right operand swapped",
            "It looks as if 1 − v is computed as v − 1, or 3 / v as v / 3.",
            "Ask yourself: Python calls v.__rsub__(1) for 1 − v; which of the two is self?",
            matches=_idea("swapped difference", "swapped quotient", "swapped both"),
        ),
    ),
)
