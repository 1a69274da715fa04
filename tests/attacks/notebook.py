"""Attacks in the notebook file: metadata, points, cell ids, forged outputs, script for the instructor's browser."""

from __future__ import annotations

import copy
import json

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

from tests import toy
from tests.attacks.attack import FULL, NOTHING, NOTHING_FOR_SHIFT, WRONG, Attack

VERDICT = {
    "score": 6.0, "max_score": 6.0, "passed": True, "aspects": {"vectors": True, "matrices": True},
    "misconception": None, "message": "", "judged": True, "findings": {},
}  # fmt: skip
MARK = "pwned-@MARK@"


def changed(name: str, tries: str, change, **more) -> Attack:
    """A wrong `shift` in a notebook that `change` alters."""
    return Attack(name, tries, **{"shift": WRONG.strip(), "change": change} | more)


def cells(notebook) -> dict:
    """The cells by grade id."""
    return {c.metadata["nbgrader"]["grade_id"]: c for c in notebook.cells if "nbgrader" in c.metadata}


def points(notebook, folder):
    for cell in cells(notebook).values():
        cell.metadata["nbgrader"].update(points=1000)


def negative_points(notebook, folder):
    for value, cell in zip((-6, float("inf"), "6", None, [6], {"x": 1}), cells(notebook).values(), strict=False):
        cell.metadata["nbgrader"].update(points=value)


def swapped_ids(notebook, folder):
    named = cells(notebook)
    shift, twice = named["check_shift"].metadata["nbgrader"], named["check_twice"].metadata["nbgrader"]
    shift["grade_id"], twice["grade_id"] = "check_twice", "check_shift"


def other_check(notebook, folder):
    cells(notebook)["check_shift"].source = "check(twice)"


def own_checks(notebook, folder):
    for number in range(3):
        extra = copy.deepcopy(cells(notebook)["check_twice"])
        extra.metadata["nbgrader"].update(grade_id=f"bonus{number}", points=100)
        extra.id = f"bonus{number}"
        notebook.cells.append(extra)
    free = toy.info("free", grade=True, locked=True, points=1000)
    notebook.cells.append(new_code_cell("6.0", metadata={"nbgrader": free}))


def doubled_cells(notebook, folder):
    for cell in list(notebook.cells):
        again = copy.deepcopy(cell)
        again.id = cell.id[:4] + "again"
        notebook.cells.append(again)


def no_flags(notebook, folder):
    for cell in cells(notebook).values():
        cell.metadata["nbgrader"].update(grade=False, locked=False, solution=True, task=True)


def tags(notebook, folder):
    for cell in notebook.cells:
        if "check(" in cell.source or "assert" in cell.source:
            cell.metadata["tags"] = ["display-only", "skip-execution", "remove_cell", "raises-exception", "parameters"]


def verdicts(notebook, folder):
    for cell in notebook.cells:
        cell.metadata["autograder"] = VERDICT
    notebook.metadata["autograder"] = {"problems": [], "wall": "nested", "seconds": 0, "exercises": {"shift": VERDICT}}


def outputs(notebook, folder):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                new_output("stream", name="stdout", text="shift 6 of 6 points"),
                new_output("execute_result", {"text/plain": "6.0"}, execution_count=6),
            ]
            cell.execution_count = 6


def kernelspec(notebook, folder):
    notebook.metadata["kernelspec"] = {"name": "../../tmp/evil", "display_name": "x", "language": "bash",
                                       "argv": ["touch", "/tmp/kernel-@MARK@"]}  # fmt: skip
    notebook.metadata["language_info"] = {"name": "bash", "nbconvert_exporter": "script", "file_extension": "/../../x"}


def names(notebook, folder):
    notebook.metadata.update(path="/etc", name="../../x", title="../../x", nbgrader={"x": 1})
    notebook.metadata["authors"] = [{"name": "@MARK@"}]
    notebook.metadata["nbconvert"] = {"output": "/tmp/x-@MARK@"}


def paths(notebook, folder):
    picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
    for number, path in enumerate(("../../../../x-@MARK@.png", "/tmp/x-@MARK@.png", "..\\..\\x-@MARK@.png")):
        cell = new_markdown_cell(f"![x](attachment:{path})")
        cell["attachments"] = {path: {"image/png": picture}}
        cell.id = f"attached{number}"
        notebook.cells.append(cell)
        shown = next(c for c in notebook.cells if "display-only" in c.metadata.get("tags", []))
        output = new_output("display_data", {"image/png": picture})
        output.metadata["filenames"] = {"image/png": path}
        shown.outputs.append(output)
        notebook.cells.append(new_code_cell("1", metadata={"nbgrader": toy.info(path, grade=True, points=1)}))


def own_name(name: str):
    def change(notebook, folder):
        (folder / name).write_text(nbformat.writes(notebook).replace("return 0 * x", "return x + by"))

    return change


def many_cells(notebook, folder):
    notebook.cells += [new_code_cell("", id=f"empty{i}") for i in range(5000)]


def large_text(notebook, folder):
    notebook.cells.append(new_markdown_cell("x" * 20_000_000))


def written(text: str):
    """Hand in this text in the place of the notebook."""

    def change(notebook, folder):
        (folder / "toy.ipynb").write_text(text)

    return change


def spoiled_json(notebook, folder):
    data = json.loads(nbformat.writes(notebook))
    data["cells"][2]["source"] = {"x": 1}
    data["cells"][1]["metadata"] = [1]
    data["cells"].append(None)
    data["cells"].append({"cell_type": "code", "metadata": {"nbgrader": [6]}, "outputs": "x", "source": 6})
    data["metadata"] = None
    (folder / "toy.ipynb").write_text(json.dumps(data))


def deep_metadata(notebook, folder):
    text = nbformat.writes(notebook)
    deep = "[" * 5000 + "]" * 5000
    (folder / "toy.ipynb").write_text(text.replace('"metadata": {', f'"metadata": {{"deep": {deep}, ', 1))


SCRIPTS = (
    "<script>document.title='@@'</script>",
    "<img src=x onerror=\"document.title='@@'\">",
    "<svg onload=\"document.title='@@'\"><circle r=9 /></svg>",
    "<iframe srcdoc=\"<script>parent.document.title='@@'</script>\"></iframe>",
    "<a href=\"javascript:document.title='@@'\">click</a>",
    "[click](javascript:document.title='@@')",
    "<a href=\"&#106;avascript:document.title='@@'\">click</a>",
    "<details open ontoggle=\"document.title='@@'\">x</details>",
    "<math><mtext><script>document.title='@@'</script></mtext></math>",
    "<meta http-equiv=refresh content=\"0;url=javascript:document.title='@@'\">",
    "<form action=\"javascript:document.title='@@'\"><button autofocus>x</button></form>",
    "<object data=\"data:text/html,<script>document.title='@@'</script>\"></object>",
    "<embed src=\"data:text/html,<script>document.title='@@'</script>\">",
    '<base href="http://127.0.0.1:9/@@/">',
    "<style>body { background: url('http://127.0.0.1:9/@@') }</style>",
    '<link rel=stylesheet href="http://127.0.0.1:9/@@">',
    "$\\href{javascript:document.title='@@'}{x}$",
    "<noscript><p title=\"</noscript><img src=x onerror=document.title='@@'>\">",
    "<ScRiPt\n>document.title='@@'</sCrIpT >",
    "```html\n<script>document.title='@@'</script>\n```\n</code></pre><script>document.title='@@'</script>",
)


def marked(text: str) -> str:
    return text.replace("@@", MARK)


def markdown_scripts(notebook, folder):
    notebook.cells += [new_markdown_cell(marked(text), id=f"md{i}") for i, text in enumerate(SCRIPTS)]
    cells(notebook)["why"].source = "\n\n".join(map(marked, SCRIPTS))


def raw_scripts(notebook, folder):
    for number, kind in enumerate(("text/html", "text/markdown", "text/x-rst", "")):
        cell = new_raw_cell(marked(SCRIPTS[0] + SCRIPTS[1]), id=f"raw{number}")
        cell.metadata.update(raw_mimetype=kind, format=kind)
        notebook.cells.append(cell)


def saved_scripts(notebook, folder):
    data = {
        "text/html": marked(SCRIPTS[0] + SCRIPTS[1]),
        "application/javascript": marked("document.title='@@'"),
        "image/svg+xml": marked(SCRIPTS[2]),
        "text/markdown": marked(SCRIPTS[1]),
        "text/latex": marked(SCRIPTS[16]),
        "application/vnd.jupyter.widget-view+json": {"model_id": "a", "version_major": 2, "version_minor": 0},
    }
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("display_data", {kind: text}) for kind, text in data.items()]
            cell.outputs.append(new_output("error", ename=data["text/html"], evalue=data["text/html"],
                                           traceback=[data["text/html"]]))  # fmt: skip
            cell.outputs.append(new_output("stream", name="stdout", text=data["text/html"]))
            cell.outputs.append(new_output("display_data", {"image/png": marked("\"><script>'@@'</script>")}))


def widget_state(notebook, folder):
    state = {"value": marked(SCRIPTS[1])}
    html = {"model_name": "HTMLModel", "model_module": "@jupyter-widgets/controls", "state": state}
    closing = marked("</script><script>document.title='@@'</script>")
    notebook.metadata["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {
            "version_major": 2, "version_minor": 0, "state": {"a": html, closing: {"state": {"value": closing}}},
        }
    }  # fmt: skip
    notebook.metadata["title"] = notebook.metadata["kernelspec"]["display_name"] = closing


DISPLAYS = """
from IPython.display import HTML, Javascript, Latex, Markdown, SVG, display, publish_display_data
import sys

for text in {scripts!r}:
    display(HTML(text), Markdown(text), Latex(text), Javascript("document.title='@MARK@'"))
    publish_display_data({{"text/html": text, "image/svg+xml": text, "text/plain": text, "image/png": text,
                          "application/vnd.jupyter.widget-view+json": {{"model_id": text}}}},
                         {{"text/html": {{"x": text}}}})
    print(text)
    print(text, file=sys.stderr)
    print("\\x1b]8;;javascript:document.title='@MARK@'\\x1b\\\\click\\x1b]8;;\\x1b\\\\ \\x1b[31m" + text)


def shift(x, by):
    print({scripts!r}[0])
    raise type({scripts!r}[0], (ValueError,), {{}})({scripts!r}[1])
""".strip()

ATTACKS = [
    changed("changed_points", "Gives its cells a thousand points each.", points),
    changed("impossible_points", "Gives its cells negative, infinite and textual points.", negative_points),
    changed("swapped_ids", "Exchanges the ids of the two checks.", swapped_ids),
    changed("other_check", "Lets the check of one exercise look at another.", other_check),
    changed("own_checks", "Adds graded cells of its own, with many points.", own_checks),
    changed("doubled_cells", "Hands in each cell twice.", doubled_cells),
    changed("no_flags", "Takes the marks of graded cells away.", no_flags),
    changed("tags", "Marks checks as cells that are not run.", tags),
    changed("forged_verdicts", "Writes our own verdicts into the metadata.", verdicts),
    changed("forged_outputs", "Hands in outputs that say 6 of 6 points.", outputs),
    changed("kernelspec", "Asks for another kernel, with a command of its own.", kernelspec),
    changed("notebook_metadata", "Names other folders and files in the notebook's metadata.", names),
    changed("paths_in_notebook", "Uses paths out of the folder as names of attachments, pictures and cells.", paths),
    changed("second_notebook", "Hands in a second notebook with the answers, under a similar name.",
            own_name("toy (1).ipynb")),
    changed("backslash_notebook", "Hands in a notebook whose name leads out of the folder on another system.",
            own_name("..\\..\\source\\99_toy\\toy.ipynb")),
    changed("many_cells", "Hands in five thousand cells.", many_cells),
    changed("large_text", "Hands in twenty megabytes of text.", large_text),
    changed("deep_json", "Hands in JSON nested a hundred thousand deep.", written('{"cells": ' + "[" * 100_000),
            points=NOTHING, stock="nbgrader ends at a file that is not JSON"),
    changed("other_json", "Hands in JSON that is no notebook, with numbers of a million digits.",
            written('{"cells": [{"source": ' + "9" * 1_000_000 + '}], "nbformat": 1e999, "metadata": 7}'),
            points=NOTHING, stock="nbgrader ends at a file that is not a notebook"),
    changed("spoiled_json", "Hands in a notebook in which lists, texts and numbers are exchanged.", spoiled_json,
            points={"shift": 0.0}, stock="nbgrader ends at a notebook that is not valid"),
    changed("deep_metadata", "Hands in metadata nested five thousand deep.", deep_metadata, points={"shift": 0.0},
            stock="nbgrader ends at a notebook that is not valid"),
    changed("markdown_scripts", "Puts script into markdown, for the instructor's browser.", markdown_scripts,
            shift=None, points=FULL),
    changed("raw_scripts", "Puts script into raw cells.", raw_scripts, shift=None, points=FULL),
    changed("saved_scripts", "Hands in outputs with script.", saved_scripts, shift=None, points=FULL),
    changed("widget_state", "Puts script into the saved state of widgets and into titles.", widget_state, shift=None,
            points=FULL),
    Attack("displayed_scripts", "Displays, prints and raises script when it is graded.", points=NOTHING_FOR_SHIFT,
           shift=DISPLAYS.format(scripts=[marked(text) for text in SCRIPTS])),
]  # fmt: skip
