"""lenet5_accounting, as students write it."""

import numpy as np

from tests.bank.registry import alternative, mistaken_sources


@alternative("lenet5_accounting", "a matrix of the marks, counted with NumPy")
def lenet5_accounting():
    marks = np.zeros((6, 16), dtype=int)
    for column, first in enumerate(range(6)):
        marks[[(first + i) % 6 for i in range(3)], column] = 1
    for column, first in enumerate(range(6), start=6):
        marks[[(first + i) % 6 for i in range(4)], column] = 1
    for column, first in enumerate(range(3), start=12):
        marks[[first, first + 1, (first + 3) % 6, (first + 4) % 6], column] = 1
    marks[:, 15] = 1
    c1, c5 = np.full(6, 5 * 5 + 1), np.full(120, 16 * 5 * 5 + 1)
    c3 = 25 * marks.sum(axis=0) + 1
    f6 = np.full(84, 121)
    return {
        "C1": (c1.sum(), c1.sum() * 28 * 28),
        "S2": (6 * 2, 6 * 14 * 14 * (2 * 2 + 1)),
        "C3": (c3.sum(), c3.sum() * 10 * 10),
        "S4": (16 * 2, 16 * 5 * 5 * (2 * 2 + 1)),
        "C5": (c5.sum(), c5.sum()),
        "F6": (f6.sum(), f6.sum()),
    }


@alternative("lenet5_accounting", "lists in place of tuples, counts of columns, the output layer as well")
def lenet5_accounting():
    def conv(kernels, biases, size):
        parameters = 25 * kernels + biases
        return [parameters, parameters * size**2]

    def pool(channels, size):
        return [channels * 2, channels * size * size * 5]

    kernels_of_c3 = 6 * 3 + 9 * 4 + 1 * 6
    return {
        "C1": conv(6, 6, 28),
        "S2": pool(6, 14),
        "C3": conv(kernels_of_c3, 16, 10),
        "S4": pool(16, 5),
        "C5": conv(16 * 120, 120, 1),
        "F6": [(120 + 1) * 84] * 2,
        "output": [0, 84 * 10],
    }


RIGHT = """\
def lenet5_accounting():
    image = 32
    learned = 2
    c1 = image - 5 + 1
    s2 = c1 // 2
    c3 = s2 - 5 + 1
    s4 = c3 // 2
    marks = [3] * 6 + [4] * 9 + [6]
    p1 = 6 * (25 + 1)
    p3 = sum(25 * n + 1 for n in marks)
    p5 = 120 * (16 * s4 * s4 + 1)
    p6 = 84 * (120 + 1)
    n1, n3, n5, n6 = p1 * c1 * c1, p3 * c3 * c3, p5, p6
    n2 = 6 * s2 * s2 * (4 + 1)
    n4 = 16 * s4 * s4 * (4 + 1)
    table = {"C1": (p1, n1), "S2": (6 * learned, n2), "C3": (p3, n3), "S4": (16 * learned, n4)}
    table |= {"C5": (p5, n5), "F6": (p6, n6)}
    return table
"""

NO_BIAS = (
    ("6 * (25 + 1)", "6 * 25"),
    ("25 * n + 1", "25 * n"),
    ("(16 * s4 * s4 + 1)", "(16 * s4 * s4)"),
    ("84 * (120 + 1)", "84 * 120"),
)
FOUR_CONNECTIONS = (("(4 + 1)", "4"),)
WITHOUT_BIASES = (
    "p1 * c1 * c1, p3 * c3 * c3, p5, p6",
    "(p1 - 6) * c1 * c1, (p3 - 16) * c3 * c3, p5 - 120, p6 - 84",
)


def changed(*replacements):
    """The right answer with some of its text replaced; every replacement must find its text."""
    text = RIGHT
    for old, new in replacements:
        if old not in text:
            raise ValueError(f"{old!r} is not in the answer")
        text = text.replace(old, new)
    return text


mistaken_sources(
    __name__,
    "lenet5_accounting",
    [
        ("C3 sees all of S2", changed(("[3] * 6 + [4] * 9 + [6]", "[6] * 16"))),
        ("a bias for each kernel of C3", changed(("25 * n + 1", "(25 + 1) * n"))),
        ("subsampling without parameters", changed(("learned = 2", "learned = 0"))),
        ("subsampling without parameters", changed(("learned = 2", "learned = 0"), *FOUR_CONNECTIONS)),
        ("subsampling without parameters", changed(("learned = 2", "learned = 0"), ("(4 + 1)", "0"))),
        ("a weight for every input of subsampling", changed(("learned = 2", "learned = 2 * 2 + 1"))),
        ("subsampling without biases", changed(("learned = 2", "learned = 1"))),
        ("subsampling without biases", changed(("learned = 2", "learned = 1"), *FOUR_CONNECTIONS)),
        ("connections like parameters of subsampling", changed(("(4 + 1)", "2"))),
        ("biases forgotten", changed(*NO_BIAS)),
        ("biases forgotten", changed(*NO_BIAS, *FOUR_CONNECTIONS)),
        ("biases forgotten", changed(*NO_BIAS, *FOUR_CONNECTIONS, ("learned = 2", "learned = 1"))),
        ("connections without biases", changed(WITHOUT_BIASES)),
        ("connections without biases", changed(WITHOUT_BIASES, *FOUR_CONNECTIONS)),
        (
            "places of the input",
            changed(
                ("p1 * c1 * c1, p3 * c3 * c3, p5,", "p1 * image * image, p3 * s2 * s2, p5 * s4 * s4,"),
                ("6 * s2 * s2 * (4", "6 * c1 * c1 * (4"),
                ("16 * s4 * s4 * (4", "16 * c3 * c3 * (4"),
            ),
        ),
        (
            "one side for the area",
            changed(
                ("* c1 * c1", "* c1"), ("* c3 * c3", "* c3"), ("s2 * s2 * (4", "s2 * (4"), ("s4 * s4 * (4", "s4 * (4")
            ),
        ),
        (
            "connections equal to parameters",
            changed(("return table", "return {name: (entry[0], entry[0]) for name, entry in table.items()}")),
        ),
        (
            "new weights at every place",
            changed(("return table", "return {name: (entry[1], entry[1]) for name, entry in table.items()}")),
        ),
        ("an image of 28 × 28", changed(("image = 32", "image = 28"))),
        (
            "connections before parameters",
            changed(("return table", "return {name: entry[::-1] for name, entry in table.items()}")),
        ),
    ],
)
