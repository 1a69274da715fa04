"""Folders of small images that the tests make on the spot."""

from __future__ import annotations

from PIL import Image

CLASSES = ("apple", "in", "zebra")  # "in" is also a part of "train"


def colour(label, number):
    """Every image has a colour of its own, so that it can be found again."""
    return (40 + 60 * label, 3 * number % 256, number // 80)


def fill(folder, classes=CLASSES, count=20, ending=".png", first=0):
    """Make `count` images of every class, and some files that are none."""
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for number in range(first, first + count):
            Image.new("RGB", (9, 7), colour(label, number)).save(folder / name / f"{number:03}{ending}")
        (folder / name / "notes.txt").write_text("not an image")
        (folder / name / ".hidden.png").write_text("not an image")
    return folder


def contents(split):
    """The paths of a split's images."""
    return {split.images.path(place).as_posix() for place in range(len(split))}
