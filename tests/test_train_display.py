"""What a run shows: lines, a bar, and in a notebook a bar with curves."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import pytest

from course_utils._training import progress
from course_utils._training.curves import Curves, _round_up
from tests.training_runs import small_model, train

RECORD = {
    "epoch": 2, "learning_rate": 0.01, "train_loss": 1.25, "train_error": 0.5, "seconds": 2.0,
    "images_per_second": 1234.5,
    "validation_loss": 1.5, "validation_error": 0.25, "validation_top5_error": 0.125,
}  # fmt: skip


def test_a_line_for_each_epoch(capsys):
    train(small_model(), epochs=2, progress="auto")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Training on the CPU") and [line[:9] for line in lines[1:]] == ["epoch 1/2", "epoch 2/2"]
    assert progress.epoch_line(RECORD, 9) == (
        "epoch 2/9: loss 1.2500, training error 50.0%, validation loss 1.5000, error 25.0% (top 5: 12.5%), rate 0.01, "
        "1,234 images/s"
    )
    train(small_model(), epochs=1, progress="quiet")
    assert capsys.readouterr().out == ""


def test_the_bar_is_drawn_over_itself_and_gone_in_the_end(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_REDRAW", 0.0)
    bar = progress.Bar()
    bar.step(1, 2, 1, 4, 2.5, 1000.0)
    bar.step(1, 2, 2, 4, 2.25, 999.0)
    drawn = capsys.readouterr().out
    assert drawn.startswith("\r[######------------------] epoch 1/2, step 1/4: loss 2.5000, 1,000 images/s")
    assert drawn.split("\r")[2].startswith("[############------------]") and "\n" not in drawn
    assert len(drawn.split("\r")[2]) == len(drawn.split("\r")[1]), "a shorter line covers a longer one"
    bar.say("text")
    assert capsys.readouterr().out.endswith("\rtext\n")


def test_a_long_epoch_gives_a_line_now_and_then(capsys, monkeypatch):
    lines = progress.Lines()
    lines.step(1, 2, 1, 4, 2.5, 1000.0)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(progress, "_NEW_LINE", 0.0)
    lines.step(1, 2, 2, 4, 2.5, 1000.0)
    assert capsys.readouterr().out == "epoch 1/2, step 2/4: loss 2.5000, 1,000 images/s\n"


@pytest.fixture
def notebook(monkeypatch):
    """As in a Jupyter kernel; what is displayed is kept."""
    shown = []
    handle = SimpleNamespace(update=lambda bundle, raw: shown.append(bundle))
    monkeypatch.setattr(progress, "in_jupyter", lambda: True)
    import IPython.display

    monkeypatch.setattr(IPython.display, "display", lambda bundle, raw, display_id: handle)
    return shown


def test_in_a_notebook_there_are_a_bar_and_curves(notebook, capsys, monkeypatch):
    monkeypatch.setattr(progress, "_REDRAW", 0.0)
    train(small_model(), epochs=2, progress="auto")
    assert capsys.readouterr().out == ""
    assert any("<progress value='0.1667'" in bundle["text/html"] for bundle in notebook)
    last = notebook[-1]
    assert "<progress" not in last["text/html"] and "<svg role='img'" in last["text/html"]
    assert last["text/plain"].splitlines()[-1].startswith("epoch 2/2")
    assert "epoch 2/2" in last["text/html"]


def test_only_the_leading_process_shows_anything():
    assert type(progress.reporter("auto", leads=False)) is progress.Quiet


def test_a_terminal_gets_a_bar(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert type(progress.reporter("auto", leads=True)) is progress.Bar
    assert type(progress.reporter("lines", leads=True)) is progress.Lines


def test_the_curves_are_a_picture_with_words():
    curves = Curves()
    assert curves.svg() == ""
    for step in range(1, 2001):
        curves.add_step(step / 1000, 3.0 / step)
    curves.add_epoch(RECORD | {"epoch": 1})
    curves.add_epoch(RECORD)
    picture = ElementTree.fromstring(curves.svg())
    assert picture.get("aria-label").endswith("training error 50.0 %, validation error 25.0 %")
    lines = picture.findall("polyline")
    assert len(lines) == 4 and len({line.get("stroke-dasharray") for line in lines}) == 2
    width, height = map(float, picture.get("viewBox").split()[2:])
    for line in lines:
        points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points) and len(points) < 900
    flat = lines[2].get("points").split()
    assert flat[0].split(",")[1] == flat[1].split(",")[1], "50 % twice"


@pytest.mark.parametrize(("value", "top"), [(0.3, 0.5), (2.3, 2.5), (2.6, 5), (7, 10), (10, 10), (99, 100), (0, 1e-6)])
def test_axes_end_at_round_numbers(value, top):
    assert _round_up(value) == pytest.approx(top)
