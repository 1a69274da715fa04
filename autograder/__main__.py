"""`python -m autograder`, and the console script: a mistake is a sentence and an exit status, never a traceback."""

from __future__ import annotations

import os
import sys

import autograder.quick_start  # noqa: F401
from autograder import CourseError


def main() -> None:
    """Run the command line; exits with 0 (done), 1 (could not be done) or 2 (wrong usage)."""
    from autograder.cli import app

    try:
        app(prog_name="autograder")
    except CourseError as error:
        print(error, file=sys.stderr)
        sys.exit(error.status)
    except Exception as error:
        # Our own bug: developers see all of it, everyone else one sentence.
        if os.environ.get("AUTOGRADER_DEBUG"):
            raise
        what = " ".join(str(error).split())
        print(
            f"autograder stopped at a mistake of its own ({type(error).__name__}: {what}). "
            "Run it again with AUTOGRADER_DEBUG=1 to see where.",
            file=sys.stderr,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
