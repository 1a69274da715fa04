"""IPython's magics, shell and help lines, which are not Python."""

from __future__ import annotations

import re

_PYTHON_CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")
_CANDIDATE = re.compile(r"^[ \t]*[%!?]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
_REST = r"(?:\\\n|[^\n])*"  # to the end of the line, and of those that a backslash adds to it
_LINE = re.compile(rf"(?P<indent>[ \t]*)(?:[%!?]{_REST}|[\w.*]+\?\??[ \t]*(?=\n|\Z))")
_ASSIGNED = re.compile(rf"(?P<target>=[ \t]*)[%!](?=\w){_REST}")
_PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)|' + r"'''(?:\\.|[^\\])*?(?:'''|\Z)|"
    r'"(?:\\.|[^"\\\n])*"?|' + r"'(?:\\.|[^'\\\n])*'?|"
    r"#[^\n]*|\\\n|.",
    re.DOTALL,
)


def without_magics(source: str) -> str:
    """The source as IPython reads it, with `pass` for each magic or shell line, so that it parses with the same lines.

    A `%` that begins a line within brackets, or after a backslash, is a modulo.
    """
    head = source.lstrip().split(maxsplit=1)
    if head and head[0].startswith("%%") and head[0] not in _PYTHON_CELL_MAGICS:
        return ""
    source = _without_indent(source)
    if not _CANDIDATE.search(source):
        return source
    kept, position, depth, fresh = [], 0, 0, True  # fresh: a statement may begin here
    while position < len(source):
        line = _LINE.match(source, position) if fresh else None
        assigned = _ASSIGNED.match(source, position) if depth == 0 else None
        piece = line or assigned or _PIECE.match(source, position)
        text, position = piece[0], piece.end()
        fresh = text == "\n" and depth == 0
        if line:
            text = line["indent"] + "pass" + "\n" * text.count("\n")
        elif assigned:
            text = assigned["target"] + "None" + "\n" * text.count("\n")
        elif text in "([{":
            depth += 1
        elif text in ")]}":
            depth = max(0, depth - 1)
        kept.append(text)
    return "".join(kept)


def _without_indent(source: str) -> str:
    """IPython takes the first line's indentation from every line, so that a piece of a function can be pasted."""
    indent = re.match(r"(?:[ \t]*\n)*([ \t]+)\S", source)
    return re.sub(f"^{indent[1]}", "", source, flags=re.MULTILINE) if indent else source
