"""Pictures: readable in every viewer and theme, with a text for those who cannot see them."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest

from course_utils.plots import PictureError, figure, output, palette, show


@pytest.fixture
def displayed(monkeypatch):
    """What `show` hands to Jupyter: a list of (data, metadata)."""
    calls = []
    monkeypatch.setattr(output, "in_jupyter", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, metadata, raw: calls.append((data, metadata)))
    return calls


def pixels(png: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def test_the_palette_is_okabe_and_itos():
    source = {  # Okabe and Ito, "Color Universal Design", 2008, in RGB
        "black": (0, 0, 0), "orange": (230, 159, 0), "sky": (86, 180, 233), "green": (0, 158, 115),
        "yellow": (240, 228, 66), "blue": (0, 114, 178), "vermillion": (213, 94, 0), "purple": (204, 121, 167),
    }  # fmt: skip
    assert len(palette) == len(palette.names) == 8
    for name, rgb in source.items():
        assert palette[name] == getattr(palette, name) == "#{:02X}{:02X}{:02X}".format(*rgb)
    assert palette[0] == palette.blue and palette[:2] == (palette.blue, palette.orange)


def test_an_unknown_colour_names_the_known_ones():
    with pytest.raises(KeyError, match="no colour 'pink'.*vermillion"):
        palette["pink"]
    with pytest.raises(AttributeError, match="no colour 'pink'"):
        _ = palette.pink


def test_figure_makes_the_panels_asked_for():
    fig, ax = figure()
    assert fig.axes == [ax] and fig.get_facecolor() == (1, 1, 1, 1)
    assert ax._get_lines.get_next_color() == palette.blue
    fig, axes = figure(2, 3, size=(6, 4), sharey=True)
    assert axes.shape == (2, 3) and tuple(fig.get_size_inches()) == (6, 4)
    _, axes = figure(1, 2, images=True)
    assert not any(ax.axison for ax in axes)


def test_figure_leaves_matplotlibs_settings_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    figure(1, 2)
    assert dict(matplotlib.rcParams) == before


def test_show_sends_a_white_picture_with_its_text(displayed):
    fig, ax = figure()
    fig.set_facecolor("none")  # whatever the figure's own ground, the page's must not shine through
    ax.plot([1, 2, 3])
    alt = 'Loss "falls" from 3 to 1 & <b>stays</b> there.'
    show(fig, alt=alt)
    ((data, metadata),) = displayed
    assert set(data) == {"text/html", "image/png", "text/plain"} and data["text/plain"] == alt
    png = base64.b64decode(data["image/png"])
    image = pixels(png)
    assert (image[..., 3] == 255).all() and (image[0, 0] == 255).all()
    assert metadata["image/png"]["alt"] == alt
    width, height = metadata["image/png"]["width"], metadata["image/png"]["height"]
    assert image.shape[:2] == pytest.approx((2 * height, 2 * width), abs=1)
    html = data["text/html"]
    assert data["image/png"] in html and f'width="{width}"' in html
    assert 'alt="Loss &quot;falls&quot; from 3 to 1 &amp; &lt;b&gt;stays&lt;/b&gt; there."' in html
    assert len(re.findall("<", html)) == 1


def test_show_closes_a_pyplot_figure(displayed):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, _ = plt.subplots()
    show(fig, "An empty plot.")
    assert fig.number not in plt.get_fignums() and len(displayed) == 1


def test_show_prints_the_text_outside_jupyter(capsys):
    fig, _ = figure()
    show(fig, "An empty plot.")
    assert capsys.readouterr().out == "An empty plot.\n"


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_show_wants_a_text(alt):
    with pytest.raises(PictureError, match="needs a text") as caught:
        show(figure()[0], alt)
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_show_wants_a_figure():
    with pytest.raises(PictureError, match="matplotlib figure, but it was given list"):
        show([1, 2], "A list.")
