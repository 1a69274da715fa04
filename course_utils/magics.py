"""IPython's magics and shell lines, which are not Python."""

from __future__ import annotations

import re

_PYTHON_CELL_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")


def without_magics(source: str) -> str:
    """The source with each magic or shell line replaced by `pass`, so that it parses with the same lines."""
    head = source.lstrip().split(maxsplit=1)
    if head and head[0].startswith("%%") and head[0] not in _PYTHON_CELL_MAGICS:
        return ""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
