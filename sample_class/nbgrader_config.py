"""The sample class as an nbgrader course of its own, graded against the repository's source notebooks."""

from autograder import feedback
from autograder.plugins import AUTOGRADE, SANITIZE

c = get_config()

c.CourseDirectory.course_id = "sample-class"
# Relative to this folder, because nbgrader reads an absolute path here as a regular expression.
c.CourseDirectory.source_directory = "../build/source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".*"]

# Check cells are judged from outside the student's kernel, and damaged cells are put back first.
c.Autograde.sanitize_preprocessors = list(SANITIZE)
c.Autograde.autograde_preprocessors = list(AUTOGRADE)

# Feedback pages are ours, and no script of a student reaches the formgrader.
feedback.configure(c)

# `nbgrader validate` runs the experiments too, which may take longer than its 30 seconds for a cell.
c.Validator.Execute.timeout = 180
