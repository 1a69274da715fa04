"""The small networks of the augmentation experiments: they learn, stay apart, and see what `augment` gives them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_utils.experiments.augmented import CLASSES, accuracy, four_shapes, learn, logits

TRAIN, TEST = four_shapes(32, train=20, test=10)


def as_it_is(image, rng):
    return image


def runs(seeds):
    """The training images and labels for each of the seeds."""
    return [TRAIN.images] * len(seeds), [TRAIN.labels] * len(seeds)


def test_the_four_shapes_are_equally_many_and_those_of_the_large_set():
    from course_utils.data import load_shapes

    assert TRAIN.images.shape == (80, 3, 32, 32) and TEST.images.shape == (40, 3, 32, 32)
    assert np.bincount(TRAIN.labels).tolist() == [20] * 4
    everything = load_shapes(size=32, train=200, validation=0, test=100)
    for label, name in enumerate(CLASSES):
        rows = everything.train.labels == everything.classes.index(name)
        np.testing.assert_array_equal(TRAIN.images[TRAIN.labels == label], everything.train.images[rows])


def test_a_network_learns_its_images_by_heart():
    networks = learn(*runs([0]), as_it_is, [0], steps=60)
    assert accuracy(networks, TRAIN.images, TRAIN.labels) == pytest.approx([1], abs=0.1)


def test_a_seed_gives_the_same_network_whichever_run_beside_it():
    alone = logits(learn(*runs([4]), as_it_is, [4], steps=5), TEST.images)
    beside = logits(learn(*runs([3, 4]), as_it_is, [3, 4], steps=5), TEST.images)
    assert alone.shape == (1, 40, 4) and beside.shape == (2, 40, 4)
    np.testing.assert_allclose(beside[1], alone[0], atol=1e-4)
    assert np.abs(beside[0] - beside[1]).max() > 0.1


def test_the_networks_see_what_augment_makes_and_draws_come_from_their_own_generators():
    given, generators = [], []

    def augment(versions, rng):
        given.append(versions.shape)
        generators.append(rng)
        return versions[rng.integers(2)]

    versions = np.stack([TRAIN.images, TRAIN.images[..., ::-1]], axis=1)
    networks = learn([versions, versions], [TRAIN.labels] * 2, augment, [0, 1], steps=2)
    assert set(given) == {(2, 3, 32, 32)}
    assert len(given) == 1 + 2 * 2 * 25  # one for the size, then steps · seeds · images
    assert len({id(rng) for rng in generators[1:]}) == 2
    assert logits(networks, TEST.images).shape == (2, 40, 4)


def test_learning_leaves_pytorchs_generator_and_threads_alone():
    torch.manual_seed(5)
    expected, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(5)
    learn(*runs([0]), as_it_is, [0], steps=1)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads
