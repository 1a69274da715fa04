"""Controls in one style: each with a description, a tooltip and a CSS class by which tests find it."""

from __future__ import annotations

from collections.abc import Callable


def slider(kind: str, css: str, description: str, tooltip: str, changed: Callable[[], None] | None = None, **settings):
    """An ipywidgets slider that calls `changed` at every move; `kind` is its class, such as "IntSlider"."""
    import ipywidgets as widgets

    control = getattr(widgets, kind)(
        description=description,
        tooltip=tooltip,
        style={"description_width": "initial"},
        layout=widgets.Layout(width=settings.pop("width", "320px")),
        **settings,
    )
    return _finish(control, css, changed)


def choice(css: str, description: str, tooltip: str, changed: Callable[[], None] | None = None, **settings):
    """Radio buttons in a row that call `changed` when another one is chosen.

    Not a `Dropdown`: JupyterLab takes the arrow keys away from it. It takes them from radio buttons too, but Tab and
    Space choose these.
    """
    import ipywidgets as widgets

    control = widgets.RadioButtons(
        description=description,
        tooltip=tooltip,
        orientation="horizontal",
        style={"description_width": "initial"},
        layout=widgets.Layout(
            width="auto", display="flex", flex_flow="row wrap", align_items="baseline", grid_gap="10px"
        ),
        **settings,
    )
    return _finish(control, css, changed)


def button(css: str, description: str, tooltip: str, pressed: Callable[[], None]):
    """An ipywidgets `Button` that calls `pressed`."""
    import ipywidgets as widgets

    control = widgets.Button(description=description, tooltip=tooltip, layout=widgets.Layout(width="auto"))
    control.on_click(lambda _: pressed())
    control.add_class(css)
    return control


def row(*controls):
    """Controls beside one another, on as many lines as the page needs."""
    import ipywidgets as widgets

    return widgets.Box(
        controls, layout=widgets.Layout(display="flex", flex_flow="row wrap", align_items="center", grid_gap="2px 14px")
    )


def frame(css: str, *parts):
    """The whole widget: its rows of controls and its picture, from top to bottom."""
    import ipywidgets as widgets

    view = widgets.VBox(parts)
    view.add_class("bp-widget")
    view.add_class(css)
    return view


def _finish(control, css: str, changed: Callable[[], None] | None):
    control.add_class(css)
    if changed is not None:
        control.observe(lambda _: changed(), names="value")
    return control
