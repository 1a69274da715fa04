"""What the course's notebooks import: checks, hints, progress and questions."""

from course_utils.checks import check, hint, progress, reset, solution, working
from course_utils.environment import warm_up
from course_utils.quiz import predict, reveal

__all__ = ["check", "hint", "predict", "progress", "reset", "reveal", "solution", "working"]

warm_up()
