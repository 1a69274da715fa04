"""Makes the sample class: what its students hand in for each assignment, one story each.

Run `python sample_class/make_class.py` after a released notebook, a bank of alternatives or `alexnet_weights.npz` has
changed; with `--check` it writes nothing and fails if the committed submissions differ. The stories stand in
`stories/`, one file for each assignment. README.md beside this file says who did what, and what it is worth.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sample_class.stories import STORIES  # noqa: E402

SUBMITTED = ROOT / "sample_class" / "submitted"


def made() -> dict[Path, bytes]:
    """Path → content, for everything that is handed in."""
    return {
        SUBMITTED / student / story.ASSIGNMENT.name / name: content.encode() if isinstance(content, str) else content
        for story in STORIES
        for student, files in story.students().items()
        for name, content in files.items()
    }


def differences() -> list[str]:
    """A sentence for each committed file that is not what this generator makes."""
    wanted = made()
    present = {path for path in SUBMITTED.rglob("*") if path.is_file()}
    sentences = []
    for path in sorted(wanted.keys() | present):
        shown = path.relative_to(ROOT)
        if path not in wanted:
            sentences.append(f"{shown} is not made by sample_class/make_class.py: run it.")
        elif path not in present:
            sentences.append(f"{shown} is missing: run sample_class/make_class.py.")
        elif path.read_bytes() != wanted[path]:
            sentences.append(f"{shown} is not what sample_class/make_class.py makes: run it.")
    return sentences


def write() -> None:
    """Replace everything in `sample_class/submitted`."""
    wanted = made()
    shutil.rmtree(SUBMITTED, ignore_errors=True)
    for path, content in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for story in STORIES:
        name = story.ASSIGNMENT.name
        count = len({path.parent for path in wanted if path.parent.name == name})
        print(f"{count} submissions of {name} in {SUBMITTED.relative_to(ROOT)}.")


def main(arguments: list[str]) -> int:
    """The command line: nothing, or `--check`."""
    if arguments == ["--check"]:
        sentences = differences()
        print("\n".join(sentences) or "The sample class is up to date.", file=sys.stderr if sentences else sys.stdout)
        return 1 if sentences else 0
    if arguments:
        print("usage: python sample_class/make_class.py [--check]", file=sys.stderr)
        return 2
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
