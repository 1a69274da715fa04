"""standardize: the data before the first layer."""

from __future__ import annotations

import numpy as np

from course_utils.checks.describe import agrees, one_of, tensor
from course_utils.checks.exercise import Case, Exercise, Misconception, call_directly
from course_utils.plain import strided


def standardized(train, test):
    """By PyTorch; a column of train is constant where its largest value is its smallest."""
    import torch

    train, test = tensor(train), tensor(test)
    low, high = train.aminmax(dim=0)
    std, mean = torch.std_mean(train, dim=0, correction=0)
    return tuple(torch.where(low == high, 0.0, (rows - mean) / std).numpy() for rows in (train, test))


def _by_train(train, test):
    return train, train


def _by_themselves(train, test):
    return train, test


def _together(train, test):
    return (np.concatenate([train, test]),) * 2


def _ways(mean=np.mean, std=np.std, of=_by_train):
    """One idea as it is written with and without an ε: `of` gives the rows that shift and scale train, and test."""

    def way(widened):
        def wrong(train, test):
            pairs = zip((train, test), of(train, test), strict=True)
            return tuple((part - mean(rows, axis=0)) / widened(std(rows, axis=0)) for part, rows in pairs)

        return wrong

    small = [10.0**-k for k in range(5, 13)]
    return (
        way(lambda s: s),
        *(way(lambda s, e=e: s + e) for e in small),
        *(way(lambda s, e=e: np.sqrt(s**2 + e)) for e in small),
    )


def _where_train_varies(*ways):
    """A `matches` for ideas that show in the features that vary in train: with the others, everybody does something
    else. NaN counts as 0, which is what comes out of 0 / 0 for those who avoid it."""

    def matches(case, outputs):
        train, test = case.inputs["train"], case.inputs["test"]
        varies = np.ptp(train, axis=0) > 0
        if not varies.any():
            return False
        got = [np.nan_to_num(part[:, varies]) for part in outputs]
        with np.errstate(all="ignore"):
            return any(agrees([np.nan_to_num(p[:, varies]) for p in way(train, test)], got) for way in ways)

    return matches


def _constant_ones(divisor):
    """Standardizing by `divisor(std)`, with no column treated as constant."""

    def wrong(train, test):
        mean, std = train.mean(axis=0), divisor(train.std(axis=0))
        with np.errstate(all="ignore"):
            return (train - mean) / std, (test - mean) / std

    return wrong


def _numbers_for_nan(train, test):
    """The NaN of 0 / 0 turned to 0, infinity to the largest float."""
    return tuple(np.nan_to_num(rows) for rows in _constant_ones(lambda std: std)(train, test))


def _constant_only_centred(train, test):
    mean, std = train.mean(axis=0), np.where(train.max(axis=0) == train.min(axis=0), 1.0, train.std(axis=0))
    return (train - mean) / std, (test - mean) / std


def _by_row(train, test):
    return tuple((rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True) for rows in (train, test))


def _to_the_range(train, test):
    low, high = train.min(axis=0), train.max(axis=0)
    return tuple((rows - low) / (high - low) for rows in (train, test))


def _zero_where_std_is_zero(train, test):
    mean, std = train.mean(axis=0), train.std(axis=0)
    return tuple(np.where(std > 0, (rows - mean) / np.where(std > 0, std, 1.0), 0.0) for rows in (train, test))


def _standardize_cases(rng):
    def features(examples, columns):
        """Columns of very different means and scales."""
        scales = 10 ** rng.uniform(-1, 2, size=columns)
        return rng.normal(size=(examples, columns)) * scales + 3 * scales * rng.choice([-1, 1], size=columns)

    def case(aspect, examples, unseen, columns, constants=(), make=lambda array: array, shift=0.0):
        """`constants` are values of columns that are constant in train and, but for the last of them, in test."""
        both = features(examples + unseen, columns + len(constants))
        train, test = both[:examples], 1.4 * both[examples:] + shift
        places = rng.permutation(columns + len(constants))[: len(constants)]
        for place, value in zip(places, constants, strict=True):
            train[:, place] = value
            test[:, place] = value if place != places[-1] else value + rng.normal(size=unseen)
        return Case(aspect, {"train": make(train), "test": make(test)})

    def whole(array):
        return np.round(3 * array).astype(np.int64)

    def small_scale():
        made = case("tiny and whole numbers", 7, 4, 3)
        return Case(made.aspect, {name: 1e-6 * rows for name, rows in made.inputs.items()})

    exact, rounded = "constant features", "constant features that rounding blurs"
    return [
        case("training set", 8, 3, 4),
        case("training set", 6, 5, 3, make=strided),
        case("test set", 7, 4, 5, shift=2.0),
        case("test set", 9, 1, 3, shift=-5.0),
        small_scale(),
        case("tiny and whole numbers", 7, 5, 3, make=whole),
        case(exact, 8, 4, 3, (2.0,)),
        case(exact, 5, 3, 2, (0.0, -1.5, 4.0), make=strided),
        # The mean of three times 0.1 is 0.10000000000000002.
        case(rounded, 3, 4, 2, (0.1,)),
        case(rounded, 3, 3, 3, (0.1, 0.1)),
    ]


standardize = Exercise(
    name="standardize",
    cases=_standardize_cases,
    expected=standardized,
    outputs=("train_standardized", "test_standardized"),
    difficulty=2,
    importance=5,
    minutes=15,
    hints=(
        "One mean and one std for every feature, both from train. The same shift and the same scale then serve "
        "train and test.",
        "Features are columns, so the statistics run along axis 0 and have shape (D,). "
        "A column is constant where its largest value equals its smallest.",
        "std = np.where(constant, 1.0, train.std(axis=0)) avoids the division by zero. "
        "np.where(constant, 0.0, (rows - mean) / std), for train and then for test.",
    ),
    misconceptions=(
        Misconception(
            "test set standardized by itself",
            "It looks as if test is shifted and scaled with its own mean and std.",
            "Ask yourself: what would come out if test were a single row?",
            matches=_where_train_varies(*_ways(of=_by_themselves)),
        ),
        Misconception(
            "statistics of train and test together",
            "It looks as if the rows of test take part in the mean and the std.",
            "Ask yourself: would your result for train change if test had other rows?",
            matches=_where_train_varies(*_ways(of=_together)),
        ),
        Misconception(
            "statistics of every example",
            "It looks as if your mean and std run along each row. Features are columns.",
            "Ask yourself: which axis of an (N, D) array counts the examples?",
            _by_row,
        ),
        Misconception(
            "one mean and one std for everything",
            "It looks as if all features share one mean and one std.",
            "Ask yourself: what does train.mean() give, and what train.mean(axis=0)?",
            matches=_where_train_varies(*_ways(lambda rows, axis: rows.mean(), lambda rows, axis: rows.std())),
        ),
        Misconception(
            "divided by n − 1",
            "It looks as if your std divides by N − 1 (ddof 1). Here it divides by N.",
            "Ask yourself: by what does NumPy's std divide when you do not tell it otherwise?",
            matches=_where_train_varies(*_ways(std=lambda rows, axis: rows.std(axis=axis, ddof=1))),
        ),
        Misconception(
            "divided by the variance",
            "It looks as if you divide by the variance.",
            "Ask yourself: a length in metres is divided by its std in metres. What is left? And with the variance?",
            matches=_where_train_varies(*_ways(std=np.var)),
        ),
        Misconception(
            "mean not subtracted",
            "It looks as if you scale the features without shifting them.",
            "Ask yourself: what is the mean of each column of your result?",
            matches=_where_train_varies(*_ways(mean=lambda rows, axis: 0.0)),
        ),
        Misconception(
            "not scaled",
            "It looks as if you subtract the mean and leave the scale as it was.",
            "Ask yourself: what is the std of each column of your result?",
            matches=_where_train_varies(*_ways(std=lambda rows, axis: 1.0)),
        ),
        Misconception(
            "scaled to the range from 0 to 1",
            "It looks as if you use the smallest and the largest value. That is min-max scaling.",
            "Ask yourself: what are the mean and the std of each column of your result?",
            matches=_where_train_varies(_to_the_range),
        ),
        Misconception(
            "0 / 0 for constant features",
            "It looks as if you divide by a std of 0. The result is NaN or infinite; "
            "np.nan_to_num makes 1.8e308 of infinity.",
            "Ask yourself: what is (x − mean) / std when all values of a feature are the same?",
            matches=one_of(call_directly, _constant_ones(lambda std: std), _numbers_for_nan),
        ),
        Misconception(
            "constant feature only centred",
            "It looks as if a constant feature is divided by 1. In test it need not be constant, and then it is not 0.",
            "Ask yourself: if a feature never changed in training, what can the network have learned about it?",
            matches=one_of(
                call_directly, _constant_only_centred, _constant_ones(lambda std: np.where(std == 0, 1.0, std))
            ),
        ),
        Misconception(
            "a small number added to the std",
            "It looks as if you divide by std + ε or √(var + ε). That changes every feature a little, the tiny ones a "
            "lot, and blows a constant one up where test differs from it.",
            "Ask yourself: what happens to a feature whose std is 1e-6?",
            matches=one_of(
                call_directly,
                *(_constant_ones(lambda std, e=10.0**-k: std + e) for k in range(5, 13)),
                *(_constant_ones(lambda std, e=10.0**-k: np.sqrt(std**2 + e)) for k in range(5, 13)),
            ),
        ),
        Misconception(
            "rounding taken for spread",
            "It looks as if you call a feature constant when its std is exactly 0. Rounding can leave 1e-17 there.",
            "Ask yourself: what does np.std([0.1, 0.1, 0.1]) return?",
            _zero_where_std_is_zero,
        ),
    ),
)
