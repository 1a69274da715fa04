"""pca_color_jitter: one colour, along the principal components, added to a whole image."""

from __future__ import annotations

import numpy as np

from course_utils.checks._augmentation.images import picture
from course_utils.checks.describe import one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def jittered(image, eigenvalues, eigenvectors, alphas):
    """By PyTorch, component by component."""
    made = tensor(image)
    for alpha, value, vector in zip(alphas, eigenvalues, tensor(eigenvectors).T, strict=True):
        made = made + (float(alpha) * float(value) * vector).reshape(3, 1, 1)
    return made.numpy()


def _shifted(shift):
    """`shift(values, vectors, alphas)` is the colour that is added."""

    def variant(image, eigenvalues, eigenvectors, alphas):
        return image + np.reshape(shift(eigenvalues, eigenvectors, alphas), (-1, 1, 1))

    return variant


def _projected(image, eigenvalues, eigenvectors, alphas):
    """The shift is made in the coordinates of the components and not turned back."""
    return np.einsum("ci,chw->ihw", eigenvectors, image) + (alphas * eigenvalues)[:, None, None]


def _multiplied(factor):
    def variant(image, eigenvalues, eigenvectors, alphas):
        return image * (factor + eigenvectors @ (alphas * eigenvalues))[:, None, None]

    return variant


def _clipped(image, eigenvalues, eigenvectors, alphas):
    return np.clip(jittered(image, eigenvalues, eigenvectors, alphas), 0, 1)


def _first_alone(values, vectors, alphas):
    return alphas[0] * values[0] * vectors[:, 0]


def _cases(rng):
    def directions():
        return np.linalg.qr(rng.normal(size=(3, 3)))[0]

    def case(aspect, height, width, alphas, values=None, make=lambda array: array):
        values = rng.uniform([0.5, 0.1, 0.02], [0.8, 0.3, 0.06]) if values is None else np.array(values)
        vectors = directions()
        while np.abs(vectors).min() < 0.15 or np.abs(vectors.sum(axis=1)).min() < 0.15:  # every channel takes part
            vectors = directions()
        inputs = {"image": make(picture(rng, 3, height, width)), "eigenvalues": values}
        return Case(aspect, inputs | {"eigenvectors": make(vectors), "alphas": np.array(alphas, dtype=float)})

    def draws():
        return rng.choice([-1, 1], size=3) * rng.uniform(0.05, 0.3, size=3)

    one, three = "one component", "three components"
    return [
        case(one, 4, 6, [rng.uniform(0.1, 0.3), 0, 0]),
        case(one, 5, 3, [0, -rng.uniform(0.1, 0.3), 0], make=strided),
        case(one, 3, 4, [0, 0, rng.uniform(0.1, 0.3)]),
        case(three, 5, 7, draws()),
        case(three, 6, 4, draws(), make=strided),
        case(three, 3, 3, draws()),
        # Large draws: most channels leave the interval.
        case("beyond 0 and 1", 4, 5, 9 * draws()),
        case("beyond 0 and 1", 5, 4, 9 * draws(), make=strided),
    ]


pca_color_jitter = Exercise(
    name="pca_color_jitter",
    cases=_cases,
    expected=jittered,
    difficulty=2,
    importance=3,
    minutes=10,
    hints=(
        "Three numbers are added to every pixel of the image: one to its red, one to its green, one to its blue.",
        "The colour is a sum of the columns of eigenvectors, with the weights α_i λ_i. A matrix product makes it: the "
        "matrix is (3, 3), the weights are (3,).",
        "shift = eigenvectors @ (alphas * eigenvalues) has shape (3,); image + shift[:, None, None].",
    ),
    misconceptions=(
        Misconception(
            "root of the eigenvalues",
            "It looks as if you use √λ. The paper multiplies by λ itself.",
            "Ask yourself: which power of λ_i stands in Σ α_i λ_i p_i?",
            _shifted(lambda values, vectors, alphas: vectors @ (alphas * np.sqrt(values))),
        ),
        Misconception(
            "eigenvalues forgotten",
            "It looks as if the eigenvalues take no part: all three components get equally strong shifts.",
            "Ask yourself: along which component do real colours vary most, and how does your shift know?",
            _shifted(lambda values, vectors, alphas: vectors @ alphas),
        ),
        Misconception(
            "alphas forgotten",
            "It looks as if the draws α take no part: every image gets the same shift.",
            "Ask yourself: what is random in your result?",
            _shifted(lambda values, vectors, alphas: vectors @ values),
        ),
        Misconception(
            "rows for columns",
            "It looks as if p_i is row i of eigenvectors. It is column i.",
            "Ask yourself: with alphas = (1, 0, 0), which three numbers of the matrix should appear in your shift?",
            _shifted(lambda values, vectors, alphas: vectors.T @ (alphas * values)),
        ),
        Misconception(
            "first component alone",
            "It looks as if only the first component is added.",
            "Ask yourself: over which i does the sum run?",
            _shifted(_first_alone),
        ),
        Misconception(
            "components not mixed",
            "It looks as if α_1 λ_1 is added to red, α_2 λ_2 to green and α_3 λ_3 to blue, without the vectors.",
            "Ask yourself: with alphas = (1, 0, 0), does your green change?",
            _shifted(lambda values, vectors, alphas: alphas * values),
        ),
        Misconception(
            "one shift for all channels",
            "It looks as if the same number is added to red, green and blue. That changes the brightness alone.",
            "Ask yourself: how many numbers has the colour that you add?",
            matches=one_of(
                call_directly,
                _shifted(lambda values, vectors, alphas: (vectors @ (alphas * values)).sum()),
                _shifted(lambda values, vectors, alphas: (vectors @ (alphas * values)).mean()),
                _shifted(lambda values, vectors, alphas: (alphas * values).sum()),
            ),
        ),
        Misconception(
            "subtracted",
            "It looks as if the colour is subtracted.",
            "Ask yourself: which sign stands before Σ α_i λ_i p_i?",
            _shifted(lambda values, vectors, alphas: -(vectors @ (alphas * values))),
        ),
        Misconception(
            "multiplied instead of added",
            "It looks as if the image is multiplied by the colour, or by 1 plus it. Then dark pixels hardly change.",
            "Ask yourself: what should become of a black pixel?",
            matches=one_of(call_directly, _multiplied(0.0), _multiplied(1.0)),
        ),
        Misconception(
            "not turned back",
            "It looks as if the pixels are turned into the coordinates of the components, and left there.",
            "Ask yourself: with alphas = (0, 0, 0), do you get the image back?",
            _projected,
        ),
        Misconception(
            "clipped",
            "It looks as if values below 0 or above 1 are cut off. The docstring says they are not.",
            "Ask yourself: does your function return 1.3 where image plus shift is 1.3?",
            _clipped,
        ),
        Misconception(
            "the shift alone",
            "It looks as if you return the colour and not the image with the colour added.",
            "Ask yourself: what is the shape of the image, and what is the shape of your result?",
            lambda image, eigenvalues, eigenvectors, alphas: eigenvectors @ (alphas * eigenvalues),
        ),
    ),
)
