"""A valid notebook from whatever bytes were handed in as one, and a sentence for each thing that was repaired.

A notebook is always built anew from the cells that can be read, and from what of each cell matters in grading. So no
odd value, type or key of a damaged file goes any further.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_notebook

from autograder.references import DISPLAY_ONLY

MAX_CELLS = 5000
MAX_CODE = 2**18  # characters of all code cells: parsing takes hundreds of times as much memory
MAX_TEXT = 20 * 2**20  # characters of all other cells
MAX_TAGS = 50
MAX_BROKEN = 200  # places at which a cell of a damaged file cannot be read before the rest is given up
MAX_EFFORT = 2  # how often a damaged file may be gone through, all attempts to read a cell of it together
PICTURES = ("image/png", "image/jpeg", "image/gif")

CELL_START = re.compile(r'\{\s*"(?:attachments|cell_type)"\s*:')
MARK = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?:\s|$)")
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KINDS = ("code", "markdown", "raw")


class Damaged(Exception):
    """A notebook of which nothing can be read; the message continues the sentence "backprop.ipynb …"."""


def read_notebook(data: bytes) -> tuple[NotebookNode, list[str]]:
    """The notebook in `data`, in the current format, and its repairs, which continue the sentence "backprop.ipynb …".

    Raises `Damaged` when not one cell can be read.
    """
    text, repairs = _decoded(data)
    tree, told = _parsed(text, bool(repairs))
    repairs += told
    cells = _raw_cells(tree)
    if cells is None:
        raise Damaged("is not a notebook: it has no cells")
    version = tree.get("nbformat")
    if "worksheets" in tree:
        repairs.append("is in an old notebook format and was converted")
    elif isinstance(version, int) and not isinstance(version, bool) and version > 4:
        repairs.append("says it is in a notebook format newer than this grader knows, and was read as format 4")
    notebook = new_notebook(metadata=_notebook_metadata(tree.get("metadata")))
    repairs += _add_cells(notebook, cells)
    return notebook, repairs


def ours(text: str) -> str:
    """The text with each conflict that Git left in it resolved: our version where both are there."""
    if "<<<<<<<" not in text:
        return text
    kept: list[str] = []
    conflict: list[str] = []  # the lines of the conflict that is being read, as they are
    mine: list[str] = []
    side = ""  # its part that is being read: "<" is our version, "|" what both came from, "=" theirs
    for line in text.splitlines(keepends=True):
        mark = line[0] if MARK.match(line) else ""
        if mark == "<":
            kept += conflict
            conflict, mine, side = [line], [], "<"
        elif not side:
            kept.append(line)
        else:
            conflict.append(line)
            if mark == ">" and side == "=":
                kept += mine
                conflict, side = [], ""
            elif (mark == "|" and side == "<") or (mark == "=" and side in "<|"):
                side = mark
            elif side == "<":
                mine.append(line)
    return "".join([*kept, *conflict])


def make_cell(kind: str, source: str, name: str, metadata: dict[str, Any]) -> NotebookNode:
    """A cell, without nbformat's validation, which takes longer than all the rest of the intake."""
    more = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return from_dict({"cell_type": kind, "id": name, "metadata": metadata, "source": source, **more})


def plain_text(text: str) -> str:
    """Text without what no file or program can hold: null characters, half surrogate pairs, foreign line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


# -- bytes to JSON -----------------------------------------------------------------------------


def _decoded(data: bytes) -> tuple[str, list[str]]:
    encoding = json.detect_encoding(data)
    repairs = [] if encoding.startswith("utf-8") else [f"is in {encoding[:6].upper()} instead of UTF-8"]
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        repairs = ["holds bytes that are not text, which were replaced"]
    if not text.strip():
        raise Damaged("is empty")
    return text.removeprefix("\ufeff"), repairs


def _parsed(text: str, odd_bytes: bool) -> tuple[dict, list[str]]:
    """The notebook's JSON object, or what of it can be saved."""
    try:
        tree, end = DECODER.raw_decode(text, len(text) - len(text.lstrip()))
    except (ValueError, RecursionError) as error:
        return _saved(text, error, odd_bytes)
    if not isinstance(tree, dict):
        raise Damaged("is not a notebook: it has no cells")
    return tree, ["has text after its end, which was left out"] if text[end:].strip() else []


def _saved(text: str, error: Exception, odd_bytes: bool) -> tuple[dict, list[str]]:
    resolved = ours(text.replace("\r\n", "\n"))
    if resolved != text:
        try:
            tree, _ = DECODER.raw_decode(resolved, len(resolved) - len(resolved.lstrip()))
            if isinstance(tree, dict):
                return tree, ["holds an unresolved merge conflict; its first version was taken"]
        except (ValueError, RecursionError):
            text = resolved
    cells = list(_whole_cells(text))
    if not cells:
        if odd_bytes:
            raise Damaged("is not a text file")
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Damaged(f"is not a notebook: it is not JSON{line}")
    number = "the one cell that is whole was" if len(cells) == 1 else f"the {len(cells)} cells that are whole were"
    return {"cells": cells}, [f"is damaged; {number} read"]


def _whole_cells(text: str) -> Iterator[dict]:
    """The cells that can be read of a text that is not JSON as a whole."""
    position, broken, effort = 0, 0, MAX_EFFORT * len(text)
    while effort > 0 and broken < MAX_BROKEN and (match := CELL_START.search(text, position)):
        try:
            cell, position = DECODER.raw_decode(text, match.start())
        except (ValueError, RecursionError) as error:
            effort -= error.pos - match.start() if isinstance(error, json.JSONDecodeError) else len(text) // 2
            position, broken = match.end(), broken + 1
        else:
            yield cell


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) < 20 else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_finite, parse_constant=lambda _: None, strict=False)


# -- JSON to cells -----------------------------------------------------------------------------


def _raw_cells(tree: dict) -> list[Any] | None:
    """The notebook's cells, those of the old formats' worksheets too; None if it has no list of cells."""
    lists = [tree.get("cells")]
    if isinstance(tree.get("worksheets"), list):
        lists += [sheet.get("cells") for sheet in tree["worksheets"] if isinstance(sheet, dict)]
    lists = [cells for cells in lists if isinstance(cells, list)]
    return [cell for cells in lists for cell in cells] if lists else None


def _add_cells(notebook: NotebookNode, cells: list[Any]) -> list[str]:
    """Build `cells` into the notebook; what was repaired in them."""
    ids: set[str] = set()
    left = {"code": MAX_CODE, "text": MAX_TEXT}
    unread = long = 0
    for number, raw in enumerate(cells[:MAX_CELLS]):
        given = _source(raw)
        if given is None:
            unread += 1
            continue
        source, kind = plain_text(given), _kind(raw)
        purse = "code" if kind == "code" else "text"
        if len(source) > left[purse]:
            long += 1
            continue
        left[purse] -= len(source)
        own = raw.get("id")
        if not (isinstance(own, str) and CELL_ID.fullmatch(own) and own not in ids):
            own = next(new for n in range(len(cells) + 1) if (new := f"cell-{number}-{n}") not in ids)
        ids.add(own)
        cell = make_cell(kind, source, own, _cell_metadata(raw.get("metadata")))
        if kind == "code":
            if DISPLAY_ONLY in cell.metadata.get("tags", []):  # of all others, no output is kept
                cell.outputs = list(_outputs(raw.get("outputs")))
        elif attachments := _attachments(raw.get("attachments")):
            cell["attachments"] = attachments
        notebook.cells.append(cell)
    repairs = []
    if unread:
        repairs.append(f"has {_counted(unread)} that cannot be read and {_was(unread)} left out")
    if long:
        repairs.append(f"has more text than a notebook may have; {_counted(long)} {_was(long)} left out")
    if len(cells) > MAX_CELLS:
        repairs.append(f"has {len(cells)} cells, of which the first {MAX_CELLS} were read")
    return repairs


def _counted(number: int) -> str:
    return f"{number} {'cell' if number == 1 else 'cells'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _source(cell: Any) -> str | None:
    """A cell's text (`input` in the old formats); None if it has none."""
    source = cell.get("source", cell.get("input")) if isinstance(cell, dict) else None
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return None
    level = cell.get("level")
    if cell.get("cell_type") == "heading" and level in (1, 2, 3, 4, 5, 6):
        return f"{'#' * level} {source}"
    return source


def _kind(cell: dict) -> str:
    """A cell's type; one that does not say is code if it can have outputs."""
    kind = cell.get("cell_type")
    if isinstance(kind, str):
        return kind.lower() if kind.lower() in KINDS else "markdown"
    return "code" if {"outputs", "execution_count"} & cell.keys() else "markdown"


def _cell_metadata(given: Any) -> dict[str, Any]:
    """What of a cell's metadata is of use: nbgrader's, the tags, whether the code is folded, and Colab's cell id."""
    if not isinstance(given, dict):
        return {}
    kept: dict[str, Any] = {}
    if isinstance(given.get("nbgrader"), dict):
        flags = given["nbgrader"].items()
        kept["nbgrader"] = {plain_text(k)[:100]: _scalar(v) for k, v in flags if not isinstance(v, (dict, list))}
    if isinstance(given.get("tags"), list):
        tags = [plain_text(tag) for tag in given["tags"] if isinstance(tag, str) and 0 < len(tag) < 100]
        kept["tags"] = list(dict.fromkeys(tag for tag in tags if tag and "," not in tag))[:MAX_TAGS]
    jupyter = given.get("jupyter")
    if isinstance(jupyter, dict) and isinstance(jupyter.get("source_hidden"), bool):
        kept["jupyter"] = {"source_hidden": jupyter["source_hidden"]}
    if isinstance(given.get("id"), str) and CELL_ID.fullmatch(given["id"]):
        kept["id"] = given["id"]
    return kept


def _scalar(value: Any) -> Any:
    return plain_text(value)[:1000] if isinstance(value, str) else value


def _notebook_metadata(given: Any) -> dict[str, Any]:
    """The language and the kernel, if they are what they should be."""
    kept: dict[str, Any] = {}
    for key, needed in (("kernelspec", {"name", "display_name"}), ("language_info", {"name"})):
        value = given.get(key) if isinstance(given, dict) else None
        texts = (
            {k: plain_text(v)[:100] for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}
        )
        if needed <= texts.keys():
            kept[key] = {name: texts[name] for name in ("name", "display_name", "language") if name in texts}
    return kept


def _outputs(given: Any) -> Iterator[NotebookNode]:
    """A display-only cell's outputs, as far as they may be kept for the human reader."""
    for output in given if isinstance(given, list) else ():
        kind = output.get("output_type") if isinstance(output, dict) else None
        if kind == "stream" and output.get("name") == "stdout" and (text := _text(output.get("text"))):
            yield from_dict({"output_type": "stream", "name": "stdout", "text": text})
        elif kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
            data = {mime: text for mime in ("image/png", "text/plain") if (text := _text(output["data"].get(mime)))}
            if data:
                yield from_dict({"output_type": "display_data", "data": data, "metadata": {}})


def _attachments(given: Any) -> dict[str, dict[str, str]]:
    """Pictures that belong to a text cell."""
    kept = {}
    for name, bundle in given.items() if isinstance(given, dict) else ():
        pictures = {mime: text for mime in PICTURES if isinstance(bundle, dict) and (text := _text(bundle.get(mime)))}
        if pictures:
            kept[plain_text(name)[:200]] = pictures
    return kept


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    return plain_text(value) if isinstance(value, str) else ""
