"""Images that stay in files: indexed like an array, and read rightly, whatever kind of image they are."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
from PIL import Image

from course_utils.data import DataError, load_image_folder
from course_utils.data.decode import decode
from tests.made_up_images import fill


@pytest.fixture
def images(tmp_path):
    return load_image_folder(fill(tmp_path / "set"), size=8).train.images


def test_images_are_indexed_like_an_array(images):
    whole = images.load()
    assert whole.shape == images.shape and whole.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(images), whole)
    np.testing.assert_array_equal(np.asarray(images, dtype=np.float64), whole.astype(np.float64))
    np.testing.assert_array_equal(np.stack(list(images)), whole)
    mask = np.arange(48) % 5 == 0
    for index in (3, -1, np.int64(7), slice(2, 9, 3), [5, 1, 5], np.array([4, -2]), mask, slice(0, 0)):
        np.testing.assert_array_equal(images[index], whole[index])
        if not isinstance(index, int | np.integer):
            np.testing.assert_array_equal(images.take(index).load(), whole[index])
    with pytest.raises(IndexError):
        images[48]
    with pytest.raises(IndexError):
        images[np.zeros((2, 2), dtype=int)]
    with pytest.raises(ValueError):
        np.asarray(images, copy=False)


def test_features_of_files(tmp_path):
    test = load_image_folder(fill(tmp_path / "set"), size=8).test
    np.testing.assert_array_equal(test.features, test.images.load().reshape(6, 192))


def test_bytes(tmp_path):
    data = load_image_folder(fill(tmp_path / "set"), size=8, dtype="uint8")
    assert data.train.images[3].dtype == data.train.images.load().dtype == np.uint8
    assert data.train.images.load().max() > 100


def test_images_travel_to_other_processes(images):
    again = pickle.loads(pickle.dumps(images))
    np.testing.assert_array_equal(again[:3], images[:3])
    # A million of them must not be a million Python objects.
    assert len(pickle.dumps(images)) < 48 * 30 + 500


def test_broken_images_are_named(images):
    images.path(5).write_bytes(b"no image")
    images.path(9).unlink()
    assert images[4].shape == (3, 8, 8)
    for index in (5, [4, 5], slice(3, 7)):
        with pytest.raises(DataError, match=f"{images.path(5)} cannot be read as an image"):
            images[index]
    with pytest.raises(DataError):
        images.load()
    messages = images.broken()
    assert len(messages) == 2 and str(images.path(5)) in messages[0] and "is missing" in messages[1]


def saved(tmp_path, image, name, **how):
    path = tmp_path / name
    image.save(path, **how)
    return path


def test_shorter_side_and_middle(tmp_path):
    """A wide image of three vertical bands: only the middle one is left."""
    pixels = np.zeros((20, 60, 3), dtype=np.uint8)
    pixels[:, :20, 0] = pixels[:, 20:40, 1] = pixels[:, 40:, 2] = 255
    wide = decode(saved(tmp_path, Image.fromarray(pixels), "wide.png"), 20)
    np.testing.assert_array_equal(wide, np.broadcast_to(np.array([0, 255, 0], np.uint8)[:, None, None], (3, 20, 20)))
    tall = decode(saved(tmp_path, Image.fromarray(pixels.transpose(1, 0, 2).copy()), "tall.png"), 20)
    np.testing.assert_array_equal(tall, wide)
    # 7×5 to a shorter side of 8 is 11×8 (the longer side floored), and a middle offset is floored too.
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    expected = np.asarray(image.resize((11, 8), Image.Resampling.BILINEAR))[:, 1:9].transpose(2, 0, 1)
    np.testing.assert_array_equal(decode(saved(tmp_path, image, "odd.png"), 8), expected)
    assert decode(saved(tmp_path, Image.new("RGB", (1, 500)), "line.png"), 4).shape == (3, 4, 4)


def test_large_jpegs_are_read_small(tmp_path):
    ramp = np.linspace(0, 255, 640).astype(np.uint8)
    image = Image.fromarray(np.stack([np.tile(ramp, (480, 1))] * 3, axis=2))
    small = decode(saved(tmp_path, image, "large.jpg", quality=95), 32)
    exact = np.asarray(image.resize((42, 32), Image.Resampling.BILINEAR))[:, 5:37].transpose(2, 0, 1)
    assert np.abs(small.astype(int) - exact).max() <= 4


@pytest.mark.parametrize(
    "mode, value, expected",
    [
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("LA", (100, 255), (100, 100, 100)),
        ("RGBA", (10, 200, 30, 255), (10, 200, 30)),
        ("RGBA", (10, 200, 30, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("I;16", 257 * 70, (70, 70, 70)),
        ("I;16", 65535, (255, 255, 255)),
    ],
)
def test_pixels_of_all_kinds(tmp_path, mode, value, expected):
    decoded = decode(saved(tmp_path, Image.new(mode, (9, 9), value), "image.png"), 4)
    assert decoded.dtype == np.uint8 and decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, np.broadcast_to(np.array(expected, np.uint8)[:, None, None], (3, 4, 4)))


def test_palettes(tmp_path):
    image = Image.new("P", (9, 9), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    assert decode(saved(tmp_path, image, "opaque.png"), 4)[:, 0, 0].tolist() == [200, 100, 50]
    assert decode(saved(tmp_path, image, "clear.png", transparency=1), 4)[:, 0, 0].tolist() == [255, 255, 255]
    assert decode(saved(tmp_path, image, "moving.gif"), 4)[:, 0, 0].tolist() == [200, 100, 50]


def test_cmyk(tmp_path):
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # cyan 0, magenta and yellow full: red
    red = decode(saved(tmp_path, image, "print.jpg", quality=95), 8)
    assert (red[0] > 245).all() and (red[1:] < 10).all()


def test_grey_jpegs(tmp_path):
    grey = decode(saved(tmp_path, Image.new("L", (300, 300), 90), "grey.jpg"), 8)
    assert grey.shape == (3, 8, 8) and (np.abs(grey.astype(int) - 90) < 3).all()


def test_turned_photographs(tmp_path):
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    pixels[:8] = 255
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: what is stored on top belongs on the right
    turned = decode(saved(tmp_path, image, "turned.jpg", exif=exif, quality=95), 16)
    assert (turned[:, :, 9:] > 245).all() and (turned[:, :, :7] < 10).all()


def test_floating_point_pixels_are_refused(tmp_path):
    with pytest.raises(DataError, match="unknown range"):
        decode(saved(tmp_path, Image.new("F", (9, 9), 0.5), "float.tif"), 4)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(DataError, match="cannot be read as an image"):
        decode(saved(tmp_path, Image.new("RGB", (9, 9)), "bomb.png"), 4)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow says about damaged EXIF
@pytest.mark.parametrize("ending", ["jpg", "png", "gif", "bmp", "webp", "tif", "ppm"])
def test_damaged_files_are_one_sentence(tmp_path, ending):
    """Cut short, overwritten, or with wrong bytes: an image or a sentence, never anything else."""
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    path = saved(tmp_path, image, f"image.{ending}")
    whole = bytearray(path.read_bytes())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read as an image"):
        decode(path, 8)
    refused = 0
    for _ in range(60):
        content = whole.copy()
        for place in rng.integers(0, min(len(whole), 200), 6):
            content[place] = rng.integers(256)
        path.write_bytes(content)
        try:
            assert decode(path, 8).shape == (3, 8, 8)
        except DataError as error:
            refused += 1
            assert str(path) in str(error) and error.__suppress_context__
    assert refused > 0


def test_without_pillow_it_says_so(images, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match="needs Pillow: pip install pillow"):
        images[0]
