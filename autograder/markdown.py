"""Markdown of a submission as HTML in which nothing runs and nothing is loaded from elsewhere.

nbconvert's own renderer lets HTML and any kind of link through. Here its result is read as a browser would read it and
reduced to the elements, attributes and addresses listed below; the rest is shown as the text it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from typing import Any

from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import Cleaner
from jinja2 import pass_context
from mistune import import_plugin
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.formulas import mathml
from autograder.pictures import as_data_url, checked_picture

METADATA = "autograder"  # our own place in the metadata of notebooks and cells
MAX_MARKDOWN = 30_000
TOO_LONG = "This text is longer than {most:,} characters; what follows is its beginning."
UNREADABLE = "This text could not be laid out; it is shown as it was written."

TAGS = frozenset({
    "a", "b", "blockquote", "br", "caption", "center", "cite", "code", "dd", "del", "details", "div", "dl", "dt",
    "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p",
    "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
})  # fmt: skip
PLUGINS = ("strikethrough", "table", "url", "def_list")  # nbconvert's own, without the boxes of task lists
# Classes of Pygments, and of no page's layout.
CODE_CLASS = re.compile(r"highlight|language-[\w+#.-]{1,30}|[a-z]{1,2}[a-z0-9]?")
LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f]+", re.IGNORECASE)
ALIGNMENT = CSSSanitizer(allowed_css_properties=["text-align"])
VERDICT_STYLE = CSSSanitizer(
    allowed_css_properties=[
        "border-left", "color", "line-height", "margin", "margin-top", "max-width", "opacity", "padding", "white-space",
    ]
)  # fmt: skip

# A formula keeps its place as a private character pair while the HTML around it is cleaned.
OPEN, CLOSE = "\ue000", "\ue001"
PLACE = re.compile(f"{OPEN}(\\d+){CLOSE}")
# Nothing in such a text can become an element, a link or a picture, whoever renders it.
PLAIN_LINK = re.compile(r"\]\(https?://[\w./?=#%+~,:@-]*\)")
ACTIVE = re.compile(r"<[A-Za-z/!?]|!\[|\]\s*[(\[:]|attachment:|javascript:|mermaid", re.IGNORECASE)


class Renderer(IPythonRenderer):
    """nbconvert's renderer; formulas wait in `formulas`, and pictures must be attached or embedded ones."""

    def __init__(self, attachments: Mapping[str, Any], demote: int = 0, **options: Any) -> None:
        super().__init__(escape=False, allow_harmful_protocols=False, exclude_anchor_links=True, **options)
        self.formulas: list[tuple[str, bool]] = []
        self.pictures = attachments
        self.demote = demote

    def block_math(self, body: str) -> str:
        """A formula on a line of its own."""
        return self._place(body, True)

    def inline_math(self, body: str) -> str:
        """A formula in the text."""
        return self._place(body, False)

    def latex_environment(self, name: str, body: str) -> str:
        """An environment such as align."""
        return self._place(f"\\begin{{{name}}}{body}\\end{{{name}}}", True)

    def _place(self, tex: str, display: bool) -> str:
        self.formulas.append((tex, display))
        return f"{OPEN}{len(self.formulas) - 1}{CLOSE}"

    def with_tex(self, text: str) -> str:
        """The text with its formulas as they were written, for attributes."""
        return PLACE.sub(lambda m: self.formulas[int(m[1])][0], text)

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        """A heading, below those of the page."""
        return super().heading(text, min(level + self.demote, 6), **attributes)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """A picture, or in words what it would have been."""
        said = self.with_tex(unescape(re.sub("<[^>]*>", "", text)))
        name = unescape(url)
        shown = attached(self.pictures, name.removeprefix("attachment:")) if name.startswith("attachment:") else None
        if shown is None and name.startswith("data:"):
            shown = data_url(name)
        if shown is None:
            return escape(f"[picture not shown: {said or 'no description'}]")
        return f'<img src="{shown}" alt="{escape(said)}">'


def attached(attachments: Any, name: str) -> str | None:
    """The data URL of an attached picture; None if there is none by that name that may be shown."""
    bundle = attachments.get(name) if isinstance(attachments, Mapping) else None
    for kind in ("image/png", "image/jpeg", "image/gif"):
        if isinstance(bundle, Mapping) and (picture := checked_picture(kind, bundle.get(kind))):
            return as_data_url(kind, picture)
    return None


def data_url(url: str) -> str | None:
    """A data URL with a picture that may be shown, written anew; None for any other."""
    kind, separator, data = url.removeprefix("data:").partition(";base64,")
    picture = checked_picture(kind, data) if separator else None
    return as_data_url(kind, picture) if picture else None


def allowed(tag: str, name: str, value: str) -> bool:
    """Whether an attribute of a student's HTML may stay."""
    if OPEN in value or CLOSE in value:
        return False
    value = unescape(value)
    if name == "class":
        return tag in ("span", "div", "pre", "code") and all(map(CODE_CLASS.fullmatch, value.split()))
    if name == "href":
        return tag == "a" and LINK.fullmatch(value) is not None
    if name == "src":
        return tag == "img" and data_url(value) == value
    if name in ("width", "height"):
        return tag == "img" and re.fullmatch(r"\d{1,4}", value) is not None
    if name in ("colspan", "rowspan"):
        return tag in ("td", "th") and re.fullmatch(r"\d{1,2}", value) is not None
    if name == "style":
        return tag in ("td", "th")
    return name == "alt" and tag == "img" or name == "open" and tag == "details" or name == "start" and tag == "ol"


def allowed_in_verdict(tag: str, name: str, value: str) -> bool:
    """Whether an attribute of a verdict's HTML may stay."""
    return name == "style" or name == "class" and all(word.startswith("bp-") for word in value.split())


def cleaned(html: str) -> str:
    """HTML of a student reduced to what is harmless; everything else shows as text."""
    cleaner = Cleaner(TAGS, allowed, protocols={"http", "https", "mailto", "data"}, css_sanitizer=ALIGNMENT)
    return cleaner.clean(html)


def cleaned_verdict(html: str) -> str:
    """The judge's own HTML. It is trusted, and reduced all the same to what the judge writes."""
    tags = ("div", "span", "b", "code", "br")
    return Cleaner(tags, allowed_in_verdict, protocols=(), css_sanitizer=VERDICT_STYLE).clean(html)


def to_html(source: str, attachments: Any = None, formulas: bool = True, demote: int = 0) -> str:
    """Markdown as harmless HTML. With `formulas`, TeX becomes MathML; without, it stays TeX for the page's MathJax.

    `demote` moves headings down by as many levels.
    """
    said = TOO_LONG.format(most=MAX_MARKDOWN) if len(source) > MAX_MARKDOWN else ""
    source = source[:MAX_MARKDOWN].replace(OPEN, "").replace(CLOSE, "")
    try:
        renderer = Renderer(attachments if isinstance(attachments, Mapping) else {}, demote)
        plugins = [import_plugin(name) for name in PLUGINS]
        html = cleaned(MarkdownWithMath(renderer=renderer, plugins=plugins).render(source))
        written = [formula(tex, display, formulas) for tex, display in renderer.formulas]
        html = PLACE.sub(lambda m: written[int(m[1])] if int(m[1]) < len(written) else "", html)
    except Exception:  # a renderer that a text breaks must not cost the page
        said, html = said or UNREADABLE, f"<pre>{escape(source)}</pre>"
    return f"<p><em>{said}</em></p>\n{html}" if said else html


def formula(tex: str, display: bool, as_mathml: bool) -> str:
    """A formula as MathML, or as the escaped TeX that MathJax looks for."""
    if as_mathml:
        return mathml(tex, display)
    return escape(f"$${tex}$$" if display else f"${tex}$", quote=False)


def is_plain(source: str) -> bool:
    """Whether any renderer of notebooks makes nothing but text, formulas and plain links to the web of this."""
    return len(source) <= MAX_MARKDOWN and not ACTIVE.search(PLAIN_LINK.sub("", source))


def in_one_block(html: str) -> str:
    """Clean HTML as a markdown cell that every renderer passes through as it is: one HTML block without line ends."""
    return f"<div>{html.strip()}</div>".replace("\r", "").replace("\n", "&#10;")


@pass_context
def markdown2html(context: Any, source: str) -> str:
    """nbconvert's filter of that name, for the pages that nbgrader's formgrader makes."""
    cell = context.get("cell", {})
    written = as_written(cell) if cell and source == cell.source else source
    return to_html(written, cell.get("attachments", {}))


def as_written(cell: Any) -> str:
    """The text of a Markdown cell as its author wrote it, before `outputs.Defuse` laid it out; it may be active."""
    written = cell.metadata.get(METADATA, {}).get("source")
    return written if isinstance(written, str) else cell.source
