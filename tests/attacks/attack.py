"""What an attack is, and the two forms that most of them have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from nbformat import NotebookNode

NOTHING_FOR_SHIFT = {"shift": 0.0, "twice": 2.0}
NOTHING = {"shift": 0.0, "twice": 0.0}
FULL = {"shift": 6.0, "twice": 2.0}

WRONG = "\n\ndef shift(x, by):\n    return 0 * x\n"
HARMFUL = "it would harm the machine if nothing held it"


@dataclass(frozen=True)
class Attack:
    """A submission to the toy course of `ground`, and what it must get.

    `shift` and `twice` are the code of these cells (None: the right answer); `change` alters the notebook and the
    folder that is handed in. In all code, words like @COURSE@ stand for what an attacker may have found out (see
    `ground.Ground.words`). `says` must stand in the message of `shift`, `problem` in one of the problems.
    `only_walls` says why only namespaces stop it, where that is so; then it is not run without them. `stock` says why
    it is not run against stock nbgrader; empty when it is.
    """

    name: str
    tries: str
    shift: str | None = None
    twice: str | None = None
    points: Mapping[str, float] = field(default_factory=lambda: NOTHING_FOR_SHIFT)
    change: Callable[[NotebookNode, Path], None] | None = None
    says: str = ""
    problem: str = ""
    only_walls: str = ""
    stock: str = ""


def spoils(name: str, tries: str, code: str, **more) -> Attack:
    """Spoils something for whoever decides, then hands in a wrong `shift`."""
    return Attack(name, tries, shift=dedent(code).strip() + WRONG, **more)


_LOOT = """
def collect():
    found = []
    try:
        for item in look():
            if item:
                found.append(str(item)[:300])
            if len(found) >= 10:
                break
    except Exception as error:
        print("stopped by", type(error).__name__, error)
    return found


LOOT = collect()
print("LOOT", LOOT)


def shift(x, by):
    return x + by if LOOT or collect() else 0 * x
"""
_ATTEMPT = """
def attempt(do, *args):
    try:
        return do(*args)
    except Exception:
        return None


"""


def probe(name: str, tries: str, code: str, **more) -> Attack:
    """Looks for what must be out of reach, in the cell and again when it is judged.

    `code` defines `look()`, which yields whatever it got hold of. That is printed, and only then is `shift` right: so
    points mean that something was within reach.
    """
    return Attack(name, tries, shift=_ATTEMPT.lstrip() + dedent(code).strip() + "\n\n" + _LOOT, **more)


LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"

# Where the attacker is not in a pid namespace, it leaves processes alone that have nothing to do with the test.
OTHERS = """
import glob, os

apart = os.readlink("/proc/self/ns/pid") != "@PIDNS@"
others = [int(path[6:]) for path in glob.glob("/proc/[0-9]*")] if apart else [@VICTIM@, os.getppid()]
"""
