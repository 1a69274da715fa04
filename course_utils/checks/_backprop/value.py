"""Value: the scalar reverse-mode engine.

A case is a line of Python (`program`) that builds an expression y from the leaves (a, b, …) and numbers; the student's
class runs it, and what `look` names ("a.grad") comes back. The truth is the same program on a class that hands
everything to PyTorch. The longest chain is 200 operations deep, so a recursive sort stays within Python's
recursion limit. Not judged: the slope of relu at 0, a second call of backward, Value ** Value.
"""

from __future__ import annotations

from course_utils.checks._backprop.engines import NO_ORDER, RTOL, any_way, call_value, idea, torch_value, truth
from course_utils.checks.exercise import Case, Exercise, Misconception


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
    expected=truth,
    stand_in=torch_value,
    rtol=RTOL,
    difficulty=4,
    importance=5,
    minutes=45,
    hints=(
        "Every operation makes a new Value that remembers its operands and its derivative with respect to each. "
        "backward starts with the gradient 1 at the end and lets every node pass on what it has received.",
        "A node may pass its gradient on only when all of it has arrived, that is after every node that uses it. "
        "Sort the nodes so that operands come before results, and walk that list backwards. "
        "A node that is used twice receives two gradients: add them.",
        "For a product: Value(self.data * other.data, [(self, other.data), (other, self.data)]). "
        "For the order: def visit(v): if v is new, mark it, visit its parents, then append v to a list. "
        "In backward: visit(self), self.grad = 1.0, then for each node of reversed(list) and each (parent, slope) in "
        "node.parents: parent.grad += slope * node.grad.",
    ),
    misconceptions=(
        Misconception(
            "gradient overwritten",
            "It looks as if a node that is used twice keeps only one of its gradients: = where += belongs.",
            "Ask yourself: in x * x + x, how many paths lead from x to the result, and what does each bring?",
            matches=idea("overwritten"),
        ),
        Misconception(
            "no topological order",
            "It looks as if a node passes its gradient on before all of it has arrived, or passes it on again later.",
            "Ask yourself: b = 2a, c = b + a, y = b · c: in which order may b and c act?",
            matches=any_way(*NO_ORDER),
        ),
        Misconception(
            "gradient not seeded",
            "It looks as if the backward pass starts with a gradient of 0, and so every gradient is 0.",
            "Ask yourself: what is dy/dy?",
            matches=idea("no seed"),
        ),
        Misconception(
            "upstream gradient forgotten",
            "It looks as if a node passes on its local slope without multiplying by its own gradient.",
            "Ask yourself: the chain rule multiplies two numbers; where in backward is node.grad?",
            matches=idea("no upstream"),
        ),
        Misconception(
            "operands of the product swapped",
            "It looks as if each factor of a product gets its own value as its slope.",
            "Ask yourself: how much does a · b grow when a grows by 1?",
            matches=idea("product"),
        ),
        Misconception(
            "sign of the difference",
            "It looks as if both operands of a − b receive the gradient with a plus.",
            "Ask yourself: what happens to a − b when b grows?",
            matches=idea("difference"),
        ),
        Misconception(
            "exponent forgotten as a factor",
            "It looks as if your slope of xⁿ is xⁿ⁻¹, without the factor n.",
            "Ask yourself: what is the derivative of x³?",
            matches=idea("power"),
        ),
        Misconception(
            "exponent not lowered",
            "It looks as if your slope of xⁿ is n·xⁿ.",
            "Ask yourself: what is the derivative of x², and which power of x stands in it?",
            matches=idea("power kept"),
        ),
        Misconception(
            "slope of tanh from its input",
            "It looks as if your slope of tanh is 1 − x², with x the input. It is 1 − y², with y = tanh(x).",
            "Ask yourself: which of the two numbers lies between −1 and 1 for certain?",
            matches=idea("tanh input"),
        ),
        Misconception(
            "tanh applied a second time",
            "It looks as if the slope of tanh applies tanh to a value that is activated already.",
            "Ask yourself: is the data of the new Value the input of tanh, or its result?",
            matches=idea("tanh twice"),
        ),
        Misconception(
            "left and right operand swapped",
            "It looks as if 1 − v is computed as v − 1, or 3 / v as v / 3.",
            "Ask yourself: Python calls v.__rsub__(1) for 1 − v; which of the two is self?",
            matches=idea("swapped difference", "swapped quotient", "swapped both"),
        ),
    ),
)
