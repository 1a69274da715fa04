"""No script of a student runs in an instructor's browser: injections in a submission, and every page that shows it."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader.handlers import template_path
from nbgrader.utils import compute_checksum, determine_grade
from traitlets.config import Config

from autograder import report
from autograder.export import write_csv
from autograder.feedback import configure
from autograder.formulas import ELEMENTS, mathml
from autograder.markdown import TAGS, as_written, in_one_block, is_plain, to_html
from autograder.nbgrader_log import quiet
from autograder.outputs import MAX_OUTPUTS, MAX_TEXT, Defuse, KeepPictures
from autograder.plugins import AUTOGRADE, SANITIZE
from autograder.texts import harmless, one_line
from tests import browser, toy
from tests.made_up import ROOT

ELSEWHERE = "http://elsewhere.invalid"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
SVG = "<svg xmlns='http://www.w3.org/2000/svg' onload=\"RUN\"><script>RUN</script></svg>"

# In each of them RUN is the code that must not run; it has no space and no double quote.
MARKDOWN = {
    "script": "<script>RUN</script>",
    "script in mixed case": "a <ScRiPt >RUN</sCrIpT> b",
    "error handler": '<img src=x onerror="RUN">',
    "handler after slashes": "<img/src=x/onerror=RUN>",
    "unclosed tag": '<img src=x onerror="RUN"\n',
    "toggle handler": '<details open ontoggle="RUN">x</details>',
    "focus handler": '<input autofocus onfocus="RUN">',
    "svg onload": '<svg onload="RUN"></svg>',
    "svg script": "<svg><script>RUN</script></svg>",
    "svg animation": "<svg><animate onbegin=RUN attributeName=x dur=1s></svg>",
    "mathml mutation": (
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=RUN&gt;'>"
    ),
    "noscript mutation": '<noscript><p title="</noscript><img src=x onerror=RUN>">',
    "template": "<template><script>RUN</script></template><img src=x onerror=RUN>",
    "textarea": "<textarea></textarea><script>RUN</script>",
    "frame with a document": '<iframe srcdoc="<script>parent.RUN</script>"></iframe>',
    "frame with an address": '<iframe src="javascript:parent.RUN"></iframe>',
    "object": '<object data="data:text/html,<script>RUN</script>"></object>',
    "embed": '<embed src="data:text/html,<script>RUN</script>">',
    "refresh": f'<meta http-equiv="refresh" content="9;url={ELSEWHERE}/refresh">',
    "base": f'<base href="{ELSEWHERE}/">',
    "form": '<form action="javascript:RUN"><button>Give full credit</button></form>',
    "link element": f'<link rel="stylesheet" href="{ELSEWHERE}/sheet">',
    "style import": f'<style>@import "{ELSEWHERE}/import";</style>',
    "style address": f'<div style="background:url({ELSEWHERE}/background)">x</div>',
    "overlay": '<div style="position:fixed;inset:0;z-index:9" class="navbar-fixed-top">x</div>',
    "clobbered names": '<a id="submission_id"></a><a id="base_url" href="x">x</a>',
    "javascript link": "[x](javascript:RUN)",
    "entity in a link": "[x](&#106;avascript:RUN)",
    "tab in a link": '<a href="java&#9;script:RUN">x</a>',
    "link in brackets": "<javascript:RUN>",
    "link by reference": "[x][r]\n\n[r]: javascript:RUN",
    "title of a link": '[x](http://a.invalid "y\\" onmouseover=\\"RUN")',
    "data link": "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "link to a handed-in file": "[my appendix](appendix.html)",
    "remote picture": f"![x]({ELSEWHERE}/picture.png)",
    "remote picture as HTML": f'<img src="{ELSEWHERE}/html.png" srcset="{ELSEWHERE}/set.png 2x">',
    "remote sound": f'<audio src="{ELSEWHERE}/a.mp3" autoplay></audio><video poster="{ELSEWHERE}/v.png"></video>',
    "description of a picture": '![" onerror="RUN](x.png)',
    "svg picture": "![x](data:image/svg+xml;base64," + base64.b64encode(SVG.encode()).decode() + ")",
    "missing attachment": "![x](attachment:nothing.png)",
    "comment": "<!--><script>RUN</script>-->",
    "character data": "<![CDATA[><script>RUN</script>]]>",
    "instruction": "<?x ><script>RUN</script>?>",
    "text in a formula": "$\\text{<script>RUN</script>}$ and $$\\text{<img src=x onerror=RUN>}$$",
    "link in a formula": "$\\href{javascript:RUN}{x}$",
    "formula in an attribute": '<b title="$x$ onmouseover=RUN">$y$</b> ![$z$](x.png "$z$")',
    "heading": "# <img src=x onerror=RUN>",
    "language of a code block": '```x"onmouseover="RUN"\ncode\n```',
    "diagram": "```mermaid\n</pre><script>RUN</script>\n```",
}
CODE = {
    "html": "display(HTML('''<script>RUN</script><img src=x onerror=RUN>'''))",
    "javascript": "display(Javascript('''RUN'''))",
    "svg": f"display(SVG('''{SVG}'''))",
    "latex": "display(Latex('''$x$<script>RUN</script>'''))",
    "markdown": "display(Markdown('''<script>RUN</script>'''))",
    "mermaid": "display({'text/vnd.mermaid': '''</pre><script>RUN</script>'''}, raw=True)",
    "unknown media type": "display({'application/vnd.x+json': {'a': ['''<script>RUN</script>''']}}, raw=True)",
    "no picture": "display({'image/png': '''x\"><script>RUN</script>'''}, raw=True)",
    "text around a picture": f"display({{'image/png': '''{PNG}\"><script>RUN</script>'''}}, raw=True)",
    "size of a picture": (
        f"display({{'image/png': '{PNG}'}}, metadata={{'image/png': {{'width': '''1\" onload=\"RUN'''}}}}, raw=True)"
    ),
    "name of a media type": "display({'''text/html\"><script>RUN</script>''': '''<script>RUN</script>'''}, raw=True)",
    "stdout": "print('''<script>RUN</script>''')",
    "colours": "print('''\\x1b[31m<script>RUN</script>\\x1b]8;;javascript:RUN\\x07x\\x1b]8;;\\x07''')",
    "stderr": "import sys; print('''<script>RUN</script>''', file=sys.stderr)",
    "error": "raise type('''<script>RUN</script>''', (Exception,), {})('''<script>RUN</script>''')",
    "representation": "type('T', (), {'_repr_html_': lambda self: '''<script>RUN</script>'''})()",
    "forged verdict": "display({'text/html': '''<p class=bp-verdict><script>RUN</script></p>'''}, raw=True)",
    "later display": "h = display(1, display_id=True); h.update(HTML('''<script>RUN</script>'''))",
    "source": "# </pre><script>RUN</script><!--",
}
SAVED = {
    "html": {"text/html": "<script>RUN</script>", "text/plain": "a table"},
    "javascript": {"application/javascript": "RUN"},
    "svg": {"image/svg+xml": SVG},
    "widget": {"application/vnd.jupyter.widget-view+json": {"model_id": "<script>RUN</script>"}},
    "no picture": {"image/png": 'x"><script>RUN</script>'},
}


def armed(text, number: int):
    """The payload with a code that tells in the console which one ran."""
    return json.loads(json.dumps(text).replace("RUN", f"console.log('ran:{number}')"))


def injections() -> list:
    """A cell for each of the payloads, and some more for what has no payload of its own."""
    cells = [new_markdown_cell(armed(text, i)) for i, text in enumerate(MARKDOWN.values())]
    cells.append(new_code_cell("from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display"))
    cells += [new_code_cell(armed(text, 100 + i)) for i, text in enumerate(CODE.values())]
    for i, data in enumerate(SAVED.values()):
        shown = [new_output("display_data", armed(data, 200 + i))]
        cells.append(new_code_cell("1", metadata={"tags": ["display-only"]}, outputs=shown))
    cells.append(new_raw_cell(armed("<script>RUN</script>", 300)))
    cells.append(new_raw_cell(armed("<script>RUN</script>", 301), metadata={"raw_mimetype": "text/html"}))
    bundle = {"image/svg+xml": base64.b64encode(armed(SVG, 302).encode()).decode()}
    cells.append(new_markdown_cell("![x](attachment:a.svg)", attachments={"a.svg": bundle}))
    tags = armed(['"><script>RUN</script>'], 303)
    cells.append(new_code_cell("1", metadata={"tags": tags, "magics_language": tags[0], "name": tags[0]}))
    return cells


# A class of one attacker, graded once by this engine and once by stock nbgrader.


def stock_config(root: Path) -> Config:
    config = Config()
    config.CourseDirectory.root = str(root)
    return config


def our_config(root: Path) -> Config:
    config = stock_config(root)
    config.Autograde.sanitize_preprocessors = list(SANITIZE)
    config.Autograde.autograde_preprocessors = list(AUTOGRADE)
    configure(config)
    return config


def convert(converter: type, config: Config, **folders: str) -> None:
    with quiet():
        step = converter(
            coursedir=CourseDirectory(config=config, assignment_id=toy.ASSIGNMENT, **folders), config=config
        )
        step.force = True
        step.start()


def grade(root: Path, config: Config, cells: list) -> None:
    """Make `root` a course in which eve hands in these cells, and grade her."""
    source = toy.course(root)
    convert(GenerateAssignment, config)
    notebook = toy.submission(source, why=armed("Because <b>I</b> say so.<script>RUN</script> And $x<y$.", 304))
    notebook.cells += cells
    title = armed("</title><script>RUN</script>", 305)
    notebook.metadata.title = title
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {"x": armed(title, 306)}}}
    notebook.metadata.language_info = {"name": title, "pygments_lexer": title}
    toy.hand_in(root, "eve", notebook)
    convert(Autograde, config)


def comment_on(root: Path, config: Config) -> None:
    """A grader's comment that holds what a student asked her to paste."""
    with Gradebook(CourseDirectory(config=config).db_url) as gradebook:
        comment = gradebook.find_comment("why", "toy", toy.ASSIGNMENT, "eve")
        comment.manual_comment = armed("Well said.<script>RUN</script><img src=x onerror=RUN>", 307)
        gradebook.db.commit()


@pytest.fixture(scope="module")
def bank():
    with pytest.MonkeyPatch.context() as patch:
        toy.install(patch)
        yield


@pytest.fixture(scope="module")
def ours(bank, tmp_path_factory) -> Path:
    """A course directory graded by this engine."""
    root = tmp_path_factory.mktemp("ours")
    grade(root, our_config(root), injections())
    (root / "nbgrader_config.py").write_text(
        "from autograder import feedback\nc = get_config()\nfeedback.configure(c)\n", encoding="utf-8"
    )
    return root


@pytest.fixture(scope="module")
def stock(bank, tmp_path_factory) -> Path:
    """The same class, graded by stock nbgrader in a plain configuration. Its kernel runs only what stands above."""
    root = tmp_path_factory.mktemp("stock")
    config = stock_config(root)
    config.Execute.allow_errors = True
    # nbconvert's renderer gives up on this one, and with it on the whole page.
    cells = [cell for cell in injections() if "attachment:nothing" not in cell.source]
    grade(root, config, cells)
    comment_on(root, config)
    return root


def graded(root: Path) -> Path:
    return root / "autograded" / "eve" / toy.ASSIGNMENT / "toy.ipynb"


def feedback_of(root: Path, config: Config, folder: Path) -> Path:
    """The feedback page that `nbgrader generate_feedback` writes with this configuration."""
    convert(GenerateFeedback, config, feedback_directory=str(folder))
    return folder / "eve" / toy.ASSIGNMENT / "toy.html"


def formgrader_of(root: Path, config: Config, folder: Path) -> Path:
    """What the formgrader's handler sends for the submission, made by the exporter that the formgrader makes."""
    own = Config({"HTMLExporter": {"template_name": "formgrade", "extra_template_basedirs": [template_path]}})
    own.merge(config)
    about = {"assignment_id": toy.ASSIGNMENT, "notebook_id": "toy", "submission_id": "1", "base_url": "", "index": 0}
    more = {"total": 1, "student": "eve", "last_name": None, "first_name": None, "notebook_path": "x"}
    html, _ = HTMLExporter(config=own).from_filename(str(graded(root)), resources={**about, **more})
    path = folder / "formgrader.html"
    path.write_text(html, encoding="utf-8")
    return path


PAGES = {
    "our feedback": (feedback_of, "ours", our_config),
    "our feedback on what stock nbgrader graded": (feedback_of, "stock", our_config),
    "the formgrader's page": (formgrader_of, "ours", our_config),
    "the formgrader's page of what stock nbgrader graded": (formgrader_of, "stock", our_config),
    "stock feedback": (feedback_of, "ours", stock_config),
    "the formgrader's page in a stock configuration": (formgrader_of, "ours", stock_config),
}

# What a browser made of the student's part of a page: everything that runs, loads, or leads where it should not.
FOUND = """root => {
    const found = [], part = document.querySelector(root);
    const allowed = /^(?:https?:|mailto:)/i, picture = /^data:image\\/(?:png|jpeg|gif);base64,/;
    for (const e of part.querySelectorAll('*')) {
        const name = e.localName;
        if (/^(?:script|iframe|frame|object|embed|applet|base|form|link|meta|svg)$/.test(name)
            || /^(?:audio|video|source|template|style)$/.test(name)
            || name === 'input' && !e.classList.contains('score') && !e.classList.contains('extra-credit'))
            found.push(name);
        for (const a of e.attributes) {
            if (/^on/i.test(a.name)) found.push(`${name} ${a.name}`);
            if (/^(?:href|action|formaction|xlink:href)$/i.test(a.name) && !a.value.startsWith('#')
                && !allowed.test(e.href ?? a.value))
                found.push(`${name} ${a.name}=${a.value}`);
            if (/^(?:src|srcset|poster|data|background)$/i.test(a.name) && !picture.test(a.value))
                found.push(`${name} ${a.name}=${a.value}`);
            if (/^style$/i.test(a.name) && /url|position|expression|@/i.test(a.value)) found.push(`style ${a.value}`);
        }
        if (/^(?:submission_id|notebook_id|assignment_id|base_url)$/.test(e.id)) found.push(`id ${e.id}`);
    }
    return found;
}"""


class Visit:
    """What happened while a page was open: what ran, what asked a question, what was asked for elsewhere."""

    def __init__(self, page) -> None:
        self.page = page
        self.ran: set[str] = set()
        self.asked: list[str] = []
        page.on("console", lambda message: self.ran.add(message.text) if message.text.startswith("ran:") else None)
        page.on("dialog", lambda dialog: (self.ran.add(f"dialog {dialog.message}"), dialog.dismiss()))
        page.route("**/*", self._route)

    def _route(self, route) -> None:
        address = route.request.url
        if address.startswith(("http:", "https:")) and not address.startswith("http://127.0.0.1"):
            self.asked.append(address)
            route.abort()
        else:
            route.continue_()

    def open(self, address: str) -> None:
        self.page.goto(address, wait_until="load")
        self.page.mouse.move(300, 300)
        self.page.wait_for_timeout(200)


@contextmanager
def visit(chromium: str) -> Iterator[Visit]:
    with browser.browser_page(chromium) as tab:
        yield Visit(tab)


@pytest.mark.chromium
def test_nothing_of_a_student_runs_in_any_page(chromium, ours, stock, tmp_path):
    with visit(chromium) as seen:
        for number, (name, (make, root, config)) in enumerate(PAGES.items()):
            folder = tmp_path / str(number)
            folder.mkdir()
            root = {"ours": ours, "stock": stock}[root]
            seen.open(make(root, config(root), folder).as_uri())
            part = "body" if "our feedback" in name else "#notebook"
            assert not seen.ran, name
            assert seen.page.evaluate(FOUND, part) == [], name
            assert not [a for a in seen.asked if "elsewhere.invalid" in a], name
            if config is our_config:
                assert not seen.asked, name
            if "our feedback" in name:
                assert seen.page.evaluate("document.scripts.length") == 0
            seen.asked.clear()


@pytest.mark.chromium
def test_a_feedback_page_would_not_run_what_slips_through(chromium, ours, tmp_path):
    """The second wall: the page forbids its browser to run or load anything."""
    path = feedback_of(ours, our_config(ours), tmp_path)
    slipped = "".join(armed(MARKDOWN[name], 0) for name in ("script", "svg onload", "remote picture as HTML", "form"))
    path.write_text(path.read_text(encoding="utf-8").replace("<main>", slipped + "<main>"), encoding="utf-8")
    with visit(chromium) as seen:
        seen.open(path.as_uri())
        assert seen.page.evaluate("document.scripts.length") > 0
        assert not seen.ran and not seen.asked


@pytest.mark.chromium
def test_stock_nbgrader_runs_them(chromium, stock, tmp_path):
    """The comparison: in a stock configuration many of them run, or tell the student that somebody looks."""
    for make in (feedback_of, formgrader_of):
        folder = tmp_path / make.__name__
        folder.mkdir()
        path = make(stock, stock_config(stock), folder)
        # These two would take the other payloads' page away.
        html = path.read_text(encoding="utf-8").replace("<base ", "<p ").replace('http-equiv="refresh"', "")
        path.write_text(html, encoding="utf-8")
        with visit(chromium) as seen:
            seen.open(path.as_uri())
            names = {name: f"ran:{i}" for i, name in enumerate(MARKDOWN)}
            assert {names[n] for n in ("script", "error handler", "svg onload", "frame with an address")} <= seen.ran
            assert len(seen.ran) > 15
            assert any("elsewhere.invalid/picture.png" in address for address in seen.asked)
            assert "a href=javascript" in " ".join(seen.page.evaluate(FOUND, "#notebook"))


@pytest.mark.chromium
def test_the_formgrader_itself(chromium, ours):
    """nbgrader's formgrader in a Jupyter server, with the course's nbgrader_config.py: its grading page, its list."""
    with Gradebook(CourseDirectory(config=our_config(ours)).db_url) as gradebook:
        submission = gradebook.find_submission_notebook("toy", toy.ASSIGNMENT, "eve").id
    with jupyter_server(ours) as address, visit(chromium) as seen:
        seen.open(f"{address}/formgrader/submissions/{submission}/")
        seen.page.locator("input.score").first.wait_for()
        assert not seen.ran
        assert not seen.asked
        assert seen.page.evaluate(FOUND, "#notebook") == []
        assert seen.page.locator("#notebook .bp-verdict").count() == 2
        assert seen.page.locator("#notebook math").count() > 2
        # The answer is there to be read, with its bold word and its formula, and the script as the text it is.
        answer = seen.page.locator(".nbgrader_cell", has=seen.page.locator("#why"))
        assert "Because I say so.<script>" in answer.inner_text()
        assert answer.locator("b", has_text="I").count() == answer.locator("math").count() == 1
        seen.open(f"{address}/formgrader/manage_submissions/{toy.ASSIGNMENT}")
        seen.page.get_by_text("eve").first.wait_for()
        assert not seen.ran


@contextmanager
def jupyter_server(folder: Path) -> Iterator[str]:
    """A Jupyter server on loopback with nbgrader's formgrader, started in a course directory; its address."""
    runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    options = [
        "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}", "--ServerApp.shutdown_no_activity_timeout=120",
        "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}",
    ]  # fmt: skip
    log = folder / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, stdout=output,
            stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield browser._address(server, runtime, log)
    finally:
        browser._stop(server)


# What the pages say.


def test_a_feedback_page_names_what_is_graded(ours, tmp_path):
    html = feedback_of(ours, our_config(ours), tmp_path).read_text(encoding="utf-8")
    assert "<code>shift</code>" in html and "6 of 6" in html and "plain" in html
    assert "Out[" not in html and "execute_result" not in html and "6.0" not in html
    assert html.count("bp-verdict bp-") == 2
    assert '<html lang="en">' in html and "default-src 'none'" in unescape(html)
    assert "To be read by a person" in html and "of 4" in html
    assert "<script" not in html and "http:" not in html.split("<body>")[0]


def test_the_course_notebook_needs_no_network_and_little_space(tmp_path):
    notebook = nbformat.read(ROOT / "notebooks/01_backprop/backprop.ipynb", as_version=4)
    texts = [to_html(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"]
    html = "".join(texts)
    dollars = sum(cell.source.count("$") for cell in notebook.cells if cell.cell_type == "markdown")
    assert html.count("<math") > 100 and "$" not in html and dollars > 2 * 100
    assert "<code>\\" not in html and "\\tag" not in html  # nothing was left as TeX
    assert len(html) < 300_000
    assert all(is_plain(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")


def test_the_number_of_a_formula_stands_beside_it():
    html = mathml(r"a < b \tag{3}", True)
    assert html.startswith('<span class="formula"><math display="block">') and '<span class="eqno">(3)</span>' in html
    assert "&lt;" in html and "<mi>a</mi>" in html


@pytest.mark.parametrize(
    "tex",
    [
        r"\text{<script>x</script>}",
        r"\href{javascript:x}{y}",
        r"\style{position:fixed}{y}",
        r"\class{navbar-fixed-top}{y}",
        r"\color{red\" onclick=\"x}{y}",
        r"\frac{",
        "{" * 5000,
        "x^{" * 300 + "}" * 300,
        "</math><img src=x>",
    ],
)
def test_a_formula_is_mathml_or_the_text_it_was(tex):
    html = mathml(tex, False)
    assert html.startswith(("<math", "<code>"))
    assert not any(word in html for word in ("<script", "href=", "style=", "class=", "onclick=", "<img"))


# What Defuse leaves of a notebook.


def defused(*cells, metadata=None):
    nb = new_notebook(metadata=metadata or {})
    nb.cells = list(cells)  # which may be malformed
    nb, _ = Defuse().preprocess(nb, {})
    nbformat.validate(nb)
    return nb


def test_what_needs_no_change_is_not_changed():
    text = "# A title\n\nIf $a<b$ then `c` [here](https://example.org/x?y=1).\n\n| a | b |\n|---|---|\n| *1* | 2 |"
    code = new_code_cell("1 < 2", outputs=[new_output("stream", name="stdout", text="a\n"), picture_output()])
    nb = defused(new_markdown_cell(text.replace("<", " < ")), code)
    assert nb.cells[0].source == text.replace("<", " < ") and "autograder" not in nb.cells[0].metadata
    assert [o.output_type for o in nb.cells[1].outputs] == ["stream", "display_data"]
    assert nb.cells[1].outputs[1].data["image/png"] == PNG


def picture_output(kind="image/png", data=PNG):
    return new_output("display_data", {kind: data, "text/plain": "<Figure>"})


def test_defusing_twice_changes_nothing_more():
    nb = defused(*injections())
    once = nbformat.writes(nb)
    assert nbformat.writes(Defuse().preprocess(nb, {})[0]) == once


def test_the_answer_stays_as_it_was_written_for_our_own_pages():
    text = "A <b>bold</b> claim: $x<y$. <script>alert(1)</script>"
    (cell,) = defused(new_markdown_cell(text)).cells
    assert as_written(cell) == text
    assert cell.source.startswith("<div>") and "<script" not in cell.source and "$x&lt;y$" in cell.source
    assert "&lt;script&gt;" in to_html(as_written(cell)) and "<math" in to_html(as_written(cell))


def test_the_release_is_not_taken_for_an_answer():
    """nbgrader gives nothing for an unchanged text; it must still see that it is unchanged."""
    cell = new_markdown_cell(
        "Write <b>here</b>.", metadata={"nbgrader": toy.info("w", grade=True, solution=True, points=4)}
    )
    cell.metadata.nbgrader.checksum = compute_checksum(cell)
    (cell,) = defused(cell).cells
    assert cell.source == "Write <b>here</b>." and determine_grade(cell) == (0, 4)


def test_pictures_must_be_what_they_say():
    jpeg = base64.b64encode(b"\xff\xd8\xff\xe0" + b"x" * 20).decode()
    huge = bytearray(base64.b64decode(PNG))
    huge[16:24] = (60_000).to_bytes(4, "big") * 2
    fakes = [
        ("image/png", 'x"><script>'),
        ("image/png", PNG + '"><script>'),
        ("image/jpeg", jpeg),
        ("image/png", base64.b64encode(b"<html>").decode()),
        ("image/gif", PNG),
        ("image/png", base64.b64encode(bytes(huge)).decode()),
    ]
    (cell,) = defused(new_code_cell("1", outputs=[picture_output(*fake) for fake in fakes])).cells
    assert all(set(output.data) == {"text/plain"} for output in cell.outputs)
    assert "too large, or not what it says" in cell.outputs[0].data["text/plain"]


def test_attached_pictures_stay_and_nothing_else():
    attachments = {"a.png": {"image/png": PNG}, "b.svg": {"image/svg+xml": SVG}, "c": "x"}
    cell = new_markdown_cell("![x](attachment:a.png) ![y](attachment:b.svg)")
    cell.attachments = nbformat.from_dict(attachments)
    (cell,) = defused(cell).cells
    assert set(cell.attachments) == {"a.png"}
    html = to_html(as_written(cell), cell.attachments)
    assert f'src="data:image/png;base64,{PNG}"' in html and 'alt="x"' in html
    assert "[picture not shown: y]" in html


def test_what_is_cut_says_so():
    many = [new_output("stream", name="stdout", text=f"{i}\n") for i in range(MAX_OUTPUTS + 30)]
    many.append(new_output("error", ename="ValueError", evalue="no", traceback=["no"]))
    long = new_output("stream", name="stdout", text="a" * (MAX_TEXT + 5))
    first, second = defused(new_code_cell("1", outputs=many), new_code_cell("2", outputs=[long])).cells
    assert len(first.outputs) == MAX_OUTPUTS + 2
    assert first.outputs[-2].text == "[31 more outputs of this cell are not shown.]\n"
    assert first.outputs[-1].output_type == "error"  # nbgrader must still see that it failed
    assert second.outputs[0].text.endswith("[5 more characters are not shown.]\n")
    assert "longer than" in to_html("a" * 40_000)
    texts = [new_markdown_cell("a" * 30_000) for _ in range(60)]
    shown = "".join(cell.source for cell in defused(*texts).cells)
    assert 900_000 < len(shown) < 1_100_000 and "the notebook has more text than can be shown" in shown


def test_no_flood_changes_what_nbgrader_reads_from_a_test():
    """nbgrader gives an instructor's own test full points unless it sees an error, stderr or a number."""
    flood = [new_output("display_data", {"text/plain": "a" * MAX_TEXT}) for _ in range(70)]
    number = new_output("execute_result", {"text/plain": "0.5", "image/png": "none"})
    info = {"nbgrader": toy.info("t", grade=True, locked=True, points=2)}
    cells = [new_code_cell("1", outputs=flood) for _ in range(2)]
    for last in (number, new_output("stream", name="stderr", text="no")):
        cells.append(new_code_cell("test()", metadata=info, outputs=[*flood, last, flood[0]]))
    graded = defused(*cells).cells[2:]
    assert [determine_grade(cell)[0] for cell in graded] == [0.5, 0]


def test_metadata_holds_nothing_of_a_student():
    cell = new_code_cell(
        "1", metadata={"tags": ["display-only", "<script>"], "magics_language": "x", "jupyter": {"a": 1}}
    )
    raw = new_raw_cell("<script>", metadata={"raw_mimetype": "text/html"})
    forged = new_code_cell("1", metadata={"nbgrader": toy.info('"><script>')})
    nb = defused(
        cell, raw, forged, metadata={"title": "<script>", "widgets": {"a": 1}, "language_info": {"name": "<b>"}}
    )
    assert nb.cells[0].metadata == {"tags": ["display-only"]}
    assert nb.cells[1].cell_type == "markdown" and "&lt;script&gt;" in to_html(nb.cells[1].source)
    assert nb.cells[2].metadata == {}
    assert set(nb.metadata) == {"kernelspec", "language_info"} and nb.metadata.language_info.name == "python"


@pytest.mark.parametrize(
    "wrong",
    [
        {"output_type": "stream", "name": "<x>", "text": 5},
        {"output_type": "display_data", "data": ["text/html"]},
        {"output_type": "error", "ename": None, "evalue": {}, "traceback": "x"},
        {"output_type": "execute_result", "data": {"text/plain": {"a": [[[]]]}}, "execution_count": "<script>"},
        {"output_type": "<script>"},
        {},
        "text",
    ],
)
def test_a_malformed_output_costs_only_itself(wrong):
    good = new_output("stream", name="stdout", text="good")
    cell = new_code_cell("1")
    cell.outputs = nbformat.from_dict([wrong, good])
    (cell,) = defused(cell).cells
    assert cell.outputs[-1].text == "good" and "script" not in nbformat.writes(new_notebook(cells=[cell]))


def test_only_display_only_cells_keep_what_was_handed_in():
    shown = new_code_cell(
        "1", metadata={"tags": ["display-only"]}, outputs=[picture_output(), picture_output("text/html")]
    )
    run = new_code_cell("1", outputs=[picture_output()])
    nb, _ = KeepPictures().preprocess(new_notebook(cells=[shown, run]), {})
    assert [set(o.data) for o in nb.cells[0].outputs] == [{"image/png", "text/plain"}, {"text/plain"}]
    assert nb.cells[1].outputs == []


PIECES = [
    "<", ">", "a", "script", "img src=x onerror=x", "[", "](", "]:", ")", "!", "javascript:x", "http://a.b/c", "\n",
    "`", "```", "$", "$$", "&#60;", "&lt;", "\\", "|", "-", "*", "_", "#", " ", "    ", '"', "'", "b>", "/", "\\[",
    "\\begin{a}", "\\end{a}", "attachment:x", "==", ":", "https://a.b", "?x=1&y", "]", "(", "<!--", "-->", "\0",
    "~~", "\n\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@settings(max_examples=400)
def test_text_that_is_left_as_it_is_makes_nothing_active_in_any_renderer(text):
    stock = MarkdownWithMath(renderer=IPythonRenderer(escape=False))
    if is_plain(text):
        assert active(stock.render(text)) == []
    else:
        assert active(stock.render(in_one_block(to_html(text, formulas=False)))) == []
    assert active(to_html(text)) == []


def active(html: str) -> list[str]:
    """Elements and attributes of some HTML that a student's text must not bring."""
    found = []
    for element in BeautifulSoup(html, "html.parser").find_all(True):
        if element.name not in TAGS | ELEMENTS:
            found.append(element.name)
        for name, value in element.attrs.items():
            unsafe = (
                name == "href" and not re.match("https?:|mailto:|#", value) or name == "src" and "data:" not in value
            )
            if name.startswith("on") or name == "style" and "text-align" not in value or unsafe:
                found.append(f"{name}={value}")
    return found


# Text for terminals and tables.


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain, ümläut, 數學, 👩‍💻", "plain, ümläut, 數學, 👩‍💻"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x\x1b]8;;http://a\x1b\\y", "xy"),
        ("a\x00b\x08c", "a�b�c"),
        ("\u202egpj.exe", "�gpj.exe"),
        ("a\u200bb\ufeff", "a�b�"),
        ("\ud800", "�"),
        ("\x9b31m", "�31m"),
        ("a\r\nb\rc", "a\nb\nc"),
    ],
)
def test_text_becomes_harmless(text, shown):
    assert harmless(text) == shown


def test_one_line_is_one_line():
    assert one_line("a\n b\t\u2028c") == "a b �c"
    assert one_line("x" * 999, 10) == "x" * 10 + "…"


def test_report_and_csv_show_names_and_problems_as_text(tmp_path):
    verdict = {"score": 0, "max_score": 1, "passed": False, "aspects": {"a": False}, "misconception": None}
    result = {
        "student": "<img src=x onerror=x>\x1b[2J\u202e", "assignment": toy.ASSIGNMENT, "score": 0, "max_score": 1,
        "problems": ["<script>\nx", "\ud800"], "manual": ["why"], "wall": "process", "why": "none here",
        "exercises": {"shift": verdict | {"message": "\t=cmd\x1b[0m|' /C calc'!A0"}},
    }  # fmt: skip
    html = report.page(toy.ASSIGNMENT, [result])
    assert active(html.split("</style>")[1]) == ["style=width:0%"]  # our own bar
    assert "&lt;img src=x onerror=x&gt;�" in html and "&lt;script&gt; x" in html and "\x1b" not in html
    assert "ran without a sandbox" in html
    write_csv(tmp_path / "grades.csv", [result])
    line = (tmp_path / "grades.csv").read_text(encoding="utf-8").splitlines()[1]
    assert "\x1b" not in line and "\u202e" not in line and ",'=cmd|'" in line
