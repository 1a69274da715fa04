"""Small images in a `Scene`, pixel by pixel."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from course_utils.widgets.scene import INK, Scene

LEVELS = 12  # brightness steps of each colour: few enough that pixels of one colour make one shape


def draw_image(scene: Scene, image: np.ndarray, left: float, top: float, pixel: float) -> None:
    """A (3, H, W) image with values in [0, 1], every pixel a square of `pixel` CSS pixels, in a thin frame."""
    _, height, width = image.shape
    levels = np.rint(np.clip(image, 0, 1) * (LEVELS - 1)).astype(int)
    runs = defaultdict(list)
    for row in range(height):
        start = 0
        for column in range(1, width + 1):
            if column == width or (levels[:, row, column] != levels[:, row, start]).any():
                x, y, w = left + start * pixel, top + row * pixel, (column - start) * pixel
                corners = ((x, y), (x + w, y), (x + w, y + pixel), (x, y + pixel))
                runs[tuple(levels[:, row, start])].append(corners)
                start = column
    for color, parts in runs.items():
        shade = "#" + "".join(f"{round(255 * level / (LEVELS - 1)):02X}" for level in color)
        scene.polygon(*parts, fill=shade, stroke=shade, width=0.4)
    frame = [(left, top), (left + width * pixel, top), (left + width * pixel, top + height * pixel)]
    scene.line([*frame, (left, top + height * pixel), (left, top)], INK, 1)
