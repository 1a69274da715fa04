"""The widgets of 07: their numbers against PyTorch and SciPy, their pictures, their controls, and the page."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.ndimage
import torch

from course_utils.widgets import (
    augmentation_knobs,
    distort,
    elastic_distortion,
    turn_knobs,
)
from course_utils.widgets.augmented_image import (
    SIZE,
    SUBJECTS,
    beyond_the_set,
    broken,
    lit,
    moved,
    original,
    share_inside,
)
from course_utils.widgets.distort import ElasticDistortion
from course_utils.widgets.distort import draw as draw_field
from course_utils.widgets.distortion_field import DRAWS, SIGMA, distorted, expected_size, folded, smooth_field
from course_utils.widgets.errors import WidgetError
from course_utils.widgets.pixels import LEVELS, draw_image
from course_utils.widgets.scene import Scene, Shape
from course_utils.widgets.turn_knobs import AugmentationKnobs
from course_utils.widgets.turn_knobs import draw as draw_knobs
from tests.widget_pictures import assert_drawn_well, assert_named_controls, assert_reaches_the_page

# The numbers of the knobs.


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_pictures_are_images(subject):
    picture = original(subject)
    assert picture.shape == (3, SIZE, SIZE) and picture.min() >= 0 and picture.max() <= 1 and np.ptp(picture) > 0.3


@pytest.mark.parametrize(("degrees", "shift", "mirrored"), [(0, 0, False), (25, -3, False), (-140, 5, True)])
def test_a_moved_picture_is_pytorchs(degrees, shift, mirrored):
    picture = original("arrow")
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    flip = -1 if mirrored else 1
    theta = np.array([[flip * c, flip * s, 0], [-s, c, 0]])
    theta[:, 2] = theta[:, :2] @ [-2 * shift / SIZE, 0]
    grid = torch.nn.functional.affine_grid(torch.tensor(theta)[None], (1, 3, SIZE, SIZE), align_corners=False)
    expected = torch.nn.functional.grid_sample(torch.tensor(picture)[None], grid, align_corners=False)[0].numpy()
    np.testing.assert_allclose(moved(picture, degrees, shift, mirrored), expected, atol=1e-9)


def test_a_positive_turn_is_clockwise_and_a_positive_shift_to_the_right():
    picture = np.zeros((1, SIZE, SIZE))
    picture[0, 0, 15:17] = 1  # at the top
    np.testing.assert_allclose(moved(picture, 90, 0, False)[0, 15:17, -1], 1, atol=1e-9)  # at the right
    np.testing.assert_allclose(moved(picture, 0, 4, False)[0, 0, 19:21], 1)
    np.testing.assert_allclose(moved(original(SUBJECTS[0]), 0, 0, True), original(SUBJECTS[0])[:, :, ::-1])


def test_contrast_keeps_the_mean_and_brightness_moves_it():
    picture = 0.4 + 0.1 * original("cross")
    assert lit(picture, 0, 0.5).mean() == pytest.approx(picture.mean())
    assert lit(picture, 0, 0.5).std() == pytest.approx(picture.std() / 2)
    assert lit(picture, 0.2, 1).mean() == pytest.approx(picture.mean() + 0.2)
    assert lit(picture, 5, 1).max() == 1 and lit(picture, -5, 1).min() == 0


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (("the letter b", 0, 0, False, 0, 1), []),
        (("the letter b", 45, 0, False, 0, 1), []),
        (("the letter b", 0, 0, True, 0, 1), ["a mirrored b is a d"]),
        (("the letter b", 180, 0, False, 0, 1), ["a b upside down is a q"]),
        (("the letter b", 180, 0, True, 0, 1), ["mirrored and upside down, a b is a p"]),
        (("the letter b", -50, 0, False, 0, 1), ["the letter is turned by more than 45°"]),
        (("arrow", 36, 0, True, 0, 1), []),
        (("arrow", 40, 0, False, 0, 1), []),
        (("the letter b", 0, 24, False, 0, 1), ["less than half of the subject is left in the picture"]),
        (("cross", 0, 0, False, 0, 0), ["hardly any difference between light and dark is left"]),
        (("cross", 0, 0, False, 1, 1), ["hardly any difference between light and dark is left"]),
    ],
)
def test_where_the_label_stops_being_true(setting, says):
    assert broken(*setting) == says


def test_a_shape_may_be_turned_further_than_the_set_goes():
    assert beyond_the_set("arrow", 40) and not beyond_the_set("arrow", -36) and not beyond_the_set(SUBJECTS[0], 180)
    assert "Still an arrow, but turned further" in draw_knobs("arrow", 40, 0, "no", 0.0, 1.0).alt
    assert "Still an arrow: the label holds." in draw_knobs("arrow", 35, 0, "left–right", 0.0, 1.0).alt


def test_the_subject_leaves_the_picture_as_it_is_shifted():
    shares = [share_inside("the letter b", 0, shift, False) for shift in range(0, 25, 6)]
    assert shares[0] == 1 and all(np.diff(shares) <= 1e-9) and shares[-1] < 0.5


# The numbers of the distortion.


@pytest.mark.parametrize("sigma", [0.5, 2.0, 6.0])
def test_the_field_is_smoothed_noise(sigma):
    reach = (smooth_field(sigma, 3).shape[1], int(np.ceil(4 * SIGMA[1])))
    noise = np.random.default_rng(3).uniform(-1, 1, (2, reach[0] + 2 * reach[1], reach[0] + 2 * reach[1]))
    smooth = scipy.ndimage.gaussian_filter(noise, (0, sigma, sigma), truncate=7)
    inner = smooth[:, reach[1] : -reach[1], reach[1] : -reach[1]]
    np.testing.assert_allclose(smooth_field(sigma, 3), inner, atol=1e-4)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
def test_the_expected_size_is_that_of_many_fields(sigma):
    sizes = [np.mean((10 * smooth_field(sigma, draw)) ** 2) for draw in range(1, DRAWS + 1)]
    # 20 maps of 32² pixels hold some 20 · 1024 / (2πσ²) independent values, 204 of them at σ = 4.
    assert np.sqrt(np.mean(sizes)) == pytest.approx(expected_size(10, sigma), rel=0.2)


def test_the_letter_is_read_as_scipy_does():
    field = 20 * smooth_field(3.0, 2)
    points = np.mgrid[0:SIZE, 0:SIZE] + field
    expected = [scipy.ndimage.map_coordinates(c, points, order=1, mode="grid-constant") for c in original(SUBJECTS[0])]
    np.testing.assert_allclose(distorted(field), expected, atol=1e-12)
    np.testing.assert_array_equal(distorted(np.zeros((2, SIZE, SIZE))), original(SUBJECTS[0]))


def test_a_smooth_weak_field_folds_nothing_and_a_rough_strong_one_does():
    assert folded(30 * smooth_field(4.0, 1)) == 0 < folded(30 * smooth_field(1.0, 1))
    mirror = np.zeros((2, SIZE, SIZE))
    mirror[1] = -2 * np.arange(SIZE)
    assert folded(mirror) == 1


# Pictures.


def states():
    """Scenes in many settings, by name."""
    for subject, turn, mirrored in product(SUBJECTS, (-180, 15, 140), ("no", "left–right")):
        yield f"{subject} {turn} {mirrored}", draw_knobs(subject, turn, 3, mirrored, 0.1, 0.8)
    yield "all wrong", draw_knobs("the letter b", 90, -24, "left–right", -1.0, 0.0)
    for alpha, sigma in product((0.0, 30.0, 60.0), (0.5, 4.0, 10.0)):
        yield f"field {alpha} {sigma}", draw_field(alpha, sigma, 1)


def test_every_picture_is_valid_and_keeps_its_text_inside():
    for name, scene in states():
        assert_drawn_well(name, scene)


def test_an_image_is_drawn_pixel_by_pixel():
    image = np.round(np.random.default_rng(0).uniform(size=(3, 4, 6)) * (LEVELS - 1)) / (LEVELS - 1)
    scene = Scene(100, 100)
    draw_image(scene, image, 10, 20, 5)
    seen = np.full((3, 4, 6), np.nan)
    for item in scene.items:
        for part in item.parts if isinstance(item, Shape) and item.closed else ():
            (x, y), (right, _) = part[0], part[1]
            color = [int(item.fill[k : k + 2], 16) / 255 for k in (1, 3, 5)]
            seen[:, round((y - 20) / 5), round((x - 10) / 5) : round((right - 10) / 5)] = np.array(color)[:, None]
    np.testing.assert_allclose(seen, image, atol=0.003)


# Controls.


def test_the_knobs_follow_their_controls():
    knobs = AugmentationKnobs()
    seen = [knobs.picture.value]
    for control, value in (
        (knobs.turn, 60), (knobs.shift, 4), (knobs.mirrored, "left–right"), (knobs.brightness, 0.2),
        (knobs.contrast, 0.5), (knobs.subject, "cross"),
    ):  # fmt: skip
        control.value = value
        seen.append(knobs.picture.value)
        assert seen[-1] != seen[-2]
    assert "Still the letter b: the label holds." in seen[0]
    assert "A picture of a cross turned by 60°, shifted by 4 pixels, mirrored: left–right" in seen[-1]
    assert "brightness 0.2, contrast 0.5" in seen[-1] and "Still a cross, but turned further" in seen[-1]


def test_the_distortion_follows_its_controls():
    shown = ElasticDistortion()
    assert "Nowhere is the picture folded" in shown.picture.value
    shown.sigma.value = 1.0
    assert "folded over itself: too much α" in shown.picture.value
    before = shown.picture.value
    shown.draw.value = 2
    assert shown.picture.value != before
    shown.alpha.value = 0.0
    assert "displacements of 0 pixels" in shown.picture.value


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: augmentation_knobs("b"), "The subject must be one of 'the letter b', 'arrow', 'cross', not 'b'."),
        (lambda: augmentation_knobs(turn=181), "The turn must be a whole number from −180 to 180, not 181."),
        (lambda: augmentation_knobs(shift=1.5), "The shift must be a whole number from −24 to 24, not 1.5."),
        (lambda: augmentation_knobs(mirrored=True), "Mirrored must be one of 'no', 'left–right', not True."),
        (lambda: augmentation_knobs(brightness=2), "The brightness must be a number from −1 to 1, not 2."),
        (lambda: augmentation_knobs(contrast=-1), "The contrast must be a number from 0 to 2, not −1."),
        (lambda: elastic_distortion(61), "Alpha must be a number from 0 to 60, not 61."),
        (lambda: elastic_distortion(sigma=0), "Sigma must be a number from 0.5 to 10, not 0."),
        (lambda: elastic_distortion(draw=0), "The draw must be a whole number from 1 to 10, not 0."),
    ],
)
def test_a_setting_that_a_widget_cannot_take_is_one_sentence(call, says):
    with pytest.raises(WidgetError) as caught:
        call()
    assert str(caught.value) == says and caught.value._render_traceback_() == [says]


@pytest.mark.parametrize(("make", "count"), [(AugmentationKnobs, 6), (ElasticDistortion, 3)])
def test_every_control_has_a_name_a_tooltip_and_its_own_class(make, count):
    assert_named_controls(make().view, count)


# What reaches the page.


@pytest.mark.parametrize("show", [augmentation_knobs, elastic_distortion])
def test_outside_jupyter_a_widget_is_its_text(show, capsys):
    assert show() is None
    out = capsys.readouterr().out
    assert len(out) > 80 and out.count("\n") == 1 and "<" not in out


@pytest.mark.parametrize("show", [augmentation_knobs, elastic_distortion])
def test_a_widget_shows_and_computes_nothing_in_grading(show, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.delattr(turn_knobs, "AugmentationKnobs")
    monkeypatch.delattr(distort, "ElasticDistortion")
    assert show() is None and capsys.readouterr().out == ""


def test_in_a_real_kernel(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert_reaches_the_page("augmentation_knobs()", "elastic_distortion()")
