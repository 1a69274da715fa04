"""The widgets of 01: their numbers without a browser, their pictures, their controls, and what reaches the page."""

from __future__ import annotations

import ast
import re
import time
import xml.etree.ElementTree as xml
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils.widgets import descent, graph_player, loss_surface, relu_count, relu_fit
from course_utils.widgets.count_relus import ReluCounter
from course_utils.widgets.count_relus import draw as draw_relus
from course_utils.widgets.errors import WidgetError
from course_utils.widgets.expressions import ExpressionError, parse
from course_utils.widgets.graph_layout import layout
from course_utils.widgets.graph_trace import trace
from course_utils.widgets.panel import Panel, number
from course_utils.widgets.play_graph import EXPRESSIONS, GraphPlayer
from course_utils.widgets.scene import Scene, Text
from course_utils.widgets.walk_surface import LossSurface
from course_utils.widgets.walk_surface import draw as draw_surface
from tests.widget_pictures import controls

ROOT = Path(__file__).resolve().parent.parent
OTHERS = [
    "x**2/(exp(-x) + relu(3 - x)) - x",
    "relu(a*b) + relu(-a*b) + a",
    "a - b - a",
    "(a + b)**3 * (a - b)**-1",
    "2*x - 3 + x*0.5",
    "s = a*b; t = tanh(s); s*t + t*t + s",
    "exp(tanh(a)/2)",
    "x*x*x*x",
    "(2*3)*x",
]
ALL = [text for text, _ in EXPRESSIONS.values()] + OTHERS


def leaves_of(graph, seed=0):
    return dict(zip(graph.leaves, np.random.default_rng(seed).uniform(-2, 2, len(graph.leaves)).tolist(), strict=True))


# The numbers of the graph player.


def in_torch(expression, leaves):
    """The value of every named term and the gradients of the leaves, by PyTorch."""
    tensors = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in leaves.items()}
    space = {"tanh": torch.tanh, "relu": torch.relu, "exp": torch.exp, **tensors}
    *names, last = ast.parse(expression).body
    for statement in names:
        exec(ast.unparse(statement), space)
    out = eval(ast.unparse(last), space)
    out.backward()
    return out.item(), {name: tensor.grad.item() for name, tensor in tensors.items()}


@pytest.mark.parametrize("expression", ALL)
@pytest.mark.parametrize("seed", range(3))
def test_trace_ends_in_pytorchs_gradients(expression, seed):
    graph = parse(expression)
    leaves = leaves_of(graph, seed)
    value, grads = in_torch(expression, leaves)
    end = trace(expression, leaves)[-1]
    assert end.values[-1] == pytest.approx(value, rel=1e-12)
    for node, grad in zip(graph.nodes, end.grads, strict=True):
        if node.name in leaves:
            assert grad == pytest.approx(grads[node.name], rel=1e-12, abs=1e-14), node.name


@pytest.mark.parametrize("expression", ALL)
def test_trace_fills_in_one_number_at_a_time(expression):
    graph = parse(expression)
    steps = trace(graph, leaves_of(graph))
    operations = [i for i, node in enumerate(graph.nodes) if node.operands]
    phases = [step.phase for step in steps]
    assert phases == sorted(phases, key=["start", "forward", "seed", "backward"].index)
    assert [step.node for step in steps if step.phase == "forward"] == operations
    final = steps[-1].grads
    for before, step in zip(steps, steps[1:], strict=False):
        changed = [
            i for i in range(len(graph.nodes)) if (before.values[i], before.grads[i]) != (step.values[i], step.grads[i])
        ]
        # An added zero changes nothing.
        assert changed == [step.node] or (changed == [] and step.text.endswith("= 0"))
        if step.phase == "backward":
            assert graph.nodes[step.source].operands[step.operand] == step.node
            # Topological order: what is passed on is complete.
            assert before.grads[step.source] == final[step.source]


def test_trace_writes_out_the_arithmetic():
    steps = {step.text: step.total for step in trace("a*b + a", {"a": 2.0, "b": -3.0})}
    assert list(steps) == [
        "The leaves are given. Nothing is computed yet.",
        "v1 = a × b = 2 × (−3) = −6",
        "out = v1 + a = −6 + 2 = −4",
        "out.grad = 1: the output changes as fast as itself.",
        "v1.grad += 1 × out.grad = 1 × 1 = 1",
        "a.grad += 1 × out.grad = 1 × 1 = 1",
        "a.grad += b.data × v1.grad = −3 × 1 = −3",
        "b.grad += a.data × v1.grad = 2 × 1 = 2",
    ]
    assert steps["a.grad += b.data × v1.grad = −3 × 1 = −3"] == "a is used more than once: a.grad = 1 + (−3) = −2"
    assert sum(map(bool, steps.values())) == 1


@pytest.mark.parametrize("expression", ALL)
def test_the_arithmetic_written_out_is_true(expression):
    graph = parse(expression)
    for step in trace(graph, leaves_of(graph, 4)):
        for line in filter(None, (step.text, step.total)):
            if step.phase in ("forward", "backward"):
                computed, result = (evaluate(part) for part in line.split(" = ")[-2:])
                # Both sides are rounded to four digits.
                assert computed == pytest.approx(result, rel=0.01, abs=2e-3), line


def evaluate(text):
    text = text.replace("−", "-").replace("×", "*").replace("²", "**2")
    text = re.sub(
        r"·10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "e" + m[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")), text
    )
    return eval(text, {"tanh": np.tanh, "exp": np.exp, "relu": lambda v: max(v, 0)})


def test_constants_get_no_gradient():
    graph = parse("(2*3)*x + 1")
    end = trace(graph, {"x": 1.0})[-1]
    assert {node.name: grad for node, grad in zip(graph.nodes, end.grads, strict=True) if grad is not None} == {
        "x": 6.0,
        "v2": 1.0,
        "out": 1.0,
    }


def test_a_name_is_one_node_and_a_term_written_twice_is_two():
    assert len(parse("s = a + b; s*s + s").nodes) == 5
    assert len(parse("(a + b)*(a + b)").nodes) == 5
    assert len(parse("c = a*b; a + b").nodes) == 3  # what the output does not need is left out
    assert [node.name for node in parse("v1 + out*2").nodes] == ["v1", "out", "2", "v2", "v3"]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "must end in the value"), ("a +", "not valid Python"), ("a; b", "only `name = …`"),
        ("sin(a)", "only + - * /"), ("a @ b", "only + - * /"), ("a.b", "only + - * /"), ("'a' + b", "only + - * /"),
        ("True + a", "only + - * /"), ("tanh(a, b)", "only + - * /"), ("a**b", "exponent must be a number"),
        ("s = a; s*s", "needs an operation"), ("s = a*b; s = a + b; s", "two meanings"), ("a", "computes nothing"),
        ("a = b*b", "must end in the value"), ("+".join("abcdefghijk"), "more than 16 nodes"),
        ("(" * 150 + "a", "not valid Python"), ("-" * 150 + "a", "more than 16 nodes"), ("a\0", "not valid"),
        ("a+" * 5000 + "a", "longer than 200 characters"), ("a:=2", "not valid"), ("lambda: a", "only + - * /"),
        ("__import__('os').system('true')", "only + - * /"),
    ],
)  # fmt: skip
def test_an_expression_that_cannot_be_read_is_one_sentence(expression, says):
    with pytest.raises(ExpressionError) as caught:
        parse(expression)
    message = str(caught.value)
    assert says in message and message.endswith(".") and "\n" not in message
    assert caught.value._render_traceback_() == [message]


@pytest.mark.parametrize(
    ("expression", "leaves", "says"),
    [
        ("a/b", {"a": 1.0, "b": 0.0}, "out = a / b has no finite value at a = 1 and b = 0."),
        ("a**0.5", {"a": -1.0}, r"out = a**0.5 has no finite value at a = −1."),
        ("a**0.5", {"a": 0.0}, "out has no finite slope at a.data = 0."),
        ("a**-1", {"a": 0.0}, "out = a**−1 has no finite value at a = 0."),
        ("exp(a)", {"a": 1000.0}, "out = exp(a) has no finite value at a = 1000."),
        ("a*b", {"a": 1.0}, "The leaf b has no value."),
    ],
)
def test_a_value_that_cannot_be_computed_is_one_sentence(expression, leaves, says):
    with pytest.raises(ExpressionError) as caught:
        trace(expression, leaves)
    assert str(caught.value) == says


# The layout of the graph.


@pytest.mark.parametrize("expression", ALL)
def test_the_layout_keeps_nodes_and_arrows_apart(expression):
    graph = parse(expression)
    result = layout(graph)
    for index, node in enumerate(graph.nodes):
        for operand, source in enumerate(node.operands):
            columns = [result.place[source][0], *(c for c, _ in result.routes[index, operand]), result.place[index][0]]
            assert columns == list(range(columns[0], columns[-1] + 1))  # left to right, no column skipped
    places = set(result.place) | {place for route in result.routes.values() for place in route}
    assert len(places) >= len(result.place) == len(set(result.place))
    for (c1, r1), (c2, r2) in combinations(places, 2):
        assert c1 != c2 or abs(r1 - r2) >= 1 - 1e-9
    assert {c for c, _ in places} == set(range(result.columns))
    assert min(r for _, r in places) == 0 and max(r for _, r in places) == pytest.approx(result.rows - 1)


def test_the_diamonds_long_arrow_goes_round_the_node_between():
    graph = parse("x*x + x")
    result = layout(graph)
    ((column, row),) = result.routes[2, 1]
    assert column == result.place[1][0] == 1 and abs(row - result.place[1][1]) >= 1


# The numbers of the ReLU counter.


@pytest.mark.parametrize("seed", range(5))
def test_the_sum_of_relus_is_linear_interpolation(seed):
    rng = np.random.default_rng(seed)
    knots = np.cumsum(rng.uniform(0.1, 1.0, 7))
    values = rng.normal(size=7)
    coefficients = relu_fit.relu_coefficients(knots, values)
    t = np.linspace(knots[0], knots[-1], 301)
    f = relu_fit.Fit(knots, values, coefficients, 0.0, 0.0)(t)
    assert coefficients.shape == (6,)
    np.testing.assert_allclose(f, np.interp(t, knots, values), atol=1e-12)


@pytest.mark.parametrize("target", relu_fit.TARGETS)
@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_the_largest_error_is_found(target, count):
    result = relu_fit.fit(target, count)
    t = np.linspace(-1, 1, 20_001)
    dense = np.abs(np.interp(t, result.knots, result.values) - relu_fit.TARGETS[target](t)).max()
    # The search grid has 64 points to an interval: it may miss the top of a smooth bump by a thousandth of it.
    assert result.error == pytest.approx(dense, rel=2e-3, abs=1e-12)
    at = np.array([result.worst])
    assert abs(result(at) - relu_fit.TARGETS[target](at))[0] == pytest.approx(result.error, abs=1e-15)


def test_smooth_targets_fall_like_one_over_n_squared():
    n = np.arange(1, relu_fit.MOST + 1)
    np.testing.assert_allclose(relu_fit.errors("t²"), 1 / n**2, rtol=1e-9)  # h²/4 with h = 2/n
    late = n >= 10
    slope = np.polyfit(np.log(n[late]), np.log(relu_fit.errors("sin(πt)")[late]), 1)[0]
    assert slope == pytest.approx(-2, abs=0.03)
    assert relu_fit.errors("sin(πt)")[-1] == pytest.approx((np.pi / 40) ** 2 / 2, rel=0.01)  # h²/8·max|f″|


def test_a_kink_falls_like_one_over_n_or_is_met_exactly():
    n = np.arange(1, relu_fit.MOST + 1)
    errors = relu_fit.errors("|t|")
    np.testing.assert_allclose(errors[n % 2 == 1], 1 / n[n % 2 == 1], rtol=1e-9)
    assert (errors[n % 2 == 0] < relu_fit.EXACT).all()


# The numbers of the loss surface.


def loss_in_torch(point):
    w, v = point
    x, y = torch.tensor(descent.INPUTS), torch.tensor(descent.TARGETS)
    return 0.5 * ((v * torch.tanh(w * x) - y) ** 2).mean()


@pytest.mark.parametrize("point", [(0.0, 0.0), (1.0, 2.0), (-3.0, 0.5), (0.2, -4.0)])
def test_loss_gradient_and_curvature_are_pytorchs(point):
    tensor = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    value = loss_in_torch(tensor)
    (grad,) = torch.autograd.grad(value, tensor)
    hessian = torch.autograd.functional.hessian(loss_in_torch, tensor.detach())
    assert descent.loss(*point) == pytest.approx(value.item(), rel=1e-12)
    np.testing.assert_allclose(descent.gradient(*point), grad.numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(descent.curvature(*point), torch.linalg.eigvalsh(hessian).numpy(), rtol=1e-6)


def test_the_stated_landmarks_are_there():
    assert np.linalg.norm(descent.gradient(*descent.MINIMUM)) < 1e-4
    assert (descent.curvature(*descent.MINIMUM) > 0).all()
    grid = np.linspace(-4, 4, 161)
    assert descent.loss(*np.meshgrid(grid, grid)).min() >= descent.loss(*descent.MINIMUM) - 1e-9
    assert descent.loss(*(-np.array(descent.MINIMUM))) == descent.loss(*descent.MINIMUM)
    assert descent.loss(0.0, 0.0) == pytest.approx(descent.SADDLE) and not descent.gradient(0.0, 0.0).any()
    low, high = descent.curvature(0.0, 0.0)
    assert low < 0 < high


def test_the_walk_is_gradient_descent():
    weights = torch.tensor([-1.5, 2.8], dtype=torch.float64, requires_grad=True)
    path = descent.walk((-1.5, 2.8), 0.3, 25)
    for k in range(25):
        np.testing.assert_allclose(path.points[k], weights.detach().numpy(), rtol=1e-10)
        (grad,) = torch.autograd.grad(loss_in_torch(weights), weights)
        weights = (weights - 0.3 * grad).detach().requires_grad_()
    assert path.points.shape == path.gradients.shape == (26, 2) and path.losses.shape == (26,)


@pytest.mark.parametrize(
    ("start", "rate", "steps", "word"),
    [
        ((-1.5, 2.8), 0.3, 60, "converges"), ((1.0, 1.0), 1.0, 40, "converges"),
        ((-1.5, 2.8), 0.01, 30, "is on its way"), ((3.0, -2.5), 0.1, 100, "is on its way"),
        ((2.0, 2.0), 0.5, 1, "is on its way"),
        ((0.0, 0.0), 1.0, 10, "stalls"), ((-3.0, -1.0), 3.2, 60, "diverges"), ((2.5, 0.3), 5.0, 3, "diverges"),
        ((1.2, 1.5), 2.42, 30, "oscillates"),
    ],
)  # fmt: skip
def test_behaviour_has_the_right_word(start, rate, steps, word):
    path = descent.walk(start, rate, steps)
    assert descent.behaviour(path)[0] == word


@pytest.mark.parametrize("rate", [0.1, 1.0, 1.9, 2.2, 2.6, 5.0])
def test_behaviour_agrees_with_a_much_longer_walk(rate):
    for start in [(-3.0, 2.0), (0.5, -1.0), (2.0, 3.5), (3.5, 0.5)]:
        word = descent.behaviour(descent.walk(start, rate, 100))[0]
        far = descent.walk(start, rate, 2000)
        if word == "converges":
            assert np.linalg.norm(far.gradients[-1]) < 1e-6
        assert (word == "diverges") == bool((np.abs(far.points) >= descent.FAR).any())


# Pictures.


def test_number():
    shown = [(0.0, "0"), (-0.0, "0"), (1.0, "1"), (-2.5, "−2.5"), (1234.5, "1234"), (0.123456, "0.123"),
             (1e-5, "1.0·10⁻⁵"), (-3.2e9, "−3.2·10⁹"), (float("nan"), "not a number"), (float("-inf"), "−∞"),
             (999.96, "1000"), (0.99996, "1"), (1e-4, "0.0001"), (20.0, "20"), (-1e-3, "−0.001")]  # fmt: skip
    for value, text in shown:
        assert number(value) == text


def states():
    """Scenes in many settings, by name."""
    for expression in ALL:
        graph = parse(expression)
        steps, places = trace(graph, leaves_of(graph)), layout(graph)
        from course_utils.widgets.graph_picture import draw

        for at in {0, 1, len(steps) // 2, len(steps) - 2, len(steps) - 1}:
            yield f"{expression} step {at}", draw(graph, places, steps, at)
    for target in relu_fit.TARGETS:
        for count in (1, 2, 13, 40):
            yield f"{target} {count}", draw_relus(target, count)
    for start in ((-4.0, 4.0), (0.0, 0.0), (3.3, -0.7)):
        for rate in (0.01, 0.9, 2.4, 10.0):
            for steps in (1, 200):
                yield f"{start} {rate} {steps}", draw_surface(start, rate, steps)


def test_every_picture_is_valid_and_keeps_its_text_inside():
    from matplotlib.font_manager import FontProperties, findfont
    from PIL import ImageFont

    weights = {False: "normal", True: "bold"}
    files = {bold: findfont(FontProperties(family="DejaVu Sans", weight=weight)) for bold, weight in weights.items()}
    fonts = {bold: ImageFont.truetype(file, 100) for bold, file in files.items()}
    seen = 0
    for name, scene in states():
        seen += 1
        svg = scene.svg()
        root = xml.fromstring(svg)
        assert root.get("role") == "img" and root.get("aria-label") == scene.alt and len(scene.alt) > 40, name
        assert not re.search(r'="[^"]*(nan|inf)\b', svg.replace(root.get("aria-label"), "")), name
        for item in scene.items:
            if isinstance(item, Text) and not item.turned and item.text.strip():
                width = fonts[item.bold].getlength(item.text) / 100 * item.size
                left = item.at[0] - {"start": 0, "middle": width / 2, "end": width}[item.anchor]
                assert left >= 0 and left + width <= scene.width, (name, item.text)
                assert item.size <= item.at[1] <= scene.height - 3, (name, item.text)
    assert seen > 100


def test_text_is_escaped_and_ids_are_apart():
    scene = Scene(100, 50, alt='"<&>"')
    scene.text(5, 20, "a<b & c")
    with scene.clipped(0, 0, 10, 10):
        scene.line([(0, 0), (5, 5)])
        scene.dot((1, 1), 2, "red")
    first, second = scene.svg(), scene.svg()
    root = xml.fromstring(first)
    assert root.get("aria-label") == '"<&>"' and "a&lt;b &amp; c" in first
    ids = [re.findall(r'id="([^"]+)"', svg) for svg in (first, second)]
    assert len(ids[0]) == 1 and ids[0] != ids[1]
    assert first.count(f'clip-path="url(#{ids[0][0]})"') == 2


def test_the_png_is_the_svgs_picture():
    from PIL import Image

    scene = Scene(100, 50)
    scene.rect(10, 10, 20, 30, fill="#0072B2", stroke="none")
    with scene.clipped(50, 0, 20, 50):
        scene.line([(40, 25), (90, 25)], "#D55E00", 6)
    import io

    image = np.asarray(Image.open(io.BytesIO(scene.png())).convert("RGB")).astype(int)
    assert image.shape == (100, 200, 3)
    near = {name: (abs(image - np.array(rgb)).sum(-1) < 40) for name, rgb in
            {"blue": (0, 114, 178), "red": (213, 94, 0), "white": (255, 255, 255)}.items()}  # fmt: skip
    assert near["blue"][40, 40] and near["white"][15, 40] and near["white"][40, 64]
    assert near["red"][50, 120] and near["white"][50, 90] and near["white"][50, 145]


def test_a_panel_maps_its_limits_to_its_corners():
    panel = Panel(Scene(200, 200), (20, 10, 100, 50), (1, 100), (-1, 1), xlog=True)
    np.testing.assert_allclose(panel.points([1, 10, 100], [-1, 0, 1]), [(20, 60), (70, 35), (120, 10)])
    assert panel.y(float("nan")) < 0 and np.isfinite(panel.x(0.0))  # off the picture, not off the number line


# Controls.


def test_the_graph_player_steps_forward_and_back():
    player = GraphPlayer("neuron")
    seen = [player.picture.value]
    for _ in range(len(player.steps) + 3):
        player.next.click()
        seen.append(player.picture.value)
    assert player.step.value == player.step.max == player.play.max == len(player.steps) - 1 == 15
    assert len({re.sub(r"bp\d+-", "", svg) for svg in seen}) == 16
    assert "out.grad = 1" in seen[6] and "x1.grad +=" in seen[15]
    player.previous.click()
    assert player.step.value == 14
    player.step.value = 0
    player.previous.click()
    assert player.step.value == 0


def test_the_graph_player_follows_its_leaves_and_expression():
    player = GraphPlayer("diamond")
    player.step.value = player.step.max
    assert "x has data 3 and grad 7" in player.picture.value
    player.leaf["x"].value = -2.0
    assert "x has data −2 and grad −3" in player.picture.value and player.step.value == player.step.max
    player.choice.value = "shared sum"
    assert set(player.leaf) == {"a", "b"} and player.step.value == 0
    assert "s = a + b; s*s + s" in player.picture.value and len(player._leaves.children) == 2


def test_the_graph_player_takes_your_own_expression_and_values():
    player = GraphPlayer("relu(p*q) - 1", leaves={"p": 5.0, "q": 2.0})
    assert player.leaf["p"].value == 5.0 and player.leaf["p"].max == 5.0
    player.step.value = player.step.max
    assert "p has data 5 and grad 2" in player.picture.value
    with pytest.raises(ExpressionError, match="has no leaf z"):
        GraphPlayer("x*x", leaves={"z": 1.0})


def test_the_graph_player_says_what_it_cannot_compute_and_recovers():
    player = GraphPlayer("a/b", leaves={"a": 1.0, "b": 0.5})
    player.leaf["b"].value = 0.0
    assert "has no finite value at a = 1 and b = 0." in player.picture.value and "<svg" not in player.picture.value
    player.next.click()
    player.leaf["b"].value = 2.0
    assert "<svg" in player.picture.value


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: relu_count("cos"), "The target must be one of 'sin(πt)', '|t|', 'a steep step', 't²', not 'cos'."),
        (lambda: relu_count(count=41), "The number of ReLUs must be a whole number from 1 to 40, not 41."),
        (lambda: relu_count(count=2.5), "The number of ReLUs must be a whole number from 1 to 40, not 2.5."),
        (lambda: loss_surface(start=1.0), "The start must be a pair of weights (w, v), not 1.0."),
        (lambda: loss_surface(start=(0, 9)), "The starting weight v must be a number from −4 to 4, not 9."),
        (lambda: loss_surface(learning_rate=0), "The learning rate must be a number from 0.01 to 10, not 0."),
        (lambda: loss_surface(steps=True), "The number of steps must be a whole number from 1 to 200, not True."),
        (lambda: graph_player(3), "An expression is a text such as 'x*x + x', not 3."),
        (lambda: graph_player(["x"]), "An expression is a text such as 'x*x + x', not ['x']."),
        (lambda: graph_player("x*x", [2]), "The leaves must be given as names with values, not [2]."),
        (lambda: graph_player("x*x", {"x": "two"}), "The leaf x must be a number from −1000 to 1000, not 'two'."),
    ],
)
def test_a_setting_that_a_widget_cannot_take_is_one_sentence(call, says):
    with pytest.raises(WidgetError) as caught:
        call()
    assert str(caught.value) == says and caught.value._render_traceback_() == [says]


def test_the_relu_counter_follows_its_controls():
    counter = ReluCounter()
    assert "4 ReLUs: largest error 0.211" in counter.picture.value
    counter.count.value = 1
    assert "1 ReLU: largest error 1 at" in counter.picture.value
    counter.target.value = "|t|"
    counter.count.value = 2
    assert "largest error 0: the curve is met exactly" in counter.picture.value


def test_the_loss_surface_follows_its_controls():
    surface = LossSurface()
    assert "Gradient descent converges" in surface.picture.value
    surface.learning_rate.value = 5.0
    assert "Gradient descent diverges" in surface.picture.value
    surface.w.value = surface.v.value = 0.0
    assert "Gradient descent stalls" in surface.picture.value
    surface.steps.value = 1
    assert "After 1 step the loss" in surface.picture.value


@pytest.mark.parametrize("make", [lambda: GraphPlayer("neuron"), ReluCounter, LossSurface])
def test_every_control_has_a_name_a_tooltip_and_its_own_class(make):
    view = make().view
    assert "bp-widget" in view._dom_classes
    classes = []
    for control in controls(view):
        assert control.description and control.tooltip
        classes += [name for name in control._dom_classes if name.startswith("bp-")]
    assert len(classes) == len(set(classes)) == len(list(controls(view)))


def test_a_move_is_drawn_at_once():
    player, counter, surface = GraphPlayer("neuron"), ReluCounter(), LossSurface()
    moves = {
        "graph step": lambda k: setattr(player.step, "value", 1 + k),
        "graph leaf": lambda k: setattr(player.leaf["x1"], "value", -2 + 0.1 * k),
        "relus": lambda k: setattr(counter.count, "value", 40 - k),
        "start": lambda k: setattr(surface.w, "value", -2 + 0.1 * k),
        "steps": lambda k: setattr(surface.steps, "value", 200 - k),
    }
    for name, move in moves.items():
        spent = []
        for k in range(7):
            start = time.perf_counter()
            move(k)
            spent.append(time.perf_counter() - start)
        assert sorted(spent)[3] < 0.15, name


# What reaches the page.


@pytest.mark.parametrize("show", [graph_player, relu_count, loss_surface])
def test_outside_jupyter_a_widget_is_its_text(show, capsys):
    assert show() is None
    out = capsys.readouterr().out
    assert len(out) > 80 and out.count("\n") == 1 and "<" not in out


@pytest.mark.parametrize("show", [graph_player, relu_count, loss_surface])
def test_a_widget_shows_nothing_in_grading(show, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert show() is None and capsys.readouterr().out == ""


CELLS = [
    "from course_utils.plots import figure, show\nfrom course_utils.quiz import predict, reveal\n"
    "from course_utils.widgets import graph_player, loss_surface, relu_count",
    "graph_player()",
    "relu_count()",
    "loss_surface()",
    "predict('q', 'What?', ['three', 'four'])",
    "reveal('q', 0, 'because')",
    "show(figure()[0], 'Empty axes.')",
    "reveal('other', 0, 'because')",
]


@pytest.mark.parametrize("grading", [False, True])
def test_in_a_real_kernel(grading, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    if grading:
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    else:
        monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": str(ROOT)}}
    )
    client.execute()
    outputs = [cell.outputs for cell in notebook.cells]
    if grading:
        assert [len(output) for output in outputs] == [0, 0, 0, 0, 0, 0, 1, 0]
        return
    live = "application/vnd.jupyter.widget-view+json"
    for (output,) in outputs[1:4]:
        assert set(output.data) == {live, "text/html", "image/png", "text/plain"}
        assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
        assert len(output.data["image/png"]) < 100_000
    assert set(outputs[4][0].data) == {live, "text/html", "text/plain"}
    assert outputs[4][0].data["text/plain"] == "Predict: What?\n  1. three\n  2. four"
    assert "It is: three" in outputs[5][0].data["text/plain"]
    assert set(outputs[6][0].data) == {"text/html", "image/png", "text/plain"}
    (error,) = outputs[7]
    assert error.output_type == "error" and len(error.traceback) == 1 and "has no question" in error.traceback[0]
    check_static_page(notebook)


def check_static_page(notebook):
    """nbconvert, which has no widget manager, shows the pictures with their texts."""
    from nbconvert import HTMLExporter

    notebook.metadata.pop("widgets", None)  # JupyterLab does not save it unless told to
    page, _ = HTMLExporter().from_notebook_node(notebook)
    shown = re.findall(r'<img [^>]*alt="([^"]+)"', page)
    assert len(shown) == 4 and shown[0].startswith("Computation graph") and "<li>four</li>" in page
