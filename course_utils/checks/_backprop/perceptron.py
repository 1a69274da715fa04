"""perceptron_step: one update of Rosenblatt's rule."""

from __future__ import annotations

import math

from course_utils.checks.describe import through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided


def call_perceptron_step(student, weights, bias, x, target, learning_rate):
    if not isinstance(target, (tuple, list)):
        return student(weights, bias, x, target, learning_rate)
    for example, label in zip(x, target, strict=True):
        result = student(weights, bias, example, label, learning_rate)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            return result
        weights, bias = result
    return weights, bias


def _activation(weights, bias, x) -> float:
    return math.fsum(w * v for w, v in zip(weights.tolist(), x.tolist(), strict=True)) + bias


def rosenblatt(weights, bias, x, target, learning_rate):
    """The rule as Rosenblatt (1958) tells it: right, nothing moves; silent, add x; false alarm, subtract x."""
    fires = _activation(weights, bias, x) > 0
    if fires == (target == 1):
        return weights.copy(), bias
    if target == 1:
        return weights + learning_rate * x, bias + learning_rate
    return weights - learning_rate * x, bias - learning_rate


def _moved(weights, bias, x, amount):
    return weights + amount * x, bias + amount


def _fires_at_zero(weights, bias, x, target, learning_rate):
    fires = _activation(weights, bias, x) >= 0
    return _moved(weights, bias, x, learning_rate * (target - fires))


def _bias_not_updated(weights, bias, x, target, learning_rate):
    return rosenblatt(weights, bias, x, target, learning_rate)[0], bias


def _no_learning_rate(weights, bias, x, target, learning_rate):
    return rosenblatt(weights, bias, x, target, 1.0)


def _sign_reversed(weights, bias, x, target, learning_rate):
    return rosenblatt(weights, bias, x, target, -learning_rate)


def _no_sign(weights, bias, x, target, learning_rate):
    fires = _activation(weights, bias, x) > 0
    return _moved(weights, bias, x, learning_rate * abs(target - fires))


def _raw_error(weights, bias, x, target, learning_rate):
    return _moved(weights, bias, x, learning_rate * (target - _activation(weights, bias, x)))


def _always_updates(weights, bias, x, target, learning_rate):
    return _moved(weights, bias, x, learning_rate * (2 * target - 1))


def _bias_not_in_decision(weights, bias, x, target, learning_rate):
    fires = _activation(weights, 0.0, x) > 0
    return _moved(weights, bias, x, learning_rate * (target - fires))


def _cases(rng):
    def example(aspect, fires, target, learning_rate, bias_decides=False, view=False):
        size = int(rng.integers(3, 7))
        weights, x = rng.normal(size=size), rng.normal(size=size) + 0.2
        inner = float(weights @ x)
        sign = 1.0 if fires else -1.0
        if bias_decides and inner * sign > 0:  # then w·x alone decides the other way round
            weights, inner = -weights, -inner
        bias = sign * float(rng.uniform(0.3, 1.5)) - inner
        if view:
            weights, x = strided(weights), strided(x)
        return Case(
            aspect,
            {"weights": weights, "bias": bias, "x": x, "target": target, "learning_rate": learning_rate},
        )

    def on_the_line(bias_sign, target):
        # Small integers and halves, so that w·x+b is exactly zero in whatever order it is summed.
        x = rng.integers(1, 4, size=4)
        weights = rng.integers(1, 6, size=4) / 2 * -bias_sign
        bias = -float(weights @ x)
        inputs = {"weights": weights, "bias": bias, "x": x, "target": target, "learning_rate": 1.0}
        return Case("exactly on the line", inputs)

    def epoch():
        # Whole numbers and halves again; drawn until the errors' signs matter.
        while True:
            inputs = {
                "weights": rng.integers(-2, 3, size=3) / 2,
                "bias": float(rng.integers(-2, 3)) / 2,
                "x": rng.integers(-3, 4, size=(6, 3)),
                "target": rng.integers(0, 2, size=6).tolist(),
                "learning_rate": 0.5,
            }
            ideas = (rosenblatt, _no_sign, _sign_reversed, _always_updates)
            ends = [call_perceptron_step(idea, **inputs) for idea in ideas]
            if len({(*weights.tolist(), bias) for weights, bias in ends}) == len(ideas):
                return Case("step after step", inputs)

    only = "moves on mistakes only"
    return [
        example("missed a 1", False, 1, 1.0),
        example("missed a 1", False, 1, 1.0, view=True),
        example("false alarm", True, 0, 1.0),
        example("false alarm", True, 0, 1.0, view=True),
        example(only, True, 1, 1.0, bias_decides=True),
        example(only, False, 0, 1.0, bias_decides=True),
        example(only, False, 1, 1.0, bias_decides=True),
        on_the_line(-1, 1),
        on_the_line(1, 1),
        on_the_line(-1, 0),
        on_the_line(1, 0),
        example("learning rate", False, 1, 0.1),
        example("learning rate", True, 0, 2.5),
        example("learning rate", True, 1, 0.5),
        epoch(),
        epoch(),
    ]


perceptron_step = Exercise(
    name="perceptron_step",
    cases=_cases,
    call=call_perceptron_step,
    expected=through(call_perceptron_step, rosenblatt),
    stand_in=lambda: rosenblatt,
    outputs=("weights", "bias"),
    difficulty=1,
    importance=3,
    minutes=10,
    hints=(
        "The rule has two parts: decide whether the perceptron fires, then compare with the target. "
        "Only a mistake moves the weights.",
        "Let the output be 1 if w·x + b > 0, else 0. The error, target minus output, is 1, 0 or −1. "
        "It says whether to add x, do nothing or subtract x. The bias behaves like a weight whose input is always 1.",
        "With error = target − output: the new weights are weights + learning_rate * error * x, "
        "the new bias is bias + learning_rate * error.",
    ),
    misconceptions=(
        Misconception(
            "fires at zero",
            "It looks as if your perceptron fires when w·x + b is exactly 0.",
            "Ask yourself: does “greater than 0” include 0?",
            through(call_perceptron_step, _fires_at_zero),
        ),
        Misconception(
            "bias not updated",
            "It looks as if the weights learn and the bias stays where it was.",
            "Ask yourself: if the bias were the weight of one more input that is always 1, how would it move?",
            through(call_perceptron_step, _bias_not_updated),
        ),
        Misconception(
            "learning rate forgotten",
            "It looks as if every step has length 1, whatever the learning rate is.",
            "Ask yourself: where does learning_rate enter your update of the weights and of the bias?",
            through(call_perceptron_step, _no_learning_rate),
        ),
        Misconception(
            "sign reversed",
            "It looks as if your update moves away from the right answer: the error has the opposite sign.",
            "Ask yourself: after a missed 1, must w·x + b grow or shrink, and does your step do that?",
            through(call_perceptron_step, _sign_reversed),
        ),
        Misconception(
            "error without its sign",
            "It looks as if every mistake adds x, also a false alarm.",
            "Ask yourself: the perceptron fired and should not have; which way must w·x + b move?",
            through(call_perceptron_step, _no_sign),
        ),
        Misconception(
            "error of the sum, not of the output",
            "It looks as if your error is target − (w·x + b). That is the rule of Widrow and Hoff, not Rosenblatt's.",
            "Ask yourself: which two values can a perceptron's output take, and what is the error then?",
            through(call_perceptron_step, _raw_error),
        ),
        Misconception(
            "moves without a mistake",
            "It looks as if the weights also move when the perceptron was right.",
            "Ask yourself: what is target minus output when both are 1, or both are 0?",
            through(call_perceptron_step, _always_updates),
        ),
        Misconception(
            "bias left out of the decision",
            "It looks as if your perceptron fires when w·x > 0, without the bias.",
            "Ask yourself: what would the bias be good for if the decision did not use it?",
            through(call_perceptron_step, _bias_not_in_decision),
        ),
    ),
)
