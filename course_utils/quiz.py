"""Predict, then reveal: a question before the cell that answers it, and what became of the prediction after it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from course_utils.environment import grading, in_jupyter, show

_BOX = "border-left:4px solid {edge};padding:.4em .8em;margin:.2em 0;max-width:60em"
_RIGHT, _WRONG, _NEUTRAL = "#0072B2", "#E69F00", "#56B4E9"  # Okabe–Ito; the words and marks say the same


class QuizError(ValueError):
    """An author's slip in `predict` or `reveal`. In Jupyter it shows as its one sentence, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass
class _Question:
    text: str
    choices: tuple[str, ...]
    chosen: int | None = None


# What was asked and chosen in this kernel, by key.
_asked: dict[str, _Question] = {}


def predict(key: str, question: str, choices: Sequence[str]) -> None:
    """Show a question with radio buttons, and remember under `key` what is chosen.

    `choices` are two or more different strings. Text between backticks is shown as code.
    Nothing is chosen at first; running the cell again keeps an earlier choice. Without a widget frontend the question
    and its numbered choices are plain text. Nothing happens while nbgrader runs the notebook.
    Raises `QuizError` with one sentence when there is nothing to choose from.
    """
    if grading():
        return
    if not isinstance(key, str) or not isinstance(question, str):
        raise QuizError(f"predict({key!r}) needs a text as its key and a text as its question.")
    fresh = _Question(question, _valid_choices(key, choices))
    before = _asked.get(key)
    if before and (before.text, before.choices) == (fresh.text, fresh.choices):
        fresh.chosen = before.chosen
    _asked[key] = fresh
    text, static = _question_text(fresh), _question_html(fresh)
    if not in_jupyter():
        print(text)
        return
    from IPython.display import display

    view = _form(fresh)._repr_mimebundle_() or {}
    display({**view, "text/html": static, "text/plain": text}, raw=True)


def reveal(key: str, answer: int, because: str) -> None:
    """Show what was predicted under `key`, what is true and why.

    `answer` is the 0-based index of the right choice. Where nothing was chosen, the answer waits behind a click.
    Nothing happens while nbgrader runs the notebook.
    Raises `QuizError` with one sentence when `answer` is no choice's index, or no `predict` of this key has run
    in this kernel.
    """
    if grading():
        return
    asked = _asked.get(key) if isinstance(key, str) else None
    if asked is None:
        raise QuizError(f"reveal({key!r}) has no question to answer: run the cell with predict({key!r}, …) first.")
    count = len(asked.choices)
    if isinstance(answer, bool) or not isinstance(answer, int) or not 0 <= answer < count:
        raise QuizError(f"reveal({key!r}): the answer {answer!r} is not the index of a choice (0 to {count - 1}).")
    if not isinstance(because, str):
        raise QuizError(f"reveal({key!r}) needs a text that says why.")
    show(_answer_text(asked, answer, because), _answer_html(asked, answer, because))


def _valid_choices(key: str, choices: Sequence[str]) -> tuple[str, ...]:
    listed = isinstance(choices, (list, tuple))
    if not listed or not all(isinstance(choice, str) and choice.strip() for choice in choices):
        raise QuizError(f"predict({key!r}) needs its choices as a list of texts.")
    if len(choices) < 2 or len(set(choices)) != len(choices):
        raise QuizError(f"predict({key!r}) needs at least two choices, all different.")
    return tuple(choices)


def _form(asked: _Question):
    """The live question: an ipywidget that writes the choice into `asked`."""
    import ipywidgets as widgets

    heading = widgets.HTMLMath(f"<div class='bp-question'>{_LOOSE}<b>{_rich(asked.text)}</b></div>")
    radio = widgets.RadioButtons(
        options=[(choice.replace("`", ""), index) for index, choice in enumerate(asked.choices)],
        value=asked.chosen,
        tooltip="Your prediction",
        layout=widgets.Layout(width="auto", max_width="60em"),
    )
    radio.add_class("bp-choices")
    feedback = widgets.HTML(_feedback(asked))

    def choose(change) -> None:
        asked.chosen = change["new"]
        feedback.value = _feedback(asked)

    radio.observe(choose, names="value")
    form = widgets.VBox([heading, radio, feedback])
    form.add_class("bp-predict")
    return form


# ipywidgets gives every radio button one line of fixed height; a long choice needs more.
_LOOSE = (
    "<style>.bp-choices, .bp-choices .widget-radio-box {height:auto; max-height:none; width:100%; overflow:visible}"
    ".bp-choices .widget-radio-box label {display:flex; flex-direction:row-reverse; justify-content:flex-end;"
    " align-items:flex-start; gap:.6em; height:auto; margin:.2em 0; line-height:1.5; white-space:normal}"
    ".bp-choices .widget-radio-box input {position:static; flex:none; height:1.5em; margin:0}</style>"
)


def _feedback(asked: _Question) -> str:
    if asked.chosen is None:
        return "<div class='bp-feedback' role='status'>Choose an answer, then go on.</div>"
    choice = _rich(asked.choices[asked.chosen])
    return f"<div class='bp-feedback' role='status'>Noted: {choice.rstrip('.')}. Go on to see.</div>"


def _rich(text: str) -> str:
    """Escaped HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code style='font-family:monospace'>\1</code>", escape(text))


def _question_text(asked: _Question) -> str:
    lines = [f"  {number}. {choice}" for number, choice in enumerate(asked.choices, start=1)]
    return "\n".join(["Predict: " + asked.text, *lines])


def _question_html(asked: _Question) -> str:
    items = "".join(f"<li>{_rich(choice)}</li>" for choice in asked.choices)
    box = _BOX.format(edge=_NEUTRAL)
    return f"<div class='bp-predict' style='{box}'><b>{_rich(asked.text)}</b><ol>{items}</ol></div>"


def _answer_text(asked: _Question, answer: int, because: str) -> str:
    truth = asked.choices[answer]
    if asked.chosen is None:
        return f"You have not made a prediction. It is: {truth}\n{because}"
    if asked.chosen == answer:
        return f"✓ You predicted: {truth}\n  So it is.\n{because}"
    return f"✗ You predicted: {asked.choices[asked.chosen]}\n  It is: {truth}\n{because}"


def _answer_html(asked: _Question, answer: int, because: str) -> str:
    truth, why = _rich(asked.choices[answer]), f"<div style='margin-top:.3em'>{_rich(because)}</div>"
    if asked.chosen is None:
        edge = _NEUTRAL
        body = (
            "You have not made a prediction yet. Choose an answer above and run this cell again."
            f"<details><summary>Show the answer now</summary>It is: <b>{truth}</b>{why}</details>"
        )
    elif asked.chosen == answer:
        edge, body = _RIGHT, f"✓ You predicted: <b>{truth}</b><br>So it is.{why}"
    else:
        wrong = _rich(asked.choices[asked.chosen])
        edge, body = _WRONG, f"✗ You predicted: <b>{wrong}</b><br>It is: <b>{truth}</b>{why}"
    return f"<div class='bp-reveal' style='{_BOX.format(edge=edge)}'>{body}</div>"
