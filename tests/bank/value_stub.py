"""Wrong versions of Value that keep the stub's own `__init__`: the solved stub, and what is changed in it."""

STUB = """class Value:
    def __init__(self, data, parents=()):
        self.data = float(data)
        self.grad = 0.0
        self.parents = tuple(parents)  # pairs (parent, ∂self/∂parent)

    @staticmethod
    def of(number):
        return number if isinstance(number, Value) else Value(number)

    def __add__(self, other):
        other = Value.of(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        other = Value.of(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])

    def __pow__(self, exponent):
        return Value(self.data**exponent, [(self, exponent * self.data ** (exponent - 1))])

    def tanh(self):
        out = np.tanh(self.data)
        return Value(out, [(self, 1 - out**2)])

    def relu(self):
        return Value(max(self.data, 0.0), [(self, float(self.data > 0))])

    def exp(self):
        out = np.exp(self.data)
        return Value(out, [(self, out)])

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent, _ in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -Value.of(other)

    def __truediv__(self, other):
        return self * Value.of(other) ** -1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return Value.of(other) - self

    def __rtruediv__(self, other):
        return Value.of(other) / self
"""

# What takes the place of the body of backward where no order is made.
PATH_BY_PATH = """        def visit(node):
            for parent, slope in node.parents:
                parent.grad += slope * node.grad
                visit(parent)

        self.grad = 1.0
        visit(self)
"""
PATH_BY_PATH_ONCE = """        seen = set()

        def visit(node):
            seen.add(node)
            for parent, slope in node.parents:
                parent.grad += slope * node.grad
                if parent not in seen:
                    visit(parent)

        self.grad = 1.0
        visit(self)
"""
AS_MET = """        seen, waiting = {self}, [self]
        self.grad = 1.0
        while waiting:
            node = waiting.pop(0)
            for parent, slope in node.parents:
                parent.grad += slope * node.grad
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
"""


def _changed(*changes: tuple[str, str]) -> str:
    text = STUB
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _with_backward(body: str) -> str:
    start, end = STUB.index("        order, seen = [], set()"), STUB.index("    def __neg__")
    return STUB[:start] + body + "\n" + STUB[end:]


WRONG = [
    ("gradient overwritten", _changed(("parent.grad += slope", "parent.grad = slope"))),
    ("no topological order", _changed(("in reversed(order)", "in order"))),
    ("no topological order", _with_backward(PATH_BY_PATH)),
    ("no topological order", _with_backward(PATH_BY_PATH_ONCE)),
    ("no topological order", _with_backward(AS_MET)),
    ("gradient not seeded", _changed(("        self.grad = 1.0\n", ""))),
    ("upstream gradient forgotten", _changed(("+= slope * node.grad", "+= slope"))),
    (
        "operands of the product swapped",
        _changed(("[(self, other.data), (other, self.data)]", "[(self, self.data), (other, other.data)]")),
    ),
    (
        "sign of the difference",
        _changed(
            (
                "        return self + -Value.of(other)",
                "        other = Value.of(other)\n"
                "        return Value(self.data - other.data, [(self, 1.0), (other, 1.0)])",
            )
        ),
    ),
    ("exponent forgotten as a factor", _changed(("exponent * self.data **", "self.data **"))),
    ("exponent not lowered", _changed(("self.data ** (exponent - 1)", "self.data**exponent"))),
    ("slope of tanh from its input", _changed(("1 - out**2", "1 - self.data**2"))),
    ("tanh applied a second time", _changed(("1 - out**2", "1 - np.tanh(out) ** 2"))),
    ("left and right operand swapped", _changed(("return Value.of(other) - self", "return self - other"))),
    ("left and right operand swapped", _changed(("return Value.of(other) / self", "return self / other"))),
]
