"""Data sets, all in one form: a `Dataset` of three `Split`s. Needs numpy alone."""

from course_utils.data.digits import load_digits
from course_utils.data.splits import DataError, Dataset, Split

__all__ = ["DataError", "Dataset", "Split", "load_digits"]
