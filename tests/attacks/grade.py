"""`python -m tests.attacks.grade …`: the command line of autograder in a course that has the toy exercises.

The toys are installed when this module is imported, so the workers, which import it again, have them too.
"""

from __future__ import annotations

import pytest

from autograder.__main__ import main
from tests import toy

toy.install(pytest.MonkeyPatch())

if __name__ == "__main__":
    main()
