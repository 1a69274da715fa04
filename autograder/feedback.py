"""Feedback pages, one per student and notebook: nbgrader's `GenerateFeedback` with an exporter of ours.

A page has no script, loads nothing, and says so to the browser (its Content-Security-Policy). Every text of a student
is escaped by the template or has been cleaned by `autograder.markdown`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from nbconvert.exporters import Exporter, HTMLExporter
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import GetGrades
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import Python3Lexer

from autograder import CourseError
from autograder.course import Course
from autograder.database import check_database
from autograder.markdown import METADATA, as_written, cleaned_verdict, to_html
from autograder.nbgrader_log import last_line, quiet
from autograder.pictures import FORMATS
from autograder.references import checked_name
from autograder.texts import harmless, one_line

TEMPLATES = Path(__file__).parent / "templates"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
MAX_CODE = 100_000  # characters that are coloured; more are shown plain
LIGHT, DARK = "default", "github-dark"


class Grades(GetGrades):
    """nbgrader's grades and comments, and which answers still wait for a person."""

    def _get_score(self, cell, resources):
        super()._get_score(cell, resources)
        grade = self.gradebook.find_grade(
            cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id
        )
        cell.metadata.nbgrader["waiting"] = bool(grade.needs_manual_grade)


class FeedbackExporter(Exporter):
    """Exports a graded notebook, with its grades, as a feedback page."""

    output_mimetype = "text/html"

    def _file_extension_default(self):
        return ".html"

    def from_notebook_node(self, nb, resources=None, **kw):
        """The page, and the resources as nbconvert's exporters return them."""
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        return page(nb, resources["nbgrader"]), resources


def page(nb: Any, info: dict[str, Any]) -> str:
    """The page of a graded notebook; `info` is nbgrader's: student, assignment, notebook, score, late penalty."""
    items = [item for cell in nb.cells if (item := _item(cell))]
    problems = nb.metadata.get(METADATA, {}).get("problems", [])
    return (
        _environment()
        .get_template("feedback.html.j2")
        .render(
            policy=POLICY,
            style=Markup(style()),
            points=points,
            student=one_line(str(info["student"])),
            assignment=info["assignment"],
            notebook=info["notebook"],
            score=info["score"],
            max_score=info["max_score"],
            late_penalty=info["late_penalty"],
            waiting=_answers(sum(item["state"] == "wait" for item in items)),
            problems=[one_line(str(problem)) for problem in problems],
            groups=[
                {"id": "look", "title": "Where points are missing", "lines": [i for i in items if i["state"] == "bad"]},
                {"id": "wait", "title": "To be read by a person", "lines": [i for i in items if i["state"] == "wait"]},
                {"id": "done", "title": "Done", "lines": [i for i in items if i["state"] == "ok"]},
            ],
            cells=[_cell(cell) for cell in nb.cells if cell.source.strip() or cell.get("outputs")],
        )
    )


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)


@cache
def style() -> str:
    """The style sheet, with the colours of code for a light and a dark page."""
    light, dark = (HtmlFormatter(style=name).get_style_defs(".highlight") for name in (LIGHT, DARK))
    own = (TEMPLATES / "feedback.css").read_text(encoding="utf-8")
    plain = ".highlight { background: none; } .highlight .err { border: none; color: inherit; background: none; }"
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{ {dark} }}\n{plain}\n{own}"


def points(value: float) -> str:
    """A number of points without decimals that say nothing."""
    return f"{round(float(value), 2):g}"


def _answers(count: int) -> str:
    return f"{count} answer{'' if count == 1 else 's'}" if count else ""


def _info(cell: Any) -> dict[str, Any]:
    return cell.metadata.get("nbgrader", {})


def _graded(cell: Any) -> bool:
    return bool(_info(cell).get("grade") or _info(cell).get("task"))


def _of_points(cell: Any) -> str:
    info = _info(cell)
    if info.get("waiting"):
        return f"of {points(info['points'])}"
    return f"{points(info['score'])} of {points(info['points'])}"


def _item(cell: Any) -> dict[str, Any] | None:
    """The line of a graded cell in the list at the top."""
    if not _graded(cell):
        return None
    info, verdict = _info(cell), cell.metadata.get(METADATA, {})
    exercise = checked_name(cell.source) if cell.cell_type == "code" else None
    full = info["score"] >= info["points"]
    state = "wait" if info.get("waiting") else "ok" if full else "bad"
    return {
        "name": exercise or info["grade_id"].replace("_", " "),
        "is_name": bool(exercise),
        "anchor": f"cell-{info['grade_id']}",
        "state": state,
        "sign": {"wait": "…", "ok": "✓", "bad": "✗"}[state],
        "points": _of_points(cell),
        "said": "" if full else one_line(str(verdict.get("message") or info.get("comment") or "")),
    }


def _cell(cell: Any) -> dict[str, Any]:
    """What the template shows of a cell."""
    info = _info(cell)
    comment = info.get("comment")
    shown = {
        "kind": "answer" if info.get("solution") or info.get("task") else cell.cell_type,
        "anchor": f"cell-{info['grade_id']}" if _graded(cell) else "",
        "label": "Your answer" if info.get("solution") else "Task" if info.get("task") else "",
        "points": _of_points(cell) if _graded(cell) else "",
        "comment": Markup(to_html(str(comment), demote=2)) if comment else "",
        "outputs": [],
    }
    if cell.cell_type != "code":
        return {**shown, "text": Markup(to_html(as_written(cell), cell.get("attachments"), demote=2))}
    verdict = "aspects" in cell.metadata.get(METADATA, {})
    if not verdict and _graded(cell) and not shown["label"]:
        shown["label"] = f"Test {info['grade_id']}"
    outputs = cell.get("outputs", [])
    shown["outputs"] = [_output(output, verdict) for output in (outputs[:1] if verdict else outputs)]
    return {**shown, "code": _coloured(cell.source)}


def _coloured(source: str) -> Markup:
    source = harmless(source)
    if len(source) > MAX_CODE:
        return Markup("<pre>{}</pre>").format(source[:MAX_CODE] + "…")
    return Markup(highlight(source, Python3Lexer(), HtmlFormatter()))


def _output(output: Any, verdict: bool) -> dict[str, Any]:
    """What the template shows of an output, which `Defuse` has reduced."""
    kind = output.output_type
    if kind == "stream":
        return {"text": output.text, "error": output.name == "stderr"}
    if kind == "error":
        return {"text": "\n".join(output.traceback), "error": True}
    data = output.data
    text = data.get("text/plain", "")
    if verdict and "text/html" in data:
        return {"verdict": Markup(cleaned_verdict(data["text/html"]))}
    for name in FORMATS:
        if name in data:
            return {"picture": f"data:{name};base64,{data[name]}", "text": one_line(text) or "picture"}
    return {"text": text}


def configure(config: Any) -> None:
    """Set up nbgrader's own pages: its feedback becomes ours, and its formgrader shows what `Defuse` leaves."""
    config.GenerateFeedback.exporter_class = "autograder.feedback.FeedbackExporter"
    config.GenerateFeedback.preprocessors = ["autograder.feedback.Grades", "autograder.outputs.Defuse"]
    config.HTMLExporter.preprocessors = ["autograder.outputs.DefuseForReading"]
    config.HTMLExporter.filters = {"markdown2html": "autograder.markdown.markdown2html"}
    config.HTMLExporter.template_paths = formgrader_templates()


def formgrader_templates() -> list[str]:
    """Where the formgrader looks for templates: where nbgrader says, after our one, which loads no script."""
    from nbgrader.server_extensions.formgrader.handlers import template_path

    stock = HTMLExporter(template_name="formgrade", extra_template_basedirs=[template_path])
    return [str(TEMPLATES / "formgrader"), *stock.template_paths]


class _Pages(GenerateFeedback):
    """The pages and what nbgrader's exchange needs to hand them out; nothing else that a student put beside them."""

    def init_assignment(self, assignment_id, student_id):
        graded, pages = (Path(f(assignment_id, student_id)) for f in (self._format_source, self._format_dest))
        pages.mkdir(parents=True, exist_ok=True)
        for name in ("timestamp.txt", "submission_secret.txt"):
            if (graded / name).is_file():
                shutil.copyfile(graded / name, pages / name)


def write_feedback(course: Course, assignments: Iterable[str]) -> list[Path]:
    """Write the pages for these assignments' graded submissions; returns their paths. Raises `CourseError`."""
    config = course.config.copy()
    configure(config)
    check_database(course.database)
    pages: list[Path] = []
    for assignment in assignments:
        directory = course.directory(assignment_id=assignment)
        with quiet() as log:
            converter = _Pages(coursedir=directory, config=config)
            converter.force = True
            try:
                converter.start()
            except Exception as error:
                raise CourseError(
                    f"The feedback of {assignment} could not be written: {last_line(log, error)}."
                ) from None
        folder = course.path("feedback", "*", assignment).parent.parent
        names = course.notebooks(assignment)
        pages += sorted(path for name in names for path in folder.glob(f"*/{assignment}/{name}.html"))
    return pages
