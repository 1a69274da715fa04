"""The shapes: the same numbers everywhere, every picture its own, as hard as they are said to be, kept once drawn."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest

from benchmarks.shapes import ridge_accuracy
from course_utils.data import Split, load_shapes, shapes
from course_utils.data._shapes import pictures
from course_utils.data._shapes.draws import Draws, direction, noise
from course_utils.data._shapes.outlines import OUTLINES
from course_utils.data.cache import keep_array, read_array

NAMES = ("circle", "ring", "crescent", "triangle", "square", "pentagon", "star", "cross", "heart", "arrow")
SPLITS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_UTILS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def small(**changes):
    return load_shapes(**{"size": 32, "train": 40, "validation": 20, "test": 10, "dtype": np.uint8, **changes})


def test_form():
    data = small(dtype=np.float32)
    assert data.name == "shapes" and data.classes == NAMES
    for name, count in zip(SPLITS, (40, 20, 10), strict=True):
        split = getattr(data, name)
        assert split.images.shape == (count, 3, 32, 32) and split.images.dtype == np.float32
        assert 0 <= split.images.min() < 0.1 and 0.9 < split.images.max() <= 1
        assert split.labels.dtype == np.int64 and split.features.shape == (count, 3072)
        np.testing.assert_array_equal(np.bincount(split.labels), [count // 10] * 10)
        np.testing.assert_array_equal(split.images, getattr(small(), name).images.astype(np.float32) / np.float32(255))


def test_the_pictures_never_change():
    """Where this fails although the pictures were meant to change, raise `shapes.VERSION` and renew the sums."""
    data = small(seed=3)
    sums = [zlib.crc32(getattr(data, name).images.tobytes()) for name in SPLITS]
    assert sums == [2013490913, 1942391898, 3737928056] and shapes.VERSION == 1
    labels = np.concatenate([getattr(data, name).labels for name in SPLITS])
    assert "".join(map(str, labels)) == "5721634089168542793025769831047148306925674351082937896052419814506237"
    larger = load_shapes(64, train=10, validation=0, test=0, seed=3, dtype=np.uint8).train.images
    assert hashlib.sha256(larger.tobytes()).hexdigest()[:16] == "b0c420a90fda3aeb"


def test_the_pictures_are_the_same_on_simpler_processors():
    """NumPy without its faster instructions, which round some functions differently."""
    code = (
        "import zlib, numpy as np\n"
        "from course_utils.data import load_shapes\n"
        "print(zlib.crc32(load_shapes(64, 200, 0, 0, 5, np.uint8).train.images.tobytes()))\n"
        "print(*(name for name in np._core._multiarray_umath.__cpu_dispatch__\n"
        "    if np._core._multiarray_umath.__cpu_features__[name]))"
    )

    def run(disabled):
        environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    fast, features = run("")
    assert run(features) == [fast, ""]


def test_an_image_does_not_depend_on_how_many_there_are(monkeypatch):
    few, many = small(train=7), small(train=40)
    np.testing.assert_array_equal(few.train.images, many.train.images[:7])
    np.testing.assert_array_equal(few.train.labels, many.train.labels[:7])
    np.testing.assert_array_equal(few.test.images, many.test.images)
    # Nor on the chunks in which they are drawn, nor on where drawing begins.
    monkeypatch.setattr(pictures, "CHUNK", 3 * 32**2)
    np.testing.assert_array_equal(small().train.images, many.train.images)
    chunks = list(pictures.draw_images(32, 0, 0, 13, 31))
    assert [len(chunk) for chunk in chunks] == 6 * [3]
    np.testing.assert_array_equal(np.concatenate(chunks), many.train.images[13:31])
    np.testing.assert_array_equal(pictures.draw_labels(0, 0, 13, 31), many.train.labels[13:31])


def test_every_picture_is_another_one():
    data, other = small(), small(seed=1)
    everything = [getattr(each, name).images for each in (data, other) for name in SPLITS]
    assert len({image.tobytes() for images in everything for image in images}) == 140
    assert not np.array_equal(data.train.labels, other.train.labels)


def test_the_same_scene_at_every_size():
    def coarse(size):
        images = load_shapes(size, train=20, validation=0, test=0).train.images
        return images.reshape(20, 3, 8, size // 8, 8, size // 8).mean(axis=(3, 5))

    difference = np.abs(coarse(32) - coarse(64)).mean()
    assert difference < 0.02 < 0.1 < np.abs(coarse(32) - coarse(64)[::-1]).mean()


@pytest.mark.parametrize("size", [32, 33, 100, 256])
def test_sizes(size):
    images = load_shapes(size, train=3, validation=0, test=1).train.images
    assert images.shape == (3, 3, size, size) and images.std() > 0.05


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"size": 31}, "32 to 256 pixels, not 31"),
        ({"size": 257}, "32 to 256 pixels, not 257"),
        ({"train": -1}, "cannot be -1 images in train"),
        ({"seed": -2}, "0 or larger, not -2"),
        ({"dtype": np.float64}, "float32 or uint8, not as float64"),
    ],
)
def test_impossible_numbers(arguments, words):
    with pytest.raises(ValueError, match=words):
        small(**arguments)


@pytest.mark.parametrize("arguments", [{"size": 32.5}, {"train": "10"}, {"seed": None}])
def test_what_is_no_number(arguments):
    with pytest.raises(TypeError):
        small(**arguments)


def test_a_linear_model_is_above_chance_and_far_below_40_percent():
    data = load_shapes(32, train=1500, validation=0, test=1000)
    accuracy = ridge_accuracy(data.train, data.test)
    # Guessing gives 0.100 ± 0.0095.
    assert 0.13 < accuracy < 0.4


def test_the_outlines_are_distances():
    """Negative inside, positive outside, and never changing by more than the way gone."""
    step = 0.02
    line = np.arange(-1.6, 1.6, step, dtype=np.float32)
    u, v = np.meshgrid(line, line)
    for name, outline in zip(NAMES, OUTLINES, strict=True):
        assert outline.__name__ == name
        for knobs in np.array([[0.0, 0.0, 0.0], [1, 1, 1], [0.2, 0.9, 0.5]], dtype=np.float32):
            distance = outline((u[None], v[None]), knobs[None])[0]
            assert distance.shape == u.shape and distance.dtype == np.float32
            for axis in (0, 1):
                assert np.abs(np.diff(distance, axis=axis)).max() < 1.001 * step, name
            reach = np.hypot(u, v)
            assert (distance[reach > 1.35] > 0).all(), name
            area = (distance < 0).mean() * 3.2**2
            assert 0.4 < area < 3.2, name
            # Areas that are known.
            known = {"circle": np.pi * 0.81, "square": 2 * 1.05**2, "pentagon": 2.5 * np.sin(np.deg2rad(72))}
            assert name not in known or abs(area - known[name]) < 0.04


def test_sine_and_cosine():
    turns = np.linspace(-2, 2, 4001)
    cosines, sines = direction(turns)
    assert cosines.dtype == sines.dtype == np.float32
    assert np.abs(cosines - np.cos(2 * np.pi * turns)).max() < 4e-5
    assert np.abs(sines - np.sin(2 * np.pi * turns)).max() < 4e-5


def test_the_noise_is_nearly_normal():
    values = noise(seed=0, split=0, start=0, images=40, values=3 * 32**2)
    assert values.shape == (40, 3072) and np.abs(values).max() <= 3.5
    # 122,880 values: five standard errors.
    assert abs(values.mean()) < 5 / np.sqrt(values.size) and abs(values.var() - 1) < 5 * np.sqrt(2 / values.size)
    pairs = values[:, ::2] * values[:, 1::2]
    assert abs(pairs.mean()) < 5 / np.sqrt(pairs.size)


def test_a_scene_stays_within_its_numbers(monkeypatch):
    used = []

    class Counted(Draws):
        def uniform(self, *arguments):
            values = super().uniform(*arguments)
            used.append(self._used)
            return values

    monkeypatch.setattr(pictures, "Draws", Counted)
    small()
    assert 300 < max(used) <= Draws.BUDGET


@pytest.fixture
def kept(monkeypatch):
    """Every set is worth keeping, and what is drawn is counted."""
    drawn = []

    def draw(size, seed, split, start, stop):
        drawn.append(stop - start)
        return pictures.draw_images(size, seed, split, start, stop)

    monkeypatch.setattr(shapes, "_WORTH_KEEPING", 1)
    monkeypatch.setattr(shapes, "draw_images", draw)
    return drawn


def test_a_set_is_drawn_once(cache, kept):
    first = small()
    assert kept == [40, 20, 10] and len(list(cache.iterdir())) == 3
    second = small()
    assert kept == [40, 20, 10]
    for name in SPLITS:
        np.testing.assert_array_equal(getattr(first, name).images, getattr(second, name).images)
    second.train.images[:] = 0
    np.testing.assert_array_equal(small().train.images, first.train.images)
    for change in ({"seed": 1}, {"train": 39}, {"size": 33}):
        kept.clear()
        small(**change)
        assert kept, change


def test_small_sets_leave_no_file(cache):
    small()
    assert not cache.exists()


def test_a_damaged_or_foreign_file_is_drawn_again(cache, kept, monkeypatch):
    images = small(validation=0, test=0).train.images
    (file,) = [each for each in cache.iterdir() if "train" in each.name]
    whole = file.read_bytes()
    middle = len(whole) // 2
    with np.load(file) as content:
        recipe = content["recipe"].item()
    damaged = {
        "empty": b"",
        "cut short": whole[:middle],
        "one bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "a web page": b"<html>404</html>",
    }
    for name, content in damaged.items():
        file.write_bytes(content)
        kept.clear()
        np.testing.assert_array_equal(small(validation=0, test=0).train.images, images, err_msg=name)
        assert 40 in kept and file.read_bytes() == whole, name
    arrays = {
        "another recipe": ("shapes, version 0", images),
        "another shape": (recipe, images[:10]),
        "another type": (recipe, images.astype(float)),
        "objects": (recipe, images.astype(object)),
    }
    for name, (written, array) in arrays.items():
        np.savez(file, recipe=np.array(written), array=array)
        kept.clear()
        np.testing.assert_array_equal(small(validation=0, test=0).train.images, images, err_msg=name)
        assert 40 in kept, name
    file.unlink()
    file.mkdir()
    with pytest.warns(UserWarning, match="cannot be kept"):
        np.testing.assert_array_equal(small(validation=0, test=0).train.images, images)
    monkeypatch.setattr(shapes, "VERSION", 2)
    kept.clear()
    file.rmdir()
    small(validation=0, test=0)
    assert 40 in kept


def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path, monkeypatch, kept):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_UTILS_CACHE", str(tmp_path / "file/cache"))
    with pytest.warns(UserWarning) as caught:
        data = load_shapes(32, 40, 20, 10)
    message = str(caught[0].message)
    assert message.startswith("The shapes cannot be kept in ") and "Not a directory" in message
    assert "COURSE_UTILS_CACHE may name another folder." in message and "\n" not in message
    assert caught[0].filename == __file__
    assert isinstance(data.train, Split) and len(data.train) == 40


def test_an_interrupted_writing_leaves_nothing(cache, monkeypatch):
    def interrupted(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        keep_array("a.npz", "recipe", np.zeros(3), "It")
    assert list(cache.iterdir()) == []
    monkeypatch.undo()


def test_keeping_and_reading(cache):
    array = np.arange(6).reshape(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        keep_array("a.npz", "one", array, "It")
        keep_array("a.npz", "two", array + 1, "It")
    assert read_array("a.npz", "one") is None and read_array("b.npz", "two") is None
    np.testing.assert_array_equal(read_array("a.npz", "two"), array + 1)
    assert [each.name for each in cache.iterdir()] == ["a.npz"]
    if os.name == "posix":
        umask = os.umask(0)
        os.umask(umask)
        assert (cache / "a.npz").stat().st_mode & 0o777 == 0o666 & ~umask, "others may read it too"


def test_progress_appears_when_it_takes_long(monkeypatch, capsys):
    monkeypatch.setattr("course_utils.data.progress.PATIENCE", 0.0)
    monkeypatch.setattr("course_utils.data.progress.NEW_LINE", 0.0)
    small(train=200)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Drawing 200 shapes to train [") and " s left" in lines[0]
    assert f"Drawing 200 shapes to train [{24 * '#'}] 100 %, 200" in lines


def test_nothing_is_written_when_it_does_not_take_long(capsys):
    small()
    assert capsys.readouterr() == ("", "")
