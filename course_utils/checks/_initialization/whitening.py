"""pca_whiten: the data in the axes of its principal components."""

from __future__ import annotations

from itertools import product

import numpy as np

from course_utils.checks._initialization.preprocessing import standardized
from course_utils.checks.describe import agrees, one_of, tensor, through
from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.plain import strided

RTOL, ATOL = 1e-6, 1e-8
MOST_COLUMNS = 4  # of all cases


def call_pca_whiten(student, train, test, epsilon):
    import numpy as np

    result = student(train, test, epsilon)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        return result
    parts = [np.asarray(part) for part in result]
    if any(part.ndim != 2 or part.dtype.kind not in "fiu" for part in parts) or not parts[0].size:
        return result
    if parts[0].shape[1] != parts[1].shape[1]:
        return result
    # The sign of a component is left open: the largest entry of its column in train counts as positive.
    largest = np.abs(parts[0]).argmax(axis=0)
    signs = np.where(parts[0][largest, np.arange(parts[0].shape[1])] < 0, -1, 1).astype(parts[0].dtype)
    return tuple(part * signs for part in parts)


def whitened(train, test, epsilon):
    """By the singular values of the centred data, in PyTorch: λ = s²/N."""
    import torch

    train, test = tensor(train), tensor(test)
    mean = train.mean(dim=0)
    _, s, vh = torch.linalg.svd(train - mean, full_matrices=False)
    scale = torch.sqrt(s**2 / len(train) + epsilon)
    return tuple(((rows - mean) @ vh.T / scale).numpy() for rows in (train, test))


def _components(rows):
    """Variances and components (as columns) of centred rows, the largest variance first."""
    variances, components = np.linalg.eigh(rows.T @ rows / len(rows))
    return np.maximum(variances[::-1], 0.0), components[:, ::-1]


def _whitening(scale=lambda variances, epsilon: np.sqrt(variances + epsilon), shift=True, turn=lambda u: u, order=1):
    """Whitening in which one idea can be exchanged for a wrong one."""

    def wrong(train, test, epsilon):
        mean = train.mean(axis=0) if shift else np.zeros(train.shape[1])
        variances, u = _components(train - mean)
        variances, u = variances[::order], turn(u)[:, ::order]
        return tuple((rows - mean) @ u / scale(variances, epsilon) for rows in (train, test))

    return wrong


def _whitened_by_themselves(case, outputs):
    """Each of the two sets has its own components, and so its own signs."""
    train, test, epsilon = (case.inputs[name] for name in ("train", "test", "epsilon"))
    expected = [_whitening()(rows, rows, epsilon)[0] for rows in (train, test)]
    return len(outputs) == 2 and agrees([np.abs(e) for e in expected], [np.abs(o) for o in outputs], RTOL, ATOL)


def _whitened_together(train, test, epsilon):
    rows = np.concatenate([train, test])
    return whitened(rows, train, epsilon)[1], whitened(rows, test, epsilon)[1]


def _test_centred_by_itself(train, test, epsilon):
    variances, u = _components(train - train.mean(axis=0))
    scaled = u / np.sqrt(variances + epsilon)
    return tuple((rows - rows.mean(axis=0)) @ scaled for rows in (train, test))


def _not_centred_when_projected(train, test, epsilon):
    """The covariance is that of centred data, the rows that are turned are not."""
    mean = train.mean(axis=0)
    return tuple(whitened(train, rows + mean, epsilon)[1] for rows in (train, test))


def _test_not_centred(case, outputs):
    """Signs are left out: in train, a component without variance is rounding alone and has none."""
    train, test, epsilon = (case.inputs[name] for name in ("train", "test", "epsilon"))
    expected = whitened(train, test + train.mean(axis=0), epsilon)
    return len(outputs) == 2 and agrees([np.abs(e) for e in expected], [np.abs(o) for o in outputs], RTOL, ATOL)


def _components_dropped(case, outputs):
    """Some components are left, the largest ones, and they are right."""
    expected = call_pca_whiten(whitened, **case.inputs)
    kept = outputs[0].shape[1]
    return 0 < kept < expected[0].shape[1] and agrees([part[:, :kept] for part in expected], outputs, RTOL, ATOL)


def _by_singular_values(scale):
    """Scales made of the singular values s of the centred data; `scale(s, N, epsilon)`."""

    def wrong(train, test, epsilon):
        n = len(train)
        return _whitening(lambda variances, epsilon: scale(np.sqrt(n * variances), n, epsilon))(train, test, epsilon)

    return wrong


def _by_rows(columns):
    """The rows of U as components, for every choice of the columns' signs."""
    return [
        _whitening(turn=lambda u, signs=signs, rows=rows: (u * (1, *signs)[: len(u)])[::rows, ::rows].T)
        for signs in product((1, -1), repeat=columns - 1)
        for rows in (1, -1)
    ]


def _turned_back(train, test, epsilon):
    """ZCA: back to the original axes."""
    variances, u = _components(train - train.mean(axis=0))
    return tuple(part @ u.T for part in _whitening()(train, test, epsilon))


def _one_less(train, test, epsilon):
    """The covariance with 1/(N − 1)."""
    n = len(train)
    return _whitening(lambda variances, epsilon: np.sqrt(variances * n / (n - 1) + epsilon))(train, test, epsilon)


def _correlations(train, test, epsilon):
    """Every feature standardized first."""
    return whitened(*standardized(train, test), epsilon)


def _whiten_cases(rng):
    def case(aspect, examples, unseen, spread, epsilon, make=lambda array: array, shift=0.0, constant=False):
        """Correlated features whose components have the variances `spread`², on train exactly."""
        columns = len(spread)
        scores = rng.normal(size=(examples, columns))
        scores, _ = np.linalg.qr(scores - scores.mean(axis=0))
        turn = np.linalg.qr(rng.normal(size=(columns, columns)))[0] * spread
        mean = 4 * rng.uniform(0.5, 1, size=columns) * rng.choice([-1, 1], size=columns)
        train = np.sqrt(examples) * scores @ turn.T + mean
        test = 1.4 * rng.normal(size=(unseen, columns)) @ turn.T + mean + shift
        if constant:  # one more feature, the same in all rows
            place = int(rng.integers(columns + 1))
            train, test = (np.insert(rows, place, 2.5, axis=1) for rows in (train, test))
        return Case(aspect, {"train": make(train), "test": make(test), "epsilon": epsilon})

    wide, even = (5.0, 2.0, 0.6, 0.2), (3.0, 2.0, 1.2)
    return [
        case("training set", 9, 4, even, 0.0),
        case("training set", 8, 3, wide, 0.01, make=strided),
        case("test set", 8, 6, even, 0.02, shift=2.0),
        case("test set", 10, 1, even, 0.05, shift=-3.0),
        case("epsilon", 8, 4, wide, 0.1),
        case("epsilon", 12, 5, (2.0, 0.5, 0.05), 0.2),
        case("constant feature", 9, 4, even, 1e-3, constant=True),
        case("constant feature", 8, 5, (4.0, 1.0), 0.05, make=strided, constant=True),
    ]


pca_whiten = Exercise(
    name="pca_whiten",
    cases=_whiten_cases,
    call=call_pca_whiten,
    expected=through(call_pca_whiten, whitened),
    stand_in=lambda: whitened,
    rtol=RTOL,
    atol=ATOL,
    outputs=("train_whitened", "test_whitened"),
    difficulty=3,
    importance=3,
    minutes=20,
    hints=(
        "Centre, rotate, scale. The directions and the scales come from the covariance of the centred training set.",
        "np.linalg.eigh of the (D, D) covariance gives the eigenvalues in rising order and the eigenvectors as "
        "columns. Reverse both. (rows − mean) @ U is (N, D), one column per component.",
        "variances, u = np.linalg.eigh(centred.T @ centred / len(train)); "
        "scaled = u[:, ::-1] / np.sqrt(variances[::-1] + epsilon); (rows - mean) @ scaled for train and test.",
    ),
    misconceptions=(
        Misconception(
            "test set whitened by itself",
            "It looks as if test is whitened with its own mean and covariance.",
            "Ask yourself: may a network see the training images in one coordinate system and new ones in another?",
            matches=_whitened_by_themselves,
        ),
        Misconception(
            "statistics of train and test together",
            "It looks as if the rows of test take part in the mean and the covariance.",
            "Ask yourself: would your result for train change if test had other rows?",
            through(call_pca_whiten, _whitened_together),
        ),
        Misconception(
            "test set centred by itself",
            "It looks as if test is shifted by its own mean.",
            "Ask yourself: what would come out if test were a single row?",
            through(call_pca_whiten, _test_centred_by_itself),
        ),
        Misconception(
            "not centred",
            "It looks as if the mean is not subtracted. What is left then is not a covariance.",
            "Ask yourself: what is the mean of each column of your result for train?",
            matches=one_of(call_pca_whiten, _whitening(shift=False), _not_centred_when_projected, rtol=1e-6, atol=1e-8),
        ),
        Misconception(
            "divided by λ",
            "It looks as if you divide by λ + ε. λ is a variance; the scale of a component is its root.",
            "Ask yourself: what is the variance of each column of your result for train?",
            through(call_pca_whiten, _whitening(lambda variances, epsilon: variances + epsilon)),
        ),
        Misconception(
            "epsilon outside the root",
            "It looks as if you divide by √λ + ε. Here ε stands under the root.",
            "Ask yourself: in which order do you add ε and take the root?",
            through(call_pca_whiten, _whitening(lambda variances, epsilon: np.sqrt(variances) + epsilon)),
        ),
        Misconception(
            "epsilon left out",
            "It looks as if ε does not come up in your result.",
            "Ask yourself: by what do you divide when a component has no variance?",
            through(call_pca_whiten, _whitening(lambda variances, epsilon: np.sqrt(variances))),
        ),
        Misconception(
            "rotated, not scaled",
            "It looks as if you stop after the rotation: the components are uncorrelated, and their variances differ.",
            "Ask yourself: what is the variance of each column of your result for train?",
            through(call_pca_whiten, _whitening(lambda variances, epsilon: 1.0)),
        ),
        Misconception(
            "components by rising variance",
            "It looks as if the component of the smallest variance comes first.",
            "Ask yourself: in which order does np.linalg.eigh return the eigenvalues?",
            through(call_pca_whiten, _whitening(order=-1)),
        ),
        Misconception(
            "eigenvalues reversed, eigenvectors not",
            "It looks as if you bring the eigenvalues into falling order and leave the eigenvectors where they were.",
            "Ask yourself: which column of U belongs to the largest eigenvalue of np.linalg.eigh?",
            through(
                call_pca_whiten, _whitening(lambda variances, epsilon: np.sqrt(variances + epsilon)[::-1], order=-1)
            ),
        ),
        Misconception(
            "not divided by N",
            "It looks as if your covariance is a sum over the examples, not a mean.",
            "Ask yourself: s² of the centred data is an eigenvalue of XᵀX. Which one belongs to the covariance?",
            through(call_pca_whiten, _by_singular_values(lambda s, n, epsilon: np.sqrt(s**2 + epsilon))),
        ),
        Misconception(
            "singular value for eigenvalue",
            "It looks as if you put the singular value s where λ belongs.",
            "Ask yourself: how do you get λ, a variance, from the singular values of the centred data?",
            matches=one_of(
                call_pca_whiten,
                _by_singular_values(lambda s, n, epsilon: np.sqrt(s + epsilon)),
                _by_singular_values(lambda s, n, epsilon: np.sqrt(s / n + epsilon)),
                _by_singular_values(lambda s, n, epsilon: np.sqrt(s / np.sqrt(n) + epsilon)),
                rtol=RTOL,
                atol=ATOL,
            ),
        ),
        Misconception(
            "test not centred",
            "It looks as if test is turned and scaled without being shifted.",
            "Ask yourself: where does a row of test end up that equals a row of train?",
            matches=_test_not_centred,
        ),
        Misconception(
            "components dropped",
            "It looks as if you leave out components of small variance. ε is there so that all can stay.",
            "Ask yourself: how many columns should your result have?",
            matches=_components_dropped,
        ),
        Misconception(
            "divided by n − 1",
            "It looks as if your covariance divides by N − 1, as np.cov does by itself. Here it divides by N.",
            "Ask yourself: which argument of np.cov makes it divide by N?",
            through(call_pca_whiten, _one_less),
        ),
        Misconception(
            "rows of U for its columns",
            "It looks as if you use the rows of the matrix of eigenvectors. np.linalg.eigh returns them as columns.",
            "Ask yourself: which of u[0] and u[:, 0] satisfies C u = λ u?",
            matches=one_of(call_pca_whiten, *_by_rows(MOST_COLUMNS), rtol=RTOL, atol=ATOL),
        ),
        Misconception(
            "rotated back",
            "It looks as if you turn the whitened data back to the old axes (ZCA whitening).",
            "Ask yourself: does the last product in your code contain Uᵀ?",
            through(call_pca_whiten, _turned_back),
        ),
        Misconception(
            "every feature standardized first",
            "It looks as if each feature is divided by its own std before the rotation.",
            "Ask yourself: are the uᵢ eigenvectors of the covariance or of the correlations?",
            through(call_pca_whiten, _correlations),
        ),
    ),
)
