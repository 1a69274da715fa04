"""The exercises of 07_augmentation, in the notebook's order."""

from __future__ import annotations

from course_utils.checks._augmentation.colors import pca_color
from course_utils.checks._augmentation.contrast import brightness_contrast
from course_utils.checks._augmentation.counting import view_count
from course_utils.checks._augmentation.cropping import center_crop
from course_utils.checks._augmentation.elastic import elastic_field
from course_utils.checks._augmentation.flipping import horizontal_flip
from course_utils.checks._augmentation.grids import affine_grid
from course_utils.checks._augmentation.jitter import pca_color_jitter
from course_utils.checks._augmentation.means import mean_image
from course_utils.checks._augmentation.prefetching import prefetch
from course_utils.checks._augmentation.random_crops import random_crop
from course_utils.checks._augmentation.repaired import repaired_random_crop
from course_utils.checks._augmentation.resizing import resize_shorter_side
from course_utils.checks._augmentation.sampling import bilinear_sample
from course_utils.checks._augmentation.ten_crop_predictions import ten_crop_predict
from course_utils.checks._augmentation.ten_crops import ten_crop
from course_utils.checks._augmentation.warping import warp

# NumPy alone: these packages cannot be imported while the notebook is graded.
MASKED = ("torch", "scipy", "sklearn")

EXERCISES = (
    resize_shorter_side,
    center_crop,
    mean_image,
    random_crop,
    horizontal_flip,
    view_count,
    pca_color,
    pca_color_jitter,
    brightness_contrast,
    elastic_field,
    warp,
    affine_grid,
    bilinear_sample,
    ten_crop,
    ten_crop_predict,
    prefetch,
    repaired_random_crop,
)
