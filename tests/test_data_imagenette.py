"""Imagenette, from a server, from a folder, or put there by hand."""

from __future__ import annotations

import dataclasses
import io
import tarfile

import numpy as np
import pytest

from course_utils.data import DataError, imagenette, load_imagenette, resume
from tests.data_server import serving
from tests.made_up_images import contents, fill

WNIDS = tuple(imagenette.CLASSES)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_UTILS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(resume, "PAUSE", 0.0)
    return tmp_path / "cache"


def imagenette_archive(tmp_path, classes=WNIDS):
    folder = tmp_path / "made/imagenette2-160"
    fill(folder / "train", classes=classes, count=10, ending=".JPEG")
    fill(folder / "val", classes=classes, count=4, ending=".JPEG", first=50)
    (folder / "noisy_imagenette.csv").write_text("path\n")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(folder, "imagenette2-160")
    return buffer.getvalue()


def test_imagenette_from_a_server(tmp_path, monkeypatch, cache):
    content = imagenette_archive(tmp_path)
    with serving(content, name="imagenette2-160.tgz", breaks=[5000]) as server:
        source = dataclasses.replace(server.source(), what="Imagenette")
        monkeypatch.setitem(imagenette.SOURCES, "160", source)
        with pytest.raises(DataError, match="Imagenette is not on this machine"):
            load_imagenette()
        data = load_imagenette(size=16, download=True)
        assert server.sent == len(content)
    assert data.name == "imagenette" and data.classes[:2] == ("tench", "English springer")
    assert [len(each) for each in (data.train, data.validation, data.test)] == [90, 10, 40]
    assert all("/val/" in path for path in contents(data.test))
    assert data.train.images[:2].shape == (2, 3, 16, 16)
    # Now it is here; from the folder, whichever level is named, it is the same.
    again = load_imagenette(size=16)
    assert contents(again.validation) == contents(data.validation)
    for path in (cache / "imagenette2-160", cache / "imagenette2-160/imagenette2-160"):
        np.testing.assert_array_equal(load_imagenette(path, size=16).validation.labels, data.validation.labels)


def test_imagenette_put_there_by_hand(tmp_path, monkeypatch, cache):
    content = imagenette_archive(tmp_path)
    with serving(content, name="imagenette2-160.tgz") as server:
        monkeypatch.setitem(imagenette.SOURCES, "160", server.source())
    cache.mkdir()
    (cache / "imagenette2-160.tgz").write_bytes(content)
    assert len(load_imagenette().test) == 40 and not server.asked


def test_imagenette_that_is_something_else(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        load_imagenette(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no train and val in it"):
        load_imagenette(fill(tmp_path / "set"))
    imagenette_archive(tmp_path, classes=("cat", "dog"))
    with pytest.raises(DataError, match="does not hold Imagenette's ten classes"):
        load_imagenette(tmp_path / "made")
    with pytest.raises(ValueError, match="one of 160, 320, full, not 200"):
        load_imagenette(resolution="200")


def test_where_imagenette_really_comes_from():
    names = ["imagenette2-160.tgz", "imagenette2-320.tgz", "imagenette2.tgz"]
    assert [source.name for source in imagenette.SOURCES.values()] == names
    assert len({source.sha256 for source in imagenette.SOURCES.values()}) == 3
    assert all(len(source.sha256) == 64 and source.url.startswith("https://") for source in imagenette.SOURCES.values())
    for resolution, source in imagenette.SOURCES.items():
        assert source.call == f"load_imagenette(resolution='{resolution}', download=True)"
