"""pca_color: the principal components of the pixels' colours."""

from __future__ import annotations

from itertools import product

import numpy as np

from course_utils.checks.describe import one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided

# How far red, green and blue go along each of three directions: clearly unequal eigenvalues.
DIRECTIONS = np.array([[0.6, 0.5, 0.62], [-0.7, 0.1, 0.7], [0.28, -0.82, 0.5]])
SPREADS = np.array([0.3, 0.12, 0.05])


def call_pca_color(student, part, images):
    import numpy as np

    found = student(images)
    if part == "both" or not isinstance(found, (tuple, list)) or len(found) != 2:
        return found
    values, vectors = found
    if part == "eigenvalues" or not isinstance(vectors, np.ndarray) or vectors.shape != (3, 3):
        return {part: found[part == "eigenvectors"]}
    # Either sign is right: the largest component of each vector is made positive.
    return {part: vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(3)])}


def principal(images):
    """By PyTorch's covariance and eigenvectors; the order is turned around."""
    import torch

    pixels = tensor(images).movedim(1, 0).flatten(1)
    values, vectors = torch.linalg.eigh(torch.cov(pixels, correction=0))
    return values.flip(0).numpy(), vectors.flip(1).numpy()


def colourful(rng, count, height, width):
    """Images whose colours spread by `SPREADS` along fixed directions, about another mean in each image."""
    along = rng.normal(size=(count, height, width, 3)) * SPREADS
    along += 0.5 * rng.normal(size=(count, 1, 1, 3)) * SPREADS
    colours = along @ DIRECTIONS + np.array([0.45, 0.55, 0.35])
    return np.clip(colours, 0, 1).transpose(0, 3, 1, 2).copy()


# --- misconceptions -------------------------------------------------------------------------------------------------


def _rows(images):
    """(pixels, 3)"""
    return images.transpose(0, 2, 3, 1).reshape(-1, 3)


def _falling(covariance):
    values, vectors = np.linalg.eigh(covariance)
    return values[::-1], vectors[:, ::-1]


def _moment(points):
    return points.T @ points / len(points)


def _covariance(points):
    return _moment(points - points.mean(axis=0))


def _variant(result):
    """`result(images)` is what the student returns."""
    return through(call_pca_color, result)


def _ways(*results):
    return one_of(call_pca_color, *results)


def _with(covariance):
    return lambda images: _falling(covariance(images))


def _changed(change):
    """The right values and vectors, changed."""
    return lambda images: change(*_falling(_covariance(_rows(images))))


def _own_means(images):
    return _moment(_rows(images - images.mean(axis=(2, 3), keepdims=True)))


def _mean_image(images):
    return _moment(_rows(images - images.mean(axis=0)))


def _mean_colours(images):
    return _covariance(images.mean(axis=(2, 3)))


def _unmoved(images):
    return _covariance(images.reshape(-1, 3))


def _unmoved_rows(images):
    return _covariance(images.reshape(3, -1).T)


def _as_rows(signs):
    return _changed(lambda values, vectors: (values, (vectors * signs).T))


_in_rising_order = _ways(
    _changed(lambda values, vectors: (values[::-1], vectors[:, ::-1])),
    _changed(lambda values, vectors: (values[::-1], vectors[::-1, ::-1])),
)


def _rising(case, outputs):
    """Whatever else is wrong with the eigenvalues: the largest comes last, and the smallest first."""
    if _in_rising_order(case, outputs):
        return True
    values = outputs.get("eigenvalues") if isinstance(outputs, dict) else None
    return isinstance(values, np.ndarray) and values.shape == (3,) and values[2] > 2 * values[:2].max()


def _correlation(images):
    return np.corrcoef(_rows(images).T)


def _one_mean(images):
    return _moment(_rows(images - images.mean()))


def _singular_values(images):
    points = _rows(images)
    _, values, vectors = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    return values, vectors.T


# --- the exercise ---------------------------------------------------------------------------------------------------


def _cases(rng):
    def case(part, count, height, width, make=lambda array: array):
        return Case(part, {"part": part, "images": make(colourful(rng, count, height, width))})

    grey = np.repeat(rng.uniform(0, 1, size=(3, 1, 4, 5)), 3, axis=1)
    return [
        case("eigenvalues", 4, 5, 7),
        case("eigenvalues", 6, 3, 4, make=strided),
        case("eigenvalues", 1, 6, 5),
        Case("grey images", {"part": "eigenvalues", "images": grey}),
        case("eigenvectors", 4, 6, 5),
        case("eigenvectors", 7, 3, 5, make=strided),
        case("eigenvectors", 1, 7, 6),
    ]


pca_color = Exercise(
    name="pca_color",
    cases=_cases,
    call=call_pca_color,
    expected=through(call_pca_color, principal),
    stand_in=lambda: principal,
    outputs=("eigenvalues", "eigenvectors"),
    for_call=("part",),
    difficulty=3,
    importance=3,
    minutes=20,
    hints=(
        "Forget where a pixel stands: the images are a long list of colours, three numbers each. Their covariance is a "
        "3×3 matrix.",
        "images.transpose(1, 0, 2, 3).reshape(3, -1) has a row for each channel; a plain reshape would mix them. "
        "Subtract each row's mean. np.linalg.eigh returns the eigenvalues in rising order.",
        "centred @ centred.T / centred.shape[1] is the covariance. values, vectors = np.linalg.eigh(covariance), and "
        "return values[::-1], vectors[:, ::-1].",
    ),
    misconceptions=(
        Misconception(
            "not centred",
            "It looks as if you do not subtract the mean colour. The first component then points to the mean.",
            "Ask yourself: what is the covariance of pixels that all have the same colour?",
            _variant(_with(lambda images: _moment(_rows(images)))),
        ),
        Misconception(
            "each image centred by itself",
            "It looks as if each image's own mean colour is subtracted. The differences between the images are lost.",
            "Ask yourself: how many mean colours does the formula have?",
            _variant(_with(_own_means)),
        ),
        Misconception(
            "mean image subtracted",
            "It looks as if you subtract the mean image, another colour at each place. There is one mean colour.",
            "Ask yourself: how many numbers has m in the formula?",
            _variant(_with(_mean_image)),
        ),
        Misconception(
            "one mean for all channels",
            "It looks as if one number is subtracted from red, green and blue.",
            "Ask yourself: what is the mean of the red values after your subtraction?",
            _variant(_with(_one_mean)),
        ),
        Misconception(
            "images instead of pixels",
            "It looks as if the points are the mean colours of the images. Every pixel is a point.",
            "Ask yourself: of how many points is this the covariance, N or N·H·W?",
            _variant(_with(_mean_colours)),
        ),
        Misconception(
            "channels mixed by reshape",
            "It looks as if reshape alone, to (-1, 3) or (3, -1), makes the points. In (N, 3, H, W) the channels are "
            "the second axis, and reshape does not move axes.",
            "Ask yourself: which axis must come last before reshape(-1, 3), or first before reshape(3, -1)?",
            matches=_ways(_with(_unmoved), _with(_unmoved_rows)),
        ),
        Misconception(
            "blue, green, red",
            "It looks as if the order of the channels is reversed in your vectors.",
            "Ask yourself: which channel comes first in these images?",
            _variant(_changed(lambda values, vectors: (values, vectors[::-1]))),
        ),
        Misconception(
            "rising order",
            "It looks as if the smallest eigenvalue comes first, as np.linalg.eigh returns them.",
            "Ask yourself: along which direction do colours differ most, and where does it stand in your result?",
            matches=_rising,
        ),
        Misconception(
            "values turned around, vectors not",
            "It looks as if the eigenvalues fall and the eigenvectors are still in rising order.",
            "Ask yourself: does eigenvectors[:, 0] still belong to eigenvalues[0]?",
            _variant(_changed(lambda values, vectors: (values, vectors[:, ::-1]))),
        ),
        Misconception(
            "vectors as rows",
            "It looks as if your eigenvectors are the rows of the matrix. They should be its columns.",
            "Ask yourself: is covariance @ eigenvectors[:, 0] a multiple of eigenvectors[:, 0]?",
            matches=_ways(*map(_as_rows, product((1, -1), repeat=3))),  # rows may have any sign, too
        ),
        Misconception(
            "order of the rows turned around",
            "It looks as if eigenvectors[::-1] puts the vectors in order. That exchanges red and blue; vectors are "
            "columns.",
            "Ask yourself: along which axis of the matrix do the three vectors stand side by side?",
            _variant(_changed(lambda values, vectors: (values, vectors[::-1, ::-1]))),
        ),
        Misconception(
            "standard deviations",
            "It looks as if you return the roots of the eigenvalues.",
            "Ask yourself: what is the unit of a variance of colours, and what that of its root?",
            _variant(_changed(lambda values, vectors: (np.sqrt(np.maximum(values, 0)), vectors))),
        ),
        Misconception(
            "singular values for eigenvalues",
            "It looks as if you return the singular values of the centred pixels.",
            "Ask yourself: if X = U S Vᵀ, what is XᵀX / n?",
            matches=_ways(
                _singular_values,
                lambda images: (_singular_values(images)[0] / len(_rows(images)), _singular_values(images)[1]),
            ),
        ),
        Misconception(
            "divided by n − 1",
            "It looks as if you divide by the number of pixels less 1, as np.cov does.",
            "Ask yourself: what does ddof=0 or bias=True change in np.cov?",
            _variant(_with(lambda images: np.cov(_rows(images).T))),
        ),
        Misconception(
            "not divided",
            "It looks as if you add over the pixels and do not divide. The result grows with the number of images.",
            "Ask yourself: what happens to your eigenvalues when every image comes twice?",
            _variant(_with(lambda images: _covariance(_rows(images)) * len(_rows(images)))),
        ),
        Misconception(
            "divided by the number of images",
            "It looks as if you divide by N. The sum runs over N·H·W pixels.",
            "Ask yourself: over how many points does the mean of (x − m)(x − m)ᵀ run?",
            _variant(_with(lambda images: _covariance(_rows(images)) * len(_rows(images)) / len(images))),
        ),
        Misconception(
            "correlation for covariance",
            "It looks as if each channel is divided by its standard deviation. Those are the components of the "
            "correlation.",
            "Ask yourself: what stands on the diagonal of your matrix?",
            _variant(_with(_correlation)),
        ),
        Misconception(
            "(eigenvectors, eigenvalues)",
            "It looks as if the vectors come first in your result.",
            "Ask yourself: in which order does the docstring return the two?",
            _variant(_changed(lambda values, vectors: (vectors, values))),
        ),
    ),
)
