"""CIFAR-10 from an archive or a folder in the authors' form, made here with a hundred images to a file."""

from __future__ import annotations

import dataclasses
import io
import pickle
import tarfile

import numpy as np
import pytest

from course_utils.data import DataError, cifar, load_cifar10, resume
from tests.data_server import serving

RECORDS = 100


def batches():
    """The contents of the six files by name, and all images and labels in their order."""
    rng = np.random.default_rng(0)
    names = [*cifar.TRAIN_FILES, cifar.TEST_FILE]
    labels = np.concatenate([rng.permutation(np.arange(RECORDS) % 10) for _ in names]).astype(np.uint8)
    pixels = rng.integers(0, 256, (len(labels), 3, 32, 32), dtype=np.uint8)
    records = np.concatenate([labels[:, None], pixels.reshape(len(labels), -1)], axis=1)
    return dict(zip(names, np.split(records, len(names)), strict=True)), pixels, labels


FILES, PIXELS, LABELS = batches()


def archive_of(files, folder="cifar-10-batches-bin"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in {"batches.meta.txt": b"airplane\n", **files}.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(bytes(content))
            tar.addfile(member, io.BytesIO(bytes(content)))
    return buffer.getvalue()


ARCHIVE = archive_of(FILES)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_UTILS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cifar, "RECORDS", RECORDS)
    monkeypatch.setattr(resume, "PAUSE", 0.0)
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "here/cifar-10-batches-bin"
    inside.mkdir(parents=True)
    for name, content in FILES.items():
        (inside / name).write_bytes(content)
    return inside


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    path.write_bytes(ARCHIVE)
    return path


def test_form(folder):
    data = load_cifar10(folder, validation=50)
    assert data.name == "cifar10" and data.classes[3] == "cat" and len(data.classes) == 10
    for name, count in {"train": 450, "validation": 50, "test": 100}.items():
        split = getattr(data, name)
        assert split.images.shape == (count, 3, 32, 32) and split.images.dtype == np.float32
        assert split.labels.shape == (count,) and split.labels.dtype == np.int64
    np.testing.assert_array_equal(data.test.images, PIXELS[-RECORDS:].astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(data.test.labels, LABELS[-RECORDS:])
    bytes_ = load_cifar10(folder, validation=50, dtype=np.uint8)
    np.testing.assert_array_equal(bytes_.test.images, PIXELS[-RECORDS:])


def test_the_last_of_every_class_are_set_aside(folder):
    data = load_cifar10(folder, validation=50, dtype=np.uint8)
    np.testing.assert_array_equal(np.bincount(data.validation.labels), [5] * 10)
    train = LABELS[:-RECORDS]
    aside = np.sort(np.concatenate([np.flatnonzero(train == label)[-5:] for label in range(10)]))
    np.testing.assert_array_equal(data.validation.images, PIXELS[aside])
    rest = np.setdiff1d(np.arange(len(train)), aside)
    np.testing.assert_array_equal(data.train.images, PIXELS[rest])
    np.testing.assert_array_equal(data.train.labels, LABELS[rest])


def test_smaller_parts_never_reach_into_validation(folder):
    whole, few = load_cifar10(folder, validation=50), load_cifar10(folder, train=30, test=7, validation=50)
    np.testing.assert_array_equal(few.train.images, whole.train.images[:30])
    np.testing.assert_array_equal(few.test.labels, whole.test.labels[:7])
    np.testing.assert_array_equal(few.validation.images, whole.validation.images)
    assert few.train.images.base is None, "the rest is not kept in memory"
    assert len(load_cifar10(folder, validation=0).train) == 500


def test_every_place_gives_the_same(folder, archive, cache):
    expected = load_cifar10(folder, validation=50)
    for place in (folder.parent, archive, str(archive), archive.parent):
        data = load_cifar10(place, validation=50)
        for name in ("train", "validation", "test"):
            np.testing.assert_array_equal(getattr(data, name).images, getattr(expected, name).images)
            np.testing.assert_array_equal(getattr(data, name).labels, getattr(expected, name).labels)
    assert not cache.exists()


def test_downloaded_once(cache, monkeypatch, folder):
    with serving(ARCHIVE, name=cifar.SOURCE.name, breaks=[200_000]) as server:
        found = server.source()
        source = dataclasses.replace(cifar.SOURCE, url=server.url, sha256=found.sha256, size=found.size)
        monkeypatch.setattr(cifar, "SOURCE", source)
        with pytest.raises(DataError, match=r"not on this machine\. load_cifar10\(download=True\) downloads"):
            load_cifar10(validation=50)
        data = load_cifar10(validation=50, download=True)
        np.testing.assert_array_equal(data.train.images, load_cifar10(folder, validation=50).train.images)
        assert load_cifar10(validation=50).classes == data.classes
        assert server.sent == len(ARCHIVE)
    assert [file.name for file in cache.iterdir() if not file.name.startswith(".")] == ["cifar-10-binary.tar.gz"]


def test_where_it_really_comes_from():
    assert cifar.SOURCE.url == "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    assert len(cifar.SOURCE.sha256) == 64 and cifar.SOURCE.size == 170_052_171


def broken_places(folder, archive, tmp_path):
    """Places that are no good, each in its own way, with the words that say so."""
    yield tmp_path / "nowhere", "There is no file or folder"
    (tmp_path / "bare").mkdir()
    yield tmp_path / "bare", "does not hold CIFAR-10's data_batch_1.bin"
    (tmp_path / "python/cifar-10-batches-py").mkdir(parents=True)
    (tmp_path / "python/cifar-10-batches-py/data_batch_1").write_bytes(pickle.dumps({"data": 1}))
    yield tmp_path / "python", "the pickled version, which this course does not open"
    contents = {
        "short": (ARCHIVE[: len(ARCHIVE) // 2], "is damaged"),
        "page": (b"<html>404</html>", "is damaged"),
        "empty": (b"", "is damaged"),
        "missing": (archive_of({**FILES, "data_batch_3.bin": b""}), "there is no data_batch_3.bin of the right length"),
        "other": (archive_of({"data_batch_1.bin": b"1"}), "there is no data_batch_1.bin of the right length"),
    }
    for name, (content, words) in contents.items():
        path = tmp_path / f"{name}.tar.gz"
        path.write_bytes(content)
        yield path, words
    (folder / "data_batch_2.bin").write_bytes(b"1234")
    yield folder, "data_batch_2.bin is not CIFAR-10's: it does not hold 100 images"
    (folder / "data_batch_2.bin").write_bytes(bytes([10]) * (RECORDS * 3073))
    yield folder, "a label is 10"
    (folder / "data_batch_2.bin").unlink()
    yield folder, "There is no file or folder .*data_batch_2.bin"


def test_a_place_that_is_no_good_is_one_sentence(folder, archive, tmp_path):
    for place, words in broken_places(folder, archive, tmp_path):
        with pytest.raises(DataError, match=words) as caught:
            load_cifar10(place, validation=50)
        assert "\n" not in str(caught.value) and str(place) in str(caught.value)
        assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"validation": 55}, "multiple of 10 from 0 to 49,990, not 55"),
        ({"validation": -10}, "not -10"),
        ({"validation": 500}, "not 500"),
        ({"train": -1}, "cannot be -1 images in train"),
        ({"test": -1}, "cannot be -1 images in test"),
        ({"dtype": np.int64}, "not as int64"),
    ],
)
def test_impossible_numbers(folder, arguments, words):
    with pytest.raises(ValueError, match=words):
        load_cifar10(folder, **{"validation": 50, **arguments})
