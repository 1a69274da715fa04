"""Folders of images: what belongs to which split, and what is refused."""

from __future__ import annotations

import os
import shutil
import unicodedata

import numpy as np
import pytest
from PIL import Image

from course_utils.data import DataError, ImageFiles, load_image_folder
from tests.made_up_images import CLASSES, colour, contents, fill


def test_form(tmp_path):
    data = load_image_folder(fill(tmp_path / "fruit"), size=8)
    assert data.name == "fruit" and data.classes == CLASSES
    for name, count in {"train": 48, "validation": 6, "test": 6}.items():
        split = getattr(data, name)
        assert isinstance(split.images, ImageFiles) and len(split) == count
        assert split.images.shape == (count, 3, 8, 8) and split.images.dtype == np.float32 and split.images.ndim == 4
        np.testing.assert_array_equal(np.bincount(split.labels), [count // 3] * 3)
        assert split.labels.dtype == np.int64
        for place in range(len(split)):
            path = split.images.path(place)
            assert CLASSES[split.labels[place]] == path.parent.name
            expected = np.array(colour(split.labels[place], int(path.stem)), dtype=np.float32) / np.float32(255)
            np.testing.assert_array_equal(split.images[place], np.broadcast_to(expected[:, None, None], (3, 8, 8)))
    everything = contents(data.train) | contents(data.validation) | contents(data.test)
    assert len(everything) == 60
    assert repr(data.test) == "Split(images (6, 3, 8, 8), labels (6,))"


def test_the_cut_depends_on_names_alone(tmp_path, monkeypatch):
    first = load_image_folder(fill(tmp_path / "one"), size=8)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda *a, **k: ((p, d, f[::-1]) for p, d, f in walk(*a, **k)))
    second = load_image_folder(tmp_path / "two", size=4, dtype=np.uint8)
    for name in ("train", "validation", "test"):
        one, two = getattr(first, name), getattr(second, name)
        assert [one.images.path(i).relative_to(tmp_path / "one") for i in range(len(one))] == [
            two.images.path(i).relative_to(tmp_path / "two") for i in range(len(two))
        ]
        np.testing.assert_array_equal(one.labels, two.labels)
    held = sorted(path.relative_to(tmp_path / "one").as_posix() for path in map(first.test.images.path, range(6)))
    assert held == ["apple/013.png", "apple/014.png", "in/014.png", "in/015.png", "zebra/002.png", "zebra/011.png"], (
        "the cut never changes"
    )


def test_macs_spell_names_in_another_way(tmp_path):
    """There "é" is two characters, an "e" and an accent: the cut and the order are the same."""
    orders = []
    for form in ("NFC", "NFD"):
        folder = fill(tmp_path / form, count=0)
        for name in CLASSES:
            for number in range(20):
                file = unicodedata.normalize(form, f"é{number}.png")
                Image.new("RGB", (2, 2)).save(folder / name / file)
        data = load_image_folder(folder, size=2)
        names = [split.images.path(place).name for split in (data.train, data.test) for place in range(len(split))]
        orders.append([unicodedata.normalize("NFC", name) for name in names])
    assert orders[0] == orders[1]


def test_classes_are_mixed_and_stable_when_images_are_added(tmp_path):
    few = load_image_folder(fill(tmp_path / "few", count=50), size=8)
    assert len(set(few.train.labels[:12])) == 3
    many = load_image_folder(fill(tmp_path / "many", count=60), size=8)
    names = [
        {path.relative_to(path.parents[1]).as_posix() for path in map(each.images.path, range(len(each)))}
        for each in (few.train, many.test)
    ]
    # One image in a hundred and fifty may change sides; nothing like a new cut.
    assert len(names[0] & names[1]) <= 6


@pytest.mark.parametrize("held", ["val", "valid", "validation", "test"])
def test_one_folder_beside_train_is_the_test_set(tmp_path, held):
    fill(tmp_path / "set/train")
    fill(tmp_path / f"set/{held}", count=5, first=100)
    data = load_image_folder(tmp_path / "set", size=8, validation=0.2)
    assert (len(data.train), len(data.validation), len(data.test)) == (48, 12, 15)
    assert all(f"/{held}/" in path for path in contents(data.test))
    assert all("/train/" in path for path in contents(data.train) | contents(data.validation))
    assert not contents(data.train) & contents(data.validation)
    np.testing.assert_array_equal(np.bincount(data.validation.labels), [4, 4, 4])


def test_three_folders_stay_as_they_are(tmp_path):
    for count, name in enumerate(("train", "val", "test"), start=1):
        fill(tmp_path / f"set/{name}", count=count)
    data = load_image_folder(tmp_path / "set", size=8)
    assert [len(each) for each in (data.train, data.validation, data.test)] == [3, 6, 9]
    assert all("/val/" in path for path in contents(data.validation))


def test_a_class_may_be_called_train(tmp_path):
    data = load_image_folder(fill(tmp_path / "vehicles", classes=("car", "train")), size=8)
    assert data.classes == ("car", "train") and len(data.train) == 32


def test_images_in_folders_within_a_class(tmp_path):
    fill(tmp_path / "set")
    (tmp_path / "set/apple/red").mkdir()
    (tmp_path / "set/apple/.cache").mkdir()
    for place in ("red/1.JPEG", ".cache/2.jpeg"):
        Image.new("RGB", (8, 8)).save(tmp_path / "set/apple" / place, "jpeg")
    data = load_image_folder(tmp_path / "set", size=8)
    everything = contents(data.train) | contents(data.validation) | contents(data.test)
    assert len(everything) == 61 and any(path.endswith("apple/red/1.JPEG") for path in everything)


def test_names_of_all_kinds(tmp_path):
    folder = fill(tmp_path / "set", classes=("äpfel", "日本 x"), count=3)
    (folder / "äpfel/001.png").rename(folder / os.fsdecode(b"\xc3\xa4pfel/\xff\xfe.png"))
    data = load_image_folder(folder, size=8)
    assert len(data.train) == 2 and np.asarray(data.train.images).shape == (2, 3, 8, 8)
    assert np.asarray(data.test.images).shape == np.asarray(data.validation.images).shape == (2, 3, 8, 8)


def no_good(tmp_path):
    """Folders that are no good, each in its own way, with the words that say so."""
    yield tmp_path / "nowhere", "There is no folder"
    (tmp_path / "archive.tgz").write_bytes(b"1")
    yield tmp_path / "archive.tgz", "is a file; a folder of images is needed"
    (tmp_path / "bare").mkdir()
    yield tmp_path / "bare", "should hold one folder of images for each class.$"
    (tmp_path / "loose").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "loose/1.png")
    yield tmp_path / "loose", "for each class and holds 1 images that are in none"
    (fill(tmp_path / "hollow") / "nothing").mkdir()
    (tmp_path / "hollow/text").mkdir()
    (tmp_path / "hollow/text/a.txt").write_text("no image")
    yield tmp_path / "hollow", "hold no images: nothing, text. Fill or delete them"
    yield (
        fill(tmp_path / "few", count=2),
        "class apple in .* has too few images: 2, and train, validation, test need",
    )
    fill(tmp_path / "unlike/train")
    fill(tmp_path / "unlike/val", classes=("apple", "yak", "zebra"))
    yield tmp_path / "unlike", "not the same in train and validation: in, yak"
    fill(tmp_path / "flat/train")
    (tmp_path / "flat/val").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "flat/val/ILSVRC2012_val_00000001.JPEG")
    yield tmp_path / "flat", "flat/val should hold one folder of images for each class and holds 1 images"


def test_a_folder_that_is_no_good_is_one_sentence(tmp_path):
    for place, words in no_good(tmp_path):
        with pytest.raises(DataError, match=words) as caught:
            load_image_folder(place)
        assert "\n" not in str(caught.value) and str(place) in str(caught.value)
        assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_nothing_left_to_train_with(tmp_path):
    fill(tmp_path / "set", count=4)
    with pytest.raises(DataError, match="Nothing of the class apple"):
        load_image_folder(tmp_path / "set", validation=0.6, test=0.39)


@pytest.mark.parametrize("parts", [(0, 0.1), (0.1, 1), (0.5, 0.5), (-0.1, 0.1)])
def test_impossible_parts(tmp_path, parts):
    with pytest.raises(ValueError, match="between 0 and 1"):
        load_image_folder(tmp_path, validation=parts[0], test=parts[1])


@pytest.mark.parametrize("size", [0, -3])
def test_impossible_sizes(tmp_path, size):
    with pytest.raises(ValueError, match=f"at least 1 pixel, not {size}"):
        load_image_folder(fill(tmp_path / "set", count=3), size=size)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path):
    (fill(tmp_path / "set") / "in").chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        load_image_folder(tmp_path / "set")
