"""Unpacking: nothing outside the folder, and all of it or nothing."""

from __future__ import annotations

import io
import tarfile

import pytest

from course_utils.data import DataError
from course_utils.data.unpack import unpack


def tar_of(path, *members):
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            content = b"evil" if member.isreg() else b""
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def member(name, kind=tarfile.REGTYPE, target=""):
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.mark.parametrize(
    "evil",
    [
        [member("../evil")],
        [member("good/../../evil")],
        [member("link", tarfile.SYMTYPE, "/etc"), member("link/evil")],
        [member("link", tarfile.SYMTYPE, ".."), member("link/evil")],
        [member("hard", tarfile.LNKTYPE, "/etc/passwd")],
        [member("device", tarfile.CHRTYPE)],
    ],
    ids=lambda members: members[0].name,
)
def test_no_name_leads_out(tmp_path, evil):
    (tmp_path / "in").mkdir()
    archive = tar_of(tmp_path / "evil.tar.gz", member("first"), *evil)
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "in/folder")
    assert not [path for path in (tmp_path / "in").iterdir() if not path.name.endswith(".lock")]
    assert not (tmp_path / "evil").exists() and not (tmp_path / "in/evil").exists()


def test_absolute_names_stay_inside(tmp_path):
    unpack(tar_of(tmp_path / "a.tar.gz", member(f"{tmp_path}/evil")), tmp_path / "folder")
    assert not (tmp_path / "evil").exists()
    assert [path.name for path in (tmp_path / "folder").rglob("*") if path.is_file()] == ["evil"]


def test_an_unpacking_that_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    archive = tmp_path / "set.tgz"
    tar_of(archive, *(member(f"folder/{number}") for number in range(30)))
    extract, seen = tarfile.TarFile.extract, []

    def interrupted(self, member, *arguments, **named):
        seen.append(member)
        if len(seen) == 20:
            raise KeyboardInterrupt
        extract(self, member, *arguments, **named)

    monkeypatch.setattr(tarfile.TarFile, "extract", interrupted)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, tmp_path / "new/folder")
    assert not [path for path in (tmp_path / "new").iterdir() if not path.name.endswith(".lock")]
    # A program that was killed could not tidy up; the next one does.
    (tmp_path / "new/.folder.unpacking/half").mkdir(parents=True)
    unpack(archive, tmp_path / "new/folder")
    assert sorted(path.name for path in (tmp_path / "new").iterdir() if not path.name.endswith(".lock")) == ["folder"]
    assert not (tmp_path / "new/folder/half").exists()
    unpack(tmp_path / "no.tgz", tmp_path / "new/folder")  # what is there is left alone


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", None])
def test_damaged_archives(tmp_path, content):
    whole = tar_of(tmp_path / "set.tgz", *(member(f"folder/{number}") for number in range(30))).read_bytes()
    (tmp_path / "set.tgz").write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(DataError, match="Delete it, and get it again"):
        unpack(tmp_path / "set.tgz", tmp_path / "new/folder")
    assert not (tmp_path / "new/folder").exists()


def test_no_place_to_unpack(tmp_path):
    (tmp_path / "file").write_text("")
    archive = tar_of(tmp_path / "a.tar.gz", member("name"))
    with pytest.raises(DataError, match="Not a directory.*COURSE_UTILS_CACHE"):
        unpack(archive, tmp_path / "file/in/folder")
