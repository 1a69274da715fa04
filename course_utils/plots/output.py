"""How a picture leaves the kernel: as PNG with alternative text, readable in every viewer and theme."""

from __future__ import annotations

import base64
import html
import io
import sys

from course_utils.environment import in_jupyter

DPI = 200  # twice the resolution of the page, so that text stays sharp on dense screens


class PictureError(ValueError):
    """A picture that cannot be shown. In Jupyter it shows as its one sentence, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def show(fig, alt: str) -> None:
    """Display the matplotlib figure `fig` as a PNG with the alternative text `alt`, and close the figure.

    `alt` says in one or two sentences what there is to see. Outside Jupyter it is printed in place of the picture.
    Raises `PictureError` with one sentence when `alt` is empty or `fig` is not a figure.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise PictureError("show(fig, alt) needs a text that says what there is to see in the picture.")
    if not hasattr(fig, "savefig"):
        raise PictureError(f"show(fig, alt) needs a matplotlib figure, but it was given {type(fig).__name__}.")
    try:
        display_picture(*_png(fig), alt)
    finally:
        # A pyplot figure left open would be shown a second time when the cell ends.
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close(fig)


def picture_bundle(png: bytes, width: int, height: int, alt: str) -> tuple[dict, dict]:
    """The Jupyter mimebundle and its metadata for one picture of `width` × `height` CSS pixels.

    JupyterLab 4.6 gives an ``image/png`` output no alternative text, so the picture also goes out as ``text/html``,
    which it prefers. The ``image/png`` stays for viewers that show no HTML; nbconvert reads its text from the metadata.
    """
    encoded = base64.b64encode(png).decode("ascii")
    text = html.escape(alt, quote=True)
    tag = (
        f'<img class="bp-picture" src="data:image/png;base64,{encoded}" alt="{text}" width="{width}" height="{height}" '
        'style="background: white; max-width: 100%; height: auto; margin-top: 0.4em;">'
    )
    data = {"text/html": tag, "image/png": encoded, "text/plain": alt}
    return data, {"image/png": {"alt": alt, "width": width, "height": height}}


def display_picture(png: bytes, width: int, height: int, alt: str, live: dict | None = None) -> None:
    """Display a PNG with alternative text in Jupyter, print the text elsewhere.

    `width` and `height` are in CSS pixels. `live` holds further mime types for frontends that know them
    (a widget's view); the picture is then what all others show.
    """
    if not in_jupyter():
        print(alt)
        return
    from IPython.display import display

    data, metadata = picture_bundle(png, width, height, alt)
    display({**(live or {}), **data}, metadata=metadata, raw=True)


def _png(fig) -> tuple[bytes, int, int]:
    """The figure as PNG on white, and its width and height in CSS pixels (100 to the inch)."""
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=DPI, facecolor="white", bbox_inches="tight", pad_inches=0.08)
    png = file.getvalue()
    # A PNG states its width and height in bytes 16 to 24.
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    return png, round(width * 100 / DPI), round(height * 100 / DPI)
