"""Predict, then reveal: what is remembered, what is shown, and what an author may not write."""

from __future__ import annotations

import pytest

from course_utils import quiz
from course_utils.quiz import QuizError, predict, reveal

CHOICES = ["`grad` is 3", "a < b", "<script>alert(1)</script>"]


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(quiz, "_asked", {})


@pytest.fixture
def displayed(monkeypatch):
    """What is handed to Jupyter, as a list of mimebundles."""
    calls = []
    monkeypatch.setattr(quiz, "in_jupyter", lambda: True)
    monkeypatch.setattr("course_utils.environment.in_jupyter", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, raw: calls.append(data))
    return calls


@pytest.fixture
def forms(monkeypatch):
    """The ipywidgets that `predict` makes."""
    made = []
    make = quiz._form
    monkeypatch.setattr(quiz, "_form", lambda asked: made.append(make(asked)) or made[-1])
    return made


def choose(form, index):
    form.children[1].value = index


def test_predict_shows_the_question_live_and_still(displayed, forms):
    predict("q", "What is <i>2</i>?", CHOICES)
    (bundle,) = displayed
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == forms[0].model_id
    assert bundle["text/plain"] == (
        "Predict: What is <i>2</i>?\n  1. `grad` is 3\n  2. a < b\n  3. <script>alert(1)</script>"
    )
    html = bundle["text/html"]
    assert "What is &lt;i&gt;2&lt;/i&gt;?" in html and "a &lt; b" in html and "<script" not in html
    assert html.count("<li>") == 3 and ">grad</code> is 3" in html
    heading, radio, feedback = forms[0].children
    assert radio.value is None and radio.index is None
    assert [label for label, _ in radio.options] == ["grad is 3", *CHOICES[1:]]
    assert "&lt;i&gt;" in heading.value and "Choose an answer" in feedback.value


def test_predict_gives_feedback_without_the_answer(displayed, forms):
    predict("q", "?", CHOICES)
    choose(forms[0], 2)
    feedback = forms[0].children[2].value
    assert "Noted: &lt;script&gt;" in feedback and "<script" not in feedback


@pytest.mark.parametrize(("chosen", "mark"), [(0, "✗"), (1, "✓")])
def test_reveal_says_what_was_predicted_and_what_is_true(displayed, forms, chosen, mark):
    predict("q", "?", ["three & more", "four"])
    choose(forms[0], chosen)
    reveal("q", 1, "since `2 + 2` < 5")
    text, html = displayed[1]["text/plain"], displayed[1]["text/html"]
    assert text.startswith(f"{mark} You predicted: {['three & more', 'four'][chosen]}\n")
    assert ("It is: four" in text) == (chosen == 0) and text.endswith("since `2 + 2` < 5")
    assert html.count("<details>") == 0 and ">2 + 2</code> &lt; 5" in html
    assert f"{mark} You predicted: <b>{['three &amp; more', 'four'][chosen]}</b>" in html


def test_reveal_without_a_choice_does_not_spoil(displayed):
    predict("q", "?", ["three", "four"])
    reveal("q", 1, "because")
    before, after = displayed[1]["text/html"].split("<details>")
    assert "not made a prediction" in before and "four" not in before and "four" in after
    assert displayed[1]["text/plain"] == "You have not made a prediction. It is: four\nbecause"


def test_running_the_question_again_keeps_the_choice(displayed, forms):
    predict("q", "?", ["three", "four"])
    choose(forms[0], 1)
    predict("q", "?", ["three", "four"])
    assert forms[1].children[1].value == 1 and "Noted: four" in forms[1].children[2].value
    choose(forms[1], 0)
    reveal("q", 1, "because")
    assert "✗ You predicted: three" in displayed[-1]["text/plain"]


def test_a_changed_question_starts_afresh(displayed, forms):
    predict("q", "?", ["three", "four"])
    choose(forms[0], 1)
    predict("q", "?", ["three", "five"])
    assert forms[1].children[1].value is None


def test_keys_are_apart(displayed, forms):
    predict("a", "?", ["three", "four"])
    predict("b", "?", ["three", "four"])
    choose(forms[0], 0)
    choose(forms[1], 1)
    reveal("a", 0, "because")
    assert displayed[-1]["text/plain"].startswith("✓ You predicted: three")


def test_plain_text_outside_jupyter(capsys):
    predict("q", "What?", ["three", "four"])
    reveal("q", 1, "because")
    assert capsys.readouterr().out == (
        "Predict: What?\n  1. three\n  2. four\nYou have not made a prediction. It is: four\nbecause\n"
    )


@pytest.mark.parametrize("mode", ["autograde", "validate"])
def test_nothing_happens_in_grading(monkeypatch, displayed, capsys, mode):
    monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    predict("q", "?", ["three", "four"])
    reveal("never asked", 7, "because")
    assert displayed == [] and quiz._asked == {} and capsys.readouterr().out == ""


@pytest.mark.parametrize("answer", [-1, 2, True, 0.0, "three", None])
def test_an_answer_that_is_no_choice_is_one_sentence(capsys, answer):
    predict("q", "?", ["three", "four"])
    with pytest.raises(QuizError, match=r"reveal\('q'\): the answer .* is not the index of a choice \(0 to 1\)\.") as e:
        reveal("q", answer, "because")
    assert e.value._render_traceback_() == [str(e.value)]


def test_an_answer_without_its_question_is_one_sentence():
    with pytest.raises(QuizError, match=r"^reveal\('q'\) has no question to answer: run the cell .* first\.$"):
        reveal("q", 0, "because")


@pytest.mark.parametrize("choices", ["three", [], ["three"], ["three", "three"], ["three", 4], ["three", " "], None, 3])
def test_choices_that_are_none_are_one_sentence(choices):
    with pytest.raises(QuizError, match=r"^predict\('q'\) needs .*\.$"):
        predict("q", "?", choices)
    assert quiz._asked == {}


def test_questions_and_reasons_are_texts():
    for key, question in [(3, "?"), ("q", None), (["q"], "?")]:
        with pytest.raises(QuizError, match="needs a text"):
            predict(key, question, ["three", "four"])
    predict("q", "?", ["three", "four"])
    with pytest.raises(QuizError, match="needs a text that says why"):
        reveal("q", 0, None)
    with pytest.raises(QuizError, match="has no question"):
        reveal(["q"], 0, "because")
