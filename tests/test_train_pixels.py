"""Crops, flips, colours and scales: each image its own, the same on the CPU and on the device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_utils._training.augment import Augmentation, cut, cut_on_device, windows
from course_utils._training.loading import ResidentImages
from course_utils._training.pixels import Pixels, PixelStatistics
from course_utils._training.plan import EpochPlan, Piece
from course_utils._training.sets import ImageSet

CPU = torch.device("cpu")


def numbered(count=400, channels=3, height=9, width=11, dtype=np.uint8):
    """Images whose pixels say where they are."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, channels, height, width)).astype(dtype)


def drawn(count, seed=0):
    return next(EpochPlan(count, count, seed, 0, True).pieces(0, 0, 1, 1))[0]


def test_each_image_gets_its_own_place_and_its_own_flip():
    piece = drawn(4000)
    places = windows(piece, (9, 11), Augmentation(crop=7), 7)
    for offsets, last in ((places.tops, 2), (places.lefts, 4)):
        counts = np.bincount(offsets, minlength=last + 1)
        assert len(counts) == last + 1, "every place, and none outside"
        expected = 4000 / (last + 1)
        assert np.abs(counts - expected).max() < 6.5 * np.sqrt(expected), "more than six deviations from equal shares"
    assert abs(places.mirrored.sum() - 2000) < 6.5 * np.sqrt(1000)
    together = np.corrcoef([places.tops, places.lefts, places.mirrored])
    assert np.abs(together - np.eye(3)).max() < 6.5 / np.sqrt(4000)


def test_a_window_is_the_part_of_the_image_that_it_says():
    images = numbered(50)
    piece = drawn(50)
    places = windows(piece, (9, 11), Augmentation(crop=7), 7)
    out = cut(images[piece.rows], places)
    assert 5 < places.mirrored.sum() < 45
    for k, row in enumerate(piece.rows):
        top, left = places.tops[k], places.lefts[k]
        expected = images[row][:, top : top + 7, left : left + 7]
        np.testing.assert_array_equal(out[k], np.flip(expected, 2) if places.mirrored[k] else expected)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("augmentation", [Augmentation(7), Augmentation(), Augmentation(7, flip=False), None])
def test_the_device_cuts_what_the_cpu_cuts(channels, dtype, augmentation):
    images = ImageSet(numbered(30, channels, dtype=dtype), np.arange(30))
    crop = augmentation and augmentation.crop
    resident = ResidentImages({"train": images}, augmentation, crop, CPU)
    plan = EpochPlan(30, 13, 0, 0, augmentation is not None)
    pieces = [each for step in plan.pieces(0, 0, 1, 1) for each in step]
    for stored, labels, piece in resident.batches("train", pieces):
        expected = cut(images.images[piece.rows], windows(piece, images.side, augmentation, crop))
        np.testing.assert_array_equal(stored.numpy(), expected)
        np.testing.assert_array_equal(labels.numpy(), piece.rows)


def test_evaluation_takes_the_middle_square_of_every_image():
    images = numbered(4)
    piece = Piece(np.arange(4), None, None, 4, 4)
    out = cut(images, windows(piece, (9, 11), None, 6))
    np.testing.assert_array_equal(out, images[:, :, 1:7, 2:8])
    assert windows(piece, (9, 9), None, 9) is None is windows(piece, (9, 11), None, None)


def test_the_largest_random_number_stays_inside():
    below_one = np.full((1, 4), np.nextafter(np.float32(1), np.float32(0)))
    places = windows(Piece(np.arange(1), below_one, np.zeros((1, 3)), 1, 1), (300, 300), Augmentation(7), 7)
    assert places.tops[0] == places.lefts[0] == 293


def statistics(images):
    return PixelStatistics.of(ImageSet(images, np.zeros(len(images), dtype=np.int64)))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_statistics_are_those_of_the_pixels(dtype):
    images = numbered(60, dtype=np.uint8)
    if dtype != np.uint8:
        images = images / 255.0
    found = statistics(images)
    pixels = (images if dtype != np.uint8 else images / 255.0).swapaxes(0, 1).reshape(3, -1)
    np.testing.assert_allclose(found.mean, pixels.mean(1))
    np.testing.assert_allclose(found.deviation, pixels.std(1))
    covariance = (found.eigenvectors * found.eigenvalues) @ found.eigenvectors.T
    np.testing.assert_allclose(covariance, np.cov(pixels, bias=True))


def test_the_scales():
    images = numbered(60)
    own = statistics(images)
    piece = Piece(np.arange(60), None, None, 60, 60)
    out = {
        name: Pixels(own, name, torch.float64, CPU).prepare(torch.from_numpy(images), piece, None).numpy()
        for name in ("standard", "paper", "none")
    }
    np.testing.assert_allclose(out["none"], images / 255.0)
    np.testing.assert_allclose(out["standard"].mean((0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(out["standard"].std((0, 2, 3)), 1)
    np.testing.assert_allclose(out["paper"], images - images.mean((0, 2, 3), keepdims=True))


@pytest.mark.parametrize("channels", [1, 3])
def test_colours_and_brightness_change_each_image_by_its_own_amount(channels):
    images = numbered(40, channels)
    own = statistics(images)
    piece = drawn(40)
    asked = Augmentation(colour=0.1, brightness=0.2)
    pixels = Pixels(own, "none", torch.float64, CPU)
    out = pixels.prepare(torch.from_numpy(images), piece, asked).numpy()
    gain = 1 + 0.2 * (2 * piece.uniform[:, 3].astype(float) - 1)
    assert gain.min() > 0.8 and gain.max() < 1.2 and gain.std() > 0.05
    for k in range(40):
        added = sum(
            0.1 * float(piece.normal[k, i]) * own.eigenvalues[i].item() * own.eigenvectors[:, i].numpy()
            for i in range(channels)
        )
        np.testing.assert_allclose(out[k], images[k] / 255.0 * gain[k] + added[:, None, None], atol=1e-9)
    plain = pixels.prepare(torch.from_numpy(images), piece, Augmentation()).numpy()
    np.testing.assert_allclose(plain, images / 255.0)


def test_the_input_lies_channels_last_and_in_the_asked_type():
    images = torch.from_numpy(numbered(4))
    out = Pixels(statistics(images.numpy()), "paper", torch.bfloat16, CPU).prepare(
        images, Piece(np.arange(4), None, None, 4, 4), None
    )
    assert out.dtype == torch.bfloat16 and out.is_contiguous(memory_format=torch.channels_last)
    exact = images.double() - images.double().mean((0, 2, 3), keepdim=True)
    assert (out.double() - exact).abs().max() < 1.5, "a bf16 number near 128 is exact to half a unit"


def test_stored_images_are_indexed_once_for_all_colours():
    images = ImageSet(numbered(5), np.arange(5))
    stored = ResidentImages({"train": images}, None, None, CPU)._stored["train"]
    assert stored.dtype == torch.int32 and stored.shape == (5, 9, 11)
    assert cut_on_device(stored, np.array([3, 1]), None).shape == (2, 9, 11)
