"""Formulas as MathML, which browsers show by themselves: no script, no network.

A formula may be a student's, so what the converter makes is copied element by element from a list of harmless ones.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from typing import Any

from latex2mathml.converter import convert_to_element

MAX_TEX = 4000
MAX_DEPTH = 40
ELEMENTS = frozenset({
    "math", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts", "mroot",
    "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder",
    "munderover", "none",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "accent", "columnalign", "columnspacing", "depth", "display", "displaystyle", "fence", "form", "height",
    "linethickness", "lspace", "mathsize", "mathvariant", "maxsize", "minsize", "rowspacing", "rspace",
    "scriptlevel", "separator", "stretchy", "symmetric", "width",
})  # fmt: skip
VALUE = re.compile(r"[\w .%+-]{1,60}")
TAG = re.compile(r"\\(?:tag\*?\{([^{}]*)\}|label\{[^{}]*\}|nonumber|notag)")


@lru_cache(maxsize=4096)
def mathml(tex: str, display: bool) -> str:
    """A formula as MathML; where it cannot be read, the TeX as it was written. Its \\tag stands at the right."""
    number = next((m[1] for m in TAG.finditer(tex) if m[1]), "")
    try:
        if len(tex) > MAX_TEX:
            raise ValueError("a formula this long is none")
        root = convert_to_element(TAG.sub("", tex), display="block" if display else "inline")
        html = _copied(root, MAX_DEPTH)
    except Exception:  # the converter raises many kinds of errors on what is no TeX
        html = f"<code>{escape(tex[:MAX_TEX])}</code>"
    if not display:
        return html
    tag = f'<span class="eqno">({escape(number)})</span>' if number else ""
    return f'<span class="formula">{html}{tag}</span>'


def _copied(element: Any, depth: int) -> str:
    """The element, if it is a harmless one, with its harmless attributes and its children; its text is escaped."""
    if not depth:
        raise ValueError("nested too deeply")
    inside = _text(element.text) + "".join(_copied(child, depth - 1) + _text(child.tail) for child in element)
    if element.tag not in ELEMENTS:
        return f"<mrow>{inside}</mrow>"
    kept = {k: v for k, v in element.attrib.items() if k in ATTRIBUTES and VALUE.fullmatch(str(v))}
    attributes = "".join(f' {name}="{escape(str(value))}"' for name, value in kept.items())
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"


def _text(text: str | None) -> str:
    return escape(unescape(text)) if text else ""
