"""nbgrader's steps, mapped onto the folders of this repository.

With this file, stock `nbgrader generate_assignment | validate | autograde | generate_feedback | export`
and the formgrader run here. `autograder build` writes `build/source`.
"""

from autograder import feedback
from autograder.plugins import AUTOGRADE, SANITIZE

c = get_config()

c.CourseDirectory.course_id = "backprop-to-alexnet"
c.CourseDirectory.source_directory = "build/source"
c.CourseDirectory.release_directory = "notebooks"
# submitted/, autograded/, feedback/ and gradebook.db keep nbgrader's own names. For PostgreSQL:
# c.CourseDirectory.db_url = "postgresql+psycopg2://…"

# What a learner's notebook leaves beside itself is no part of an assignment.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".*"]

# Check cells are judged from outside the student's kernel, and damaged cells are put back first.
c.Autograde.sanitize_preprocessors = list(SANITIZE)
c.Autograde.autograde_preprocessors = list(AUTOGRADE)

# Feedback pages are ours, and no script of a student reaches the formgrader.
feedback.configure(c)

# `nbgrader validate` runs the experiments too, which may take longer than its 30 seconds for a cell.
c.Validator.Execute.timeout = 180
