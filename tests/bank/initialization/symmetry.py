"""symmetry_classes: correct in other styles, and wrong."""

import numpy as np

from tests.bank.initialization.networks import changed
from tests.bank.registry import alternative, mistaken, mistaken_sources

SYMMETRY = """def symmetry_classes(gradients):
    tol = 1e-9 * np.max(np.abs(gradients))
    groups = []
    for i, g in enumerate(gradients):
        for group in groups:
            first = gradients[group[0]]
            if np.all(np.abs(g - first) <= tol):
                group.append(i)
                break
        else:
            groups.append([i])
    return groups
"""


@alternative("symmetry_classes", "a matrix of all differences")
def symmetry_classes(gradients):
    differences = np.abs(gradients[:, None, :] - gradients[None, :, :]).max(axis=2)
    equal = differences <= 1e-9 * np.abs(gradients).max()
    first = equal.argmax(axis=1)
    return [np.flatnonzero(first == i) for i in np.unique(first)]


@alternative("symmetry_classes", "rounded rows as keys of a dict")
def symmetry_classes(gradients):
    largest = np.abs(gradients).max()
    scaled = gradients / largest if largest > 0 else gradients
    groups = {}
    for i, row in enumerate(scaled):
        key = next((k for k in groups if np.allclose(k, row, rtol=0, atol=1e-9)), tuple(row))
        groups.setdefault(key, []).append(i)
    return list(groups.values())


@alternative("symmetry_classes", "units still waiting, tuples")
def symmetry_classes(gradients):
    tolerance = 1e-9 * max(abs(v) for row in gradients for v in row)
    waiting = list(range(len(gradients)))
    found = []
    while waiting:
        first = waiting[0]
        same = [u for u in waiting if all(abs(a - b) <= tolerance for a, b in zip(gradients[u], gradients[first]))]
        waiting = [u for u in waiting if u not in same]
        found.append(tuple(same))
    return tuple(found)


SAME = "np.all(np.abs(g - first) <= tol)"

mistaken_sources(
    __name__,
    "symmetry_classes",
    [
        (name, changed(SYMMETRY, change))
        for name, *change in (
            ("single units left out", "return groups", "return [group for group in groups if len(group) > 1]"),
            ("compared to the last bit", SAME, "np.array_equal(g, first)"),
            ("compared to the last bit", SAME, "(g == first).all()"),
            ("a tolerance that does not scale", SAME, "np.allclose(g, first)"),
            ("a tolerance that does not scale", "tol = 1e-9 * np.max(np.abs(gradients))", "tol = 1e-9"),
            ("a tolerance that does not scale", "tol = 1e-9 * np.max(np.abs(gradients))", "tol = 1e-12"),
            ("tolerance relative to each number", SAME, "np.allclose(g, first, rtol=1e-9, atol=0)"),
            ("tolerance relative to each number", SAME, "np.allclose(g, first, atol=0)"),
            ("tolerance relative to each number", SAME, "np.isclose(g, first, rtol=1e-6, atol=0).all()"),
            ("tolerance relative to each number", SAME, "np.all(np.abs(g - first) <= 1e-9 * np.abs(first))"),
            ("tolerance relative to each number", SAME, "np.all(np.abs(g - first) <= 1e-9 * np.abs(g).max())"),
            ("tolerance relative to each number", SAME, "np.all(np.abs(g - first) <= 1e-9 * np.abs(first).max())"),
            ("a largest gradient of 0", SAME, "np.all(np.abs(g - first) < tol)"),
            ("a largest gradient of 0", SAME, "np.allclose(g / tol, first / tol, rtol=0, atol=1)"),
            (
                "a largest gradient of 0",
                "tol = 1e-9 * np.max(np.abs(gradients))",
                "gradients, tol = gradients / np.abs(gradients).max(), 1e-9",
            ),
            ("sums of the rows compared", SAME, "abs(g.sum() - first.sum()) <= tol"),
            ("sums of the rows compared", SAME, "abs(np.linalg.norm(g) - np.linalg.norm(first)) <= tol"),
            ("only the first entry compared", SAME, "abs(g[0] - first[0]) <= tol"),
            ("any equal entry is enough", SAME, "np.any(np.abs(g - first) <= tol)"),
            ("signs ignored", SAME, "np.all(np.abs(np.abs(g) - np.abs(first)) <= tol)"),
            ("differences without their absolute value", SAME, "np.all(g - first <= tol)"),
            (
                "groups in the order of their values",
                "return groups",
                "return sorted(groups, key=lambda group: list(gradients[group[0]]))",
            ),
            ("columns compared", "groups = []", "groups = []\n    gradients = gradients.T"),
        )
    ],
)


@mistaken("symmetry_classes", "only neighbours compared")
def symmetry_classes(gradients):
    tol = 1e-9 * np.abs(gradients).max()
    groups = [[0]]
    for i in range(1, len(gradients)):
        if np.abs(gradients[i] - gradients[i - 1]).max() <= tol:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


@mistaken("symmetry_classes", "pairs instead of groups")
def symmetry_classes(gradients):
    tol = 1e-9 * np.abs(gradients).max()
    pairs = []
    for i in range(len(gradients)):
        for j in range(i + 1, len(gradients)):
            if np.abs(gradients[i] - gradients[j]).max() <= tol:
                pairs.append([i, j])
    return pairs


@mistaken("symmetry_classes", "a list for every unit")
def symmetry_classes(gradients):
    tol = 1e-9 * np.abs(gradients).max()
    return [
        [j for j in range(len(gradients)) if np.abs(gradients[i] - gradients[j]).max() <= tol]
        for i in range(len(gradients))
    ]


@mistaken("symmetry_classes", "numbers of groups instead of lists")
def symmetry_classes(gradients):
    tol = 1e-9 * np.abs(gradients).max()
    firsts, labels = [], []
    for row in gradients:
        for label, first in enumerate(firsts):
            if np.abs(row - first).max() <= tol:
                labels.append(label)
                break
        else:
            labels.append(len(firsts))
            firsts.append(row)
    return labels


@mistaken("symmetry_classes", "numbers of groups instead of lists")
def symmetry_classes(gradients):
    tol = 1e-9 * np.abs(gradients).max()
    labels = -np.ones(len(gradients), dtype=int)
    count = 0
    for i in range(len(gradients)):
        if labels[i] < 0:
            labels[np.abs(gradients - gradients[i]).max(axis=1) <= tol] = count
            count += 1
    return labels
