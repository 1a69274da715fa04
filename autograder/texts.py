"""Text that a student may have chosen, made harmless for a terminal, a table and a page."""

from __future__ import annotations

import re
import unicodedata

ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|.)?", re.DOTALL)
KEPT = "\n\t"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Letters joined by these are one sign in some scripts and in emoji; they neither move nor hide anything.
JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def harmless(text: str, most: int | None = None) -> str:
    """The text without terminal escapes, and with a visible � for every other character that controls the display.

    These are control characters, the marks that turn the direction of writing (what is read is then not what is
    there), invisible ones, and halves of surrogate pairs. Line ends and tabs stay. More than `most` characters are cut.
    """
    if text.isprintable() and (most is None or len(text) <= most):
        return text
    if most is not None:
        text = text[: 4 * most]  # no more work than the result is worth
    text = ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(REPLACEMENT if _controls(character) else character for character in text)
    return text if most is None or len(text) <= most else text[:most] + "…"


def one_line(text: str, most: int = 300) -> str:
    """The same in one line: for a table, a list, a sentence."""
    return " ".join(harmless(text, most).split())


def _controls(character: str) -> bool:
    if character in KEPT or character in JOINERS:
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
