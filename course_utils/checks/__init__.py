"""The exercise bank and what students call: `check`, `hint`, `solution`, `reset`, `progress`, `working`.

While a submission is judged, an inert stand-in takes this package's place in the student's process.
"""

from course_utils.checks.checking import CheckFailed, check, working
from course_utils.checks.hints import hint, reset, solution
from course_utils.checks.records import progress

__all__ = ["CheckFailed", "check", "hint", "progress", "reset", "solution", "working"]
