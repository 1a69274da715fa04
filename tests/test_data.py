"""The digits: the same split for everybody, never changed by anyone, and one sentence when the file is no good."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest

from course_utils.data import DataError, load_digits
from course_utils.data.digits import DIGITS

SPLITS = {"train": 1197, "validation": 300, "test": 300}


@pytest.fixture(scope="module")
def digits():
    return load_digits()


@pytest.mark.parametrize(("name", "count"), SPLITS.items())
def test_form(digits, name, count):
    split = getattr(digits, name)
    assert digits.name == "digits" and digits.classes == tuple("0123456789")
    assert split.images.shape == (count, 1, 8, 8) and split.images.dtype == np.float64
    assert split.images.min() == 0.0 and split.images.max() == 1.0
    assert split.labels.shape == (count,) and split.labels.dtype == np.int64
    assert split.features.shape == (count, 64) and len(split) == count
    np.testing.assert_array_equal(split.features[3], split.images[3].ravel())


@pytest.mark.parametrize("name", SPLITS)
def test_every_digit_is_well_represented(digits, name):
    counts = np.bincount(getattr(digits, name).labels, minlength=10)
    assert counts.min() >= 0.8 * counts.mean() and counts.max() <= 1.25 * counts.mean()


def test_the_split_never_changes(digits):
    labels = np.concatenate([getattr(digits, name).labels for name in SPLITS]).astype(np.uint8)
    images = np.concatenate([getattr(digits, name).images for name in SPLITS])
    assert hashlib.sha256(labels.tobytes()).hexdigest()[:16] == "2b60a2f8bd281d09"
    assert hashlib.sha256((images * 16).astype(np.uint8).tobytes()).hexdigest()[:16] == "e358fb17cbb6a82e"


def test_callers_cannot_change_each_others_data(digits):
    first = load_digits()
    kept = first.train.images[0].copy(), int(first.train.labels[0])
    first.train.images[:] = -1.0
    first.train.labels[:] = -1
    second = load_digits()
    np.testing.assert_array_equal(second.train.images[0], kept[0])
    assert second.train.labels[0] == kept[1] == digits.train.labels[0]


def test_it_is_what_scikit_learn_gives(digits):
    original = pytest.importorskip("sklearn.datasets").load_digits()
    with np.load(DIGITS) as file:
        index = file["index"]
    np.testing.assert_array_equal(np.sort(index), np.arange(1797))
    images = np.concatenate([getattr(digits, name).images for name in SPLITS])
    labels = np.concatenate([getattr(digits, name).labels for name in SPLITS])
    np.testing.assert_array_equal(images[:, 0], original.images[index] / 16)
    np.testing.assert_array_equal(labels, original.target[index])


def test_the_file_can_be_made_again(digits, tmp_path):
    pytest.importorskip("sklearn")
    from course_utils.data.make_digits import make_digits

    make_digits(tmp_path / "again.npz")
    again = load_digits(tmp_path / "again.npz")
    # The order may be another under another NumPy; the digits are the same.
    totals = [sum(getattr(data, name).images.sum() for name in SPLITS) for data in (digits, again)]
    assert totals[0] == totals[1]


def damaged_files(folder):
    """Files of the right name that are no good, each in its own way."""
    whole = DIGITS.read_bytes()
    with np.load(DIGITS) as file:
        images, labels = file["images"], file["labels"]
    yield "missing", folder / "nowhere" / "digits.npz"
    contents = {
        "empty": b"",
        "cut short": whole[: len(whole) // 2],
        "overwritten": whole[:2000] + bytes(2000) + whole[4000:],
        "a web page": b"<html>404</html>",
    }
    for name, content in contents.items():
        path = folder / f"{name}.npz"
        path.write_bytes(content)
        yield name, path
    arrays = {
        "no labels": {"images": images},
        "too few": {"images": images[:10], "labels": labels[:10]},
        "wrong type": {"images": images.astype(float), "labels": labels},
        "too bright": {"images": images + 1, "labels": labels},
        "objects": {"images": images.astype(object), "labels": labels},
    }
    for name, content in arrays.items():
        path = folder / f"{name}.npz"
        np.savez(path, **content)
        yield name, path
    bare = folder / "bare.npy"
    np.save(bare, images)
    yield "one array", bare
    yield "a folder", folder


def test_a_file_that_is_no_good_is_one_sentence(tmp_path):
    for name, path in damaged_files(tmp_path):
        with pytest.raises(DataError) as caught:
            load_digits(path)
        message = str(caught.value)
        assert str(path) in message and message.startswith("The digits ") and "\n" not in message, name
        assert caught.value.__context__ is None or caught.value.__suppress_context__, name
        assert caught.value._render_traceback_() == [message]


HEAVY = ["matplotlib", "ipywidgets", "torch", "scipy", "sklearn", "pandas", "pooch", "requests", "PIL"]


def in_a_fresh_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_importing_us_imports_nothing_heavy():
    ours = "course_utils, course_utils.data, course_utils.plots, course_utils.quiz, course_utils.widgets"
    assert in_a_fresh_python(f"import sys, {ours}; print([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_the_data_needs_numpy_alone():
    blocked = [*HEAVY, "IPython", "nbformat", "jupytext", "filelock", "rich", "urllib3", "tqdm"]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked}))\n"
        "from course_utils.data import load_digits, load_shapes\n"
        "print(load_digits().test, load_shapes(32, 9, 0, 0).train)"
    )
    assert in_a_fresh_python(code) == (
        "Split(images (300, 1, 8, 8), labels (300,)) Split(images (9, 3, 32, 32), labels (9,))"
    )
