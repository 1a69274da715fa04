"""A course of one small notebook, for tests of what happens to any course."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

NOTEBOOK = '''\
# %% [markdown]
# # Doubling
#
# A number is doubled: $y = 2x$.

# %%
import numpy as np

from course_utils import check

# %% [markdown]
# ## An exercise

# %%
def double(x):
    """Return 2x."""
    ### BEGIN SOLUTION
    twice = np.asarray(x)
    return twice + twice
    ### END SOLUTION

# %% points=3
check(double)

# %%
class Counter:
    """Counts."""

    def __init__(self):
        ### BEGIN SOLUTION
        self.count_so_far_today = 0
        ### END SOLUTION

    def add(self, n):
        ### BEGIN SOLUTION
        self.count_so_far_today += n
        return self.count_so_far_today
        ### END SOLUTION

# %% points=2.5
check(Counter)

# %% [markdown]
# Why is the sum of two equal numbers even?

# %% [markdown] written="why_even" points=4
# Because it is twice an integer.

# %% points=1 test="my_test"
assert np.all(double(np.ones(2)) == 2)

# %% tags=["display-only"]
import torch

picture = torch.ones(2)
print(picture)
'''

BANK = """\
from course_utils.checks.exercise import Case, Exercise


def cases(rng):
    return [Case("value", {"x": float(rng.integers(9))})]


def expected(x):
    return 2 * x


def make(name):
    return Exercise(
        name, cases=cases, hints=("a", "b", "c"), difficulty=1, importance=1, minutes=1, expected=expected
    )


EXERCISES = (make("double"), make("Counter"))
"""


class MadeUpCourse:
    """A repository with one assignment, `01_doubling`, in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "solutions/01_doubling/doubling.py"
        self.bank = root / "course_utils/checks/doubling.py"
        self.write(NOTEBOOK)
        self.bank.parent.mkdir(parents=True)
        self.bank.write_text(BANK)

    def write(self, notebook: str) -> None:
        """Make this the author's notebook."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(notebook)

    def replace(self, old: str, new: str) -> int:
        """Replace a text in the author's notebook; the line at which it stood."""
        text = self.path.read_text()
        assert text.count(old) == 1, old
        self.path.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1
