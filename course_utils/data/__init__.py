"""Data sets, all in one form: a `Dataset` of three `Split`s. The digits and the shapes need numpy alone.

docs/data.md says what there is and how to get it.
"""

from course_utils.data.cache import cache_folder
from course_utils.data.cifar import load_cifar10
from course_utils.data.digits import load_digits
from course_utils.data.files import ImageFiles
from course_utils.data.folders import load_image_folder
from course_utils.data.imagenette import load_imagenette
from course_utils.data.shapes import load_shapes
from course_utils.data.splits import DataError, Dataset, Split

__all__ = [
    "DataError",
    "Dataset",
    "ImageFiles",
    "Split",
    "cache_folder",
    "load_cifar10",
    "load_digits",
    "load_image_folder",
    "load_imagenette",
    "load_shapes",
]
