"""How a widget reaches the page: live where there is a widget manager, as a picture everywhere else."""

from __future__ import annotations

from course_utils.environment import in_jupyter
from course_utils.plots.output import display_picture
from course_utils.widgets.scene import Scene


def show_widget(view, still: Scene) -> None:
    """Display the ipywidget `view`, with `still` as picture and text for pages without widgets.

    One mimebundle holds both: a frontend with a widget manager prefers the live view; nbviewer, GitHub,
    nbconvert and an untrusted notebook take the picture, a terminal the text.
    """
    if not in_jupyter():  # drawing a picture that nobody sees takes time
        print(still.alt)
        return
    live = view._repr_mimebundle_() or {}
    live.pop("text/plain", None)
    display_picture(still.png(), round(still.width), round(still.height), still.alt, live=live)


def picture(still: Scene) -> str:
    """The HTML in which a live widget shows `still`."""
    return f"<div class='bp-figure' style='line-height:normal'>{still.svg()}</div>"


def waiting(doing: str) -> str:
    """The HTML that a live widget shows in place of its picture while it computes for seconds."""
    return f"<div class='bp-figure' role='status' style='padding:1em 0'>{doing}</div>"
