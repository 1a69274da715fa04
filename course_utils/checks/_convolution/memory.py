"""training_memory: the bytes that training needs, by the lecture's count."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import one_of
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly


def bytes_of_tensors(activations, parameters, batch_size, optimizer_slots, bytes_per_value=4):
    """The sizes of arrays, one after the other; one number stands for all, so that only their sizes are real."""

    def held(*shape):
        return np.broadcast_to(np.zeros((), dtype=f"V{bytes_per_value}"), shape)

    kept, weights = held(batch_size, activations), held(parameters)
    gradients = held(*kept.shape), held(*weights.shape)
    slots = [held(*weights.shape) for _ in range(optimizer_slots)]
    return sum(array.size * array.itemsize for array in (kept, weights, *gradients, *slots))


def _counting(count):
    """A student's number of values from (activations, parameters, batch, slots), times the bytes of one."""

    def variant(activations, parameters, batch_size, optimizer_slots, bytes_per_value=4):
        return count(activations, parameters, batch_size, optimizer_slots) * bytes_per_value

    return variant


def _divided(by):
    return lambda **inputs: bytes_of_tensors(**inputs) / by


def _floored(by):
    return lambda **inputs: bytes_of_tensors(**inputs) // by


def _cases(rng):
    def case(aspect, activations, parameters, batch_size, optimizer_slots, *width):
        names = "activations", "parameters", "batch_size", "optimizer_slots", "bytes_per_value"
        values = activations, parameters, batch_size, optimizer_slots, *width
        return Case(aspect, dict(zip(names, values, strict=False)))

    def some(low=1_000, high=90_000):
        return int(rng.integers(low, high))

    batch = some(3, 20)
    return [
        case("activations of one image", 3 * 224 * 224 * 64, 0, 1, 0),
        case("activations of one image", some(), 0, 1, 2),
        case("mini-batches", some(), 0, batch, 0),
        case("mini-batches", some(), some(), batch + 5, 0),
        case("parameters and their gradients", 0, some(), 1, 0),
        case("parameters and their gradients", 0, some(), batch, 0),
        case("slots of the optimizer", some(), some(), 1, 1),
        case("slots of the optimizer", some(), some(), batch, 2),
        case("slots of the optimizer", some(), some(), batch, 3),
        case("bytes per value", some(), some(), batch, 2, 8),
        case("bytes per value", some(), some(), batch, 1, 2),
    ]


training_memory = Exercise(
    name="training_memory",
    cases=_cases,
    expected=bytes_of_tensors,
    difficulty=2,
    importance=4,
    minutes=10,
    hints=(
        "Make two lists: what there is once for every image of the mini-batch, and what there is once in all. "
        "Every value that has a gradient comes twice.",
        "For each image: activations, and as many gradients. Once: parameters, as many gradients, and "
        "optimizer_slots times as many numbers that the optimizer keeps. Multiply by the bytes of one value at the "
        "end.",
        "(batch_size * 2 * activations + (2 + optimizer_slots) * parameters) * bytes_per_value.",
    ),
    misconceptions=(
        Misconception(
            "gradients of the activations forgotten",
            "It looks as if the activations are counted once. Backpropagation makes a gradient of each.",
            "Ask yourself: which arrays of the size of the activations exist during the backward pass?",
            _counting(lambda a, p, n, s: n * a + (2 + s) * p),
        ),
        Misconception(
            "gradients of the parameters forgotten",
            "It looks as if the parameters have no gradients in your count.",
            "Ask yourself: what does the optimizer read before it changes a parameter?",
            _counting(lambda a, p, n, s: 2 * n * a + (1 + s) * p),
        ),
        Misconception(
            "only the optimizer's slots",
            "It looks as if you count what the optimizer keeps, and neither the parameters nor their gradients.",
            "Ask yourself: which arrays with the shapes of the parameters are there under plain gradient descent?",
            _counting(lambda a, p, n, s: 2 * n * a + s * p),
        ),
        Misconception(
            "no gradients at all",
            "It looks as if you count what the forward pass needs, and no gradients.",
            "Ask yourself: which new arrays does the backward pass make?",
            _counting(lambda a, p, n, s: n * a + (1 + s) * p),
        ),
        Misconception(
            "slots of the optimizer ignored",
            "It looks as if the optimizer keeps nothing.",
            "Ask yourself: where does momentum remember the last step of each parameter?",
            _counting(lambda a, p, n, s: 2 * n * a + 2 * p),
        ),
        Misconception(
            "one slot, whatever the optimizer",
            "It looks as if you take three times the parameters in all cases. That is right for one slot.",
            "Ask yourself: how many numbers does Adam keep for each parameter, and how many does plain gradient "
            "descent?",
            _counting(lambda a, p, n, s: 2 * n * a + 3 * p),
        ),
        Misconception(
            "parameters copied for every image",
            "It looks as if the parameters are multiplied by the batch size. All images share them.",
            "Ask yourself: does a network have more weights when it looks at two images at once?",
            _counting(lambda a, p, n, s: n * (2 * a + (2 + s) * p)),
        ),
        Misconception(
            "parameter gradients kept for every image",
            "It looks as if every image has its own gradient of the parameters. They are added up as they come.",
            "Ask yourself: what is the shape of grad_weight for a mini-batch of 32?",
            _counting(lambda a, p, n, s: 2 * n * a + (1 + n + s) * p),
        ),
        Misconception(
            "batch size ignored",
            "It looks as if your count is for one image.",
            "Ask yourself: which arrays have N as their first axis?",
            _counting(lambda a, p, n, s: 2 * a + (2 + s) * p),
        ),
        Misconception(
            "slots for the activations too",
            "It looks as if the optimizer keeps something for every activation. It changes parameters only.",
            "Ask yourself: what does an optimizer step change?",
            _counting(lambda a, p, n, s: (2 + s) * (n * a + p)),
        ),
        Misconception(
            "values instead of bytes",
            "It looks as if you count values. Asked for are bytes.",
            "Ask yourself: how many bytes does one number in single precision take?",
            lambda bytes_per_value=4, **inputs: bytes_of_tensors(**inputs) // 4,
        ),
        Misconception(
            "always four bytes",
            "It looks as if every value takes four bytes, whatever bytes_per_value says.",
            "Ask yourself: what changes in double precision?",
            lambda bytes_per_value=4, **inputs: bytes_of_tensors(**inputs),
        ),
        Misconception(
            "larger units than bytes",
            "It looks as if you turn bytes into kilobytes, megabytes or gigabytes.",
            "Ask yourself: what does the docstring say about the unit of the result?",
            matches=one_of(
                call_directly,
                *(way(base**power) for way in (_divided, _floored) for base in (1000, 1024) for power in (1, 2, 3)),
            ),
        ),
    ),
)
