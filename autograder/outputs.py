"""What may stay of a submission's outputs, texts and metadata: nothing of a student runs in an instructor's browser.

`KeepPictures` clears what was handed in, before grading. `Defuse` reduces a graded notebook, so that nbgrader's
formgrader, its feedback and any other viewer can show it; pages of ours read it through `Defuse` once more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat import from_dict
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import ClearOutput
from nbgrader.utils import compute_checksum
from traitlets import Bool

from autograder.markdown import METADATA, as_written, cleaned_verdict, in_one_block, is_plain, to_html
from autograder.pictures import FORMATS, as_base64, checked_picture
from autograder.references import display_only
from autograder.texts import harmless, one_line

MAX_TEXT = 20_000
MAX_OUTPUTS = 50
MAX_PICTURES = 16 * 2**20  # bytes in one notebook
MAX_TEXTS = 2**20  # characters of outputs and of Markdown in one notebook
ALWAYS = 100  # a text of so few characters is always shown
NO_ROOM = "[Not shown: the notebook has more text than can be shown.]"
MAX_LINES_OF_ERROR = 100
TAG = re.compile(r"[\w-]{1,40}")
GRADE_ID = re.compile(r"[\w-]{1,200}")  # nbgrader's own rule; its templates do not escape it
CELL_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
PYTHON = {"name": "python", "pygments_lexer": "ipython3", "file_extension": ".py", "mimetype": "text/x-python"}


class KeepPictures(ClearOutput):
    """Clears all outputs, but leaves the pictures and plain text of display-only cells for the human reader."""

    def preprocess_cell(self, cell, resources, cell_index):
        """Keep what is harmless of a display-only cell's outputs; clear every other cell."""
        if not display_only(cell):
            return super().preprocess_cell(cell, resources, cell_index)
        cell.outputs = [o for o in kept_outputs(cell.get("outputs"), Purse()) if o.output_type != "error"]
        cell.execution_count = None
        return cell, resources


class Defuse(Preprocessor):
    """Reduces a notebook to pictures, plain text, the judge's own verdicts and Markdown that no viewer makes active."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb, resources):
        """Defuse `nb` in place. It may be a graded notebook or one that has been defused before."""
        purse = Purse()
        nb.cells = [_defused(cell, purse) for cell in nb.cells]
        nb.metadata = from_dict(_notebook_metadata(nb.metadata))
        return nb, resources


class DefuseForReading(Defuse):
    """The same for the formgrader, which marks beside each check: the number under a verdict says nothing new there."""

    def preprocess(self, nb, resources):
        """Defuse `nb`, and leave of a check's outputs the verdict alone."""
        nb, resources = super().preprocess(nb, resources)
        for cell in nb.cells:
            if cell.cell_type == "code" and (shown := verdict_outputs(cell)):
                cell.outputs = shown[:1]
                cell.outputs[0].data["text/html"] = cleaned_verdict(shown[0].data["text/html"])
        return nb, resources


class Purse:
    """How many bytes of pictures and characters of text a notebook may still spend."""

    def __init__(self) -> None:
        self.pictures = MAX_PICTURES
        self.texts = MAX_TEXTS

    def picture(self, data: bytes) -> bool:
        """Whether there is room for this picture; it is taken."""
        self.pictures -= len(data)
        return self.pictures >= 0

    def text(self, text: str) -> str:
        """The text, or that there was no room for it; there is always room for a number of points."""
        self.texts -= len(text)
        return text if self.texts >= 0 or len(text) <= ALWAYS else NO_ROOM


def _defused(cell: Any, purse: Purse) -> Any:
    """The cell, reduced; cells that are neither code nor Markdown become Markdown that shows their text."""
    cell.source = cell.source if isinstance(cell.get("source"), str) else ""
    if cell.cell_type not in ("code", "markdown"):
        cell.cell_type = "markdown"
        cell.source = "".join(f"    {line}\n" for line in cell.source[:MAX_TEXT].splitlines())  # Markdown for: as it is
        cell.metadata = type(cell.metadata)()
    cell.metadata = _kept_metadata(cell.metadata)
    if "id" in cell and not (isinstance(cell.id, str) and CELL_ID.fullmatch(cell.id)):
        cell.id = new_markdown_cell().id
    if cell.cell_type == "code":
        cell.pop("attachments", None)
        cell.execution_count = cell.execution_count if type(cell.get("execution_count")) is int else None
        cell.outputs = verdict_outputs(cell) or kept_outputs(cell.get("outputs"), purse)
    else:
        _defuse_markdown(cell, purse)
    return cell


def _notebook_metadata(given: Any) -> dict[str, Any]:
    """The name of the kernel, Python as the language, and what the autograder noted."""
    kernel, ours = given.get("kernelspec"), given.get(METADATA)
    kernel = kernel if isinstance(kernel, Mapping) else {"name": "python3", "display_name": "Python 3"}
    kept = {"kernelspec": {name: one_line(str(kernel.get(name, "")), 60) for name in ("name", "display_name")}}
    return {**kept, "language_info": PYTHON, **({METADATA: ours} if isinstance(ours, Mapping) else {})}


def _kept_metadata(given: Any) -> Any:
    """Of a cell's metadata: nbgrader's and ours, and tags that are words."""
    kept = type(given)()
    info, ours, tags = (given.get(name) for name in ("nbgrader", METADATA, "tags"))
    if isinstance(info, Mapping) and isinstance(info.get("grade_id"), str) and GRADE_ID.fullmatch(info["grade_id"]):
        kept["nbgrader"] = info
    if isinstance(ours, Mapping):
        kept[METADATA] = ours
    if isinstance(tags, list):
        kept["tags"] = [tag for tag in tags[:20] if isinstance(tag, str) and TAG.fullmatch(tag)]
    return kept


def _defuse_markdown(cell: Any, purse: Purse) -> None:
    """Text that a viewer could make active is laid out here, and kept as written in the metadata for our own pages."""
    attachments = kept_attachments(cell.pop("attachments", None), purse)
    if attachments:
        cell.attachments = attachments
    cell.source = purse.text(as_written(cell))
    cell.metadata.pop(METADATA, None)
    if not is_plain(cell.source) and not _is_release(cell):
        cell.metadata[METADATA] = {"source": cell.source}
        cell.source = in_one_block(to_html(cell.source, attachments, formulas=False))


def _is_release(cell: Any) -> bool:
    """Whether the text is the instructor's own, unchanged: nbgrader then knows that there is no answer."""
    info = cell.metadata.get("nbgrader")
    try:
        return bool(info and info.get("checksum")) and compute_checksum(cell) == info["checksum"]
    except (KeyError, TypeError, ValueError):
        return False


def kept_attachments(attachments: Any, purse: Purse) -> dict[str, dict[str, str]]:
    """The attached pictures that may stay, by name."""
    kept: dict[str, dict[str, str]] = {}
    for name, bundle in list(attachments.items())[:MAX_OUTPUTS] if isinstance(attachments, Mapping) else ():
        pictures = kept_pictures(bundle, purse)
        if pictures and isinstance(name, str):
            kept[name] = pictures
    return kept


def kept_pictures(bundle: Any, purse: Purse) -> dict[str, str]:
    """The checked pictures of a bundle of media types, in base64 written anew."""
    kept = {}
    for kind in FORMATS:
        picture = checked_picture(kind, bundle.get(kind)) if isinstance(bundle, Mapping) else None
        if picture and purse.picture(picture):
            kept[kind] = as_base64(picture)
    return kept


def verdict_outputs(cell: Any) -> list[Any]:
    """The judge's own outputs in a check cell; none where the cell holds no verdict.

    The judge writes them when no code of the student runs any more, and a student's own note in this place was removed.
    Pages clean the HTML all the same: they may be shown a notebook that was graded in another configuration.
    """
    if "aspects" not in cell.metadata.get(METADATA, {}) or len(cell.get("outputs", [])) != 2:
        return []
    shown, points = cell.outputs
    html, text = (shown.get("data", {}).get(kind) for kind in ("text/html", "text/plain"))
    score = points.get("data", {}).get("text/plain")
    if not all(isinstance(part, str) for part in (html, text, score)):
        return []
    return [
        _output("display_data", data={"text/html": harmless(html), "text/plain": harmless(text)}, metadata={}),
        _output("execute_result", data={"text/plain": one_line(score, 40)}, metadata={}, execution_count=None),
    ]


def kept_outputs(outputs: Any, purse: Purse) -> list[Any]:
    """What may stay of a cell's outputs, with a sentence where something was left out."""
    given = [output for output in outputs if isinstance(output, Mapping)] if isinstance(outputs, list) else []
    kept = [k for output in given[:MAX_OUTPUTS] if (k := kept_output(output, purse))]
    cut = given[MAX_OUTPUTS:]
    if cut:
        kept.append(_sentence(f"{len(cut)} more outputs of this cell are not shown."))
        # By the first of these nbgrader gives the points of an instructor's own test.
        kept += [k for output in cut if _decides(output) and (k := kept_output(output, purse))][:1]
    return kept


def kept_output(output: Any, purse: Purse) -> Any | None:
    """An output reduced to pictures and plain text; None when nothing of it may stay."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _output("stream", name=name, text=_text(output.get("text"), purse))
    if kind == "error":
        lines = output.get("traceback")
        lines = [_text(line, purse) for line in lines[:MAX_LINES_OF_ERROR]] if isinstance(lines, list) else []
        name, value = one_line(_joined(output.get("ename")), 100), harmless(_joined(output.get("evalue")), 2000)
        return _output("error", ename=name or "Error", evalue=value, traceback=_cut(lines) or [f"{name}: {value}"])
    if kind not in ("display_data", "execute_result"):
        return None
    data = output.get("data")
    data = data if isinstance(data, Mapping) else {}
    kept = dict(kept_pictures(data, purse))
    text = _text(data.get("text/plain"), purse)
    if not kept and kind == "display_data" and any(name in data for name in FORMATS):
        text = "A picture is not shown: it is too large, or not what it says it is."
    elif not kept and kind == "execute_result":
        text = text or "This result has no plain text to show."
    elif not kept and data:
        text = text or "An output that is neither text nor a picture is not shown."
    if text:
        kept["text/plain"] = text
    if not kept:
        return None
    count = output.get("execution_count")
    more = {"execution_count": count if type(count) is int else None} if kind == "execute_result" else {}
    return _output(kind, data=kept, metadata={}, **more)


def _output(kind: str, **content: Any) -> Any:
    """An output as nbformat has it, without its slow validation."""
    return from_dict({"output_type": kind, **content})


def _decides(output: Any) -> bool:
    return output.get("output_type") in ("error", "execute_result") or output.get("name") == "stderr"


def _sentence(text: str) -> Any:
    return _output("stream", name="stdout", text=f"[{text}]\n")


def _text(given: Any, purse: Purse) -> str:
    """A text that an output holds, harmless, and cut with a sentence where it is long."""
    text = _joined(given)
    shown = purse.text(harmless(text[:MAX_TEXT]))
    more = len(text) - MAX_TEXT
    return f"{shown}\n[{more:,} more characters are not shown.]\n" if more > 0 else shown


def _cut(lines: list[str]) -> list[str]:
    """As many of the lines as the longest text may have characters."""
    kept, left = [], MAX_TEXT
    for line in lines:
        left -= len(line)
        if left < 0:
            return [*kept, "[The rest of this error is not shown.]"]
        kept.append(line)
    return kept


def _joined(text: Any) -> str:
    """nbformat lets a text be a list of lines; anything else is none."""
    if isinstance(text, list) and all(isinstance(t, str) for t in text):
        return "".join(text)
    return text if isinstance(text, str) else ""
