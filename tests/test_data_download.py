"""Downloads from a server that breaks off, forgets, changes or lies: the right file arrives, or a sentence does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pooch
import pytest

from course_utils.data import DataError, cache_folder, resume
from course_utils.data.download import obtain
from tests.data_server import serving

CONTENT = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(300_000)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and no waiting."""
    monkeypatch.setenv("COURSE_UTILS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(resume, "PAUSE", 0.0)
    return tmp_path / "cache"


def left_over(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if not file.name.endswith(".lock"))


def test_a_whole_download(cache):
    with serving(CONTENT) as server:
        file = obtain(server.source(), download=True)
        assert file == cache / "set.tar.gz" and file.read_bytes() == CONTENT
        assert obtain(server.source(), download=True) == file, "what is there is not fetched again"
        assert [each.status for each in server.asked] == [200]
    assert obtain(server.source(), download=False) == file, "nor is a network needed"
    assert left_over(cache) == ["set.tar.gz"]


def test_nothing_is_fetched_unasked(cache):
    with serving(CONTENT) as server, pytest.raises(DataError, match="The test set is not on this machine") as caught:
        obtain(server.source(), download=False)
    message = str(caught.value)
    assert f"load_test(download=True) downloads 0.3 MB into {cache}. " in message
    assert message.endswith(f"Or put set.tar.gz from {server.url} there by hand.")
    assert not server.asked and not cache.exists()


def test_a_connection_that_breaks_off_goes_on_within_the_call(cache):
    with serving(CONTENT, breaks=[100_000, 50_000]) as server:
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
    assert [(each.status, each.range, each.if_range) for each in server.asked] == [
        (200, "", ""),
        (206, "bytes=100000-", '"one"'),
        (206, "bytes=150000-", '"one"'),
    ]
    assert server.sent == len(CONTENT), "only the rest was sent"


def test_what_a_stopped_program_has_is_used_by_the_next(cache):
    code = (
        "import os, sys\n"
        "from course_utils.data.download import Source, obtain\n"
        f"obtain(Source('The test set', sys.argv[1], sys.argv[2], {len(CONTENT)}, ''), download=True)"
    )
    with serving(CONTENT, pause=0.05) as server:
        program = subprocess.Popen([sys.executable, "-c", code, server.url, server.source().sha256])
        part = cache / "set.tar.gz.part"
        while not (part.exists() and part.stat().st_size > 65_536):
            assert program.poll() is None
        program.kill()
        program.wait()
        kept = part.stat().st_size
        server.pause = 0.0
        assert kept < len(CONTENT) and not (cache / "set.tar.gz").exists()
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
    last = server.asked[-1]
    assert (last.status, last.range, last.sent) == (206, f"bytes={kept}-", len(CONTENT) - kept)


def test_giving_up_keeps_what_has_arrived(cache):
    with serving(CONTENT, breaks=[100_000] + 10 * [0]) as server:
        with pytest.raises(DataError, match="0.1 MB of 0.3 MB have arrived, and the next call goes on from there"):
            obtain(server.source(), download=True)
        assert len(server.asked) == 1 + resume.ATTEMPTS - 1, "the first brought something"
        server.breaks.clear()
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
        assert server.asked[-1].sent == len(CONTENT) - 100_000


@pytest.mark.parametrize("tag, modified", [("", ""), ("", "Mon, 01 Jan 2024 00:00:00 GMT"), ('W/"weak"', "")])
def test_servers_that_say_little_about_versions(cache, tag, modified):
    with serving(CONTENT, tag=tag, modified=modified, breaks=[100_000]) as server:
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
    assert server.asked[1].if_range == modified and server.sent == len(CONTENT)


def test_a_server_that_cannot_send_parts(cache):
    with serving(CONTENT, ranges=False, breaks=[100_000]) as server:
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
    assert [(each.status, each.range) for each in server.asked] == [(200, ""), (200, "bytes=100000-")]


@pytest.mark.parametrize("tag", ['"two"', ""])
def test_a_file_that_changes_in_between(cache, tag):
    """With a tag the server says so; without one the hash does, and all of it comes once more."""
    with serving(OTHER, tag='"one"' if tag else "", breaks=[100_000] + 10 * [0]) as server:
        with pytest.raises(DataError):
            obtain(server.source(CONTENT), download=True)
        server.content, server.tag, server.breaks, server.asked = CONTENT, tag, [], []
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
    assert [each.status for each in server.asked] == ([200] if tag else [206, 200])
    assert left_over(cache) == ["set.tar.gz"]


def test_a_part_that_is_longer_than_the_file_of_today(cache):
    with serving(CONTENT + OTHER, breaks=[400_000] + 10 * [0]) as server:
        with pytest.raises(DataError):
            obtain(server.source(), download=True)
        server.content, server.breaks, server.asked = CONTENT, [], []
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
        assert [each.status for each in server.asked] == [200]


def test_all_of_it_had_arrived_already(cache):
    with serving(CONTENT) as server:
        cache.mkdir()
        (cache / "set.tar.gz.part").write_bytes(CONTENT)
        (cache / "set.tar.gz.part.json").write_text(f'{{"url": "{server.url}", "version": ""}}')
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
    assert not server.asked


@pytest.mark.parametrize("origin", ["", "[]", '{"url": "http://elsewhere/set.tar.gz"}', None])
def test_a_part_of_unknown_origin_is_not_used(cache, origin):
    cache.mkdir()
    (cache / "set.tar.gz.part").write_bytes(OTHER[:1000])
    if origin is not None:
        (cache / "set.tar.gz.part.json").write_text(origin)
    with serving(CONTENT) as server:
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
    assert [each.range for each in server.asked] == [""]


def test_an_altered_file_is_refused_and_removed(cache):
    with serving(CONTENT[:-1] + b"!") as server:
        with pytest.raises(DataError, match="not the file that it should be"):
            obtain(server.source(CONTENT), download=True)
        assert left_over(cache) == []
        server.content = CONTENT
        assert obtain(server.source(), download=True).read_bytes() == CONTENT


@pytest.mark.parametrize("served", [CONTENT[:200_000], CONTENT + b"more", b"<html>Please log in</html>"])
def test_a_file_of_another_length_is_refused_before_it_comes(cache, served):
    with serving(served) as server, pytest.raises(DataError, match=f"has {len(served):,} bytes instead of 300,000"):
        obtain(server.source(CONTENT), download=True)
    assert len(server.asked) == 1 and left_over(cache) == []


def test_a_page_to_log_in_does_not_cost_what_has_arrived(cache):
    with serving(CONTENT, breaks=[100_000] + 10 * [0]) as server:
        with pytest.raises(DataError):
            obtain(server.source(), download=True)
        server.content, server.tag, server.breaks = b"<html>Please log in</html>", "", []
        with pytest.raises(DataError, match="0.1 MB of 0.3 MB have arrived"):
            obtain(server.source(CONTENT), download=True)
        server.content, server.tag, server.asked = CONTENT, '"one"', []
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
        assert server.sent == len(CONTENT) - 100_000


def test_an_endless_file_of_unknown_length_is_cut(cache):
    with serving(100 * CONTENT, length=False) as server, pytest.raises(DataError, match="longer than 300,000 bytes"):
        obtain(server.source(CONTENT), download=True)
    assert left_over(cache) == []
    assert server.sent < 50 * len(CONTENT), "the rest is not waited for"


def test_a_short_file_of_unknown_length_is_given_up(cache):
    words = "is shorter than what has arrived|only 200,000 of 300,000 bytes arrived"
    with serving(CONTENT[:200_000], length=False) as server, pytest.raises(DataError, match=words):
        obtain(server.source(CONTENT), download=True)
    assert len(server.asked) == resume.ATTEMPTS


def test_a_file_of_unknown_length_that_breaks_off(cache):
    with serving(CONTENT, length=False, breaks=[100_000]) as server:
        assert obtain(server.source(), download=True).read_bytes() == CONTENT
    assert server.sent == len(CONTENT)


@pytest.mark.parametrize("status, words", [(404, "404 Not Found"), (403, "403 Forbidden"), (503, "503")])
def test_servers_that_refuse(cache, status, words):
    with serving(CONTENT, status=status) as server, pytest.raises(DataError, match=words) as caught:
        obtain(server.source(), download=True)
    assert_is_a_sentence(caught.value, server.url, cache)
    assert len(server.asked) == 1


def test_no_network(cache, monkeypatch):
    monkeypatch.setattr(resume, "sleep", None)  # it says so at once
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # nothing listens
        with serving(CONTENT) as server:
            server.url = f"http://127.0.0.1:{unused.getsockname()[1]}/set.tar.gz"
        with pytest.raises(DataError, match="cannot be reached") as caught:
            obtain(server.source(), download=True)
    assert_is_a_sentence(caught.value, server.url, cache)


def test_a_server_that_says_nothing(cache, monkeypatch):
    monkeypatch.setattr(resume, "TIMEOUT", (0.2, 0.2))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with serving(CONTENT) as server:
            server.url = f"http://127.0.0.1:{silent.getsockname()[1]}/set.tar.gz"
        with pytest.raises(DataError, match="does not answer in time") as caught:
            obtain(server.source(), download=True)
    assert_is_a_sentence(caught.value, server.url, cache)


def assert_is_a_sentence(error: DataError, url: str, folder: Path) -> None:
    message = str(error)
    assert message.startswith(f"The test set could not be downloaded from {url}: ") and "\n" not in message
    assert message.endswith(f"A set.tar.gz from elsewhere can be put into {folder} by hand.")
    assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)
    assert error._render_traceback_() == [message]


def test_a_damaged_file_in_the_cache(cache):
    cache.mkdir()
    (cache / "set.tar.gz").write_bytes(CONTENT[:-1] + b"!")
    with serving(CONTENT) as server:
        with pytest.raises(DataError, match=r"set\.tar\.gz is damaged"):
            obtain(server.source(), download=False)
        assert obtain(server.source(), download=True).read_bytes() == CONTENT


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    # A folder below a file: not even root can make it.
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_UTILS_CACHE", str(tmp_path / "file/cache"))
    with serving(CONTENT) as server, pytest.raises(DataError, match="Not a directory.*COURSE_UTILS_CACHE") as caught:
        obtain(server.source(), download=True)
    assert_is_a_sentence(caught.value, server.url, tmp_path / "file/cache")
    assert not server.asked


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_is_read_only(cache):
    cache.mkdir()
    cache.chmod(0o500)
    with serving(CONTENT) as server, pytest.raises(DataError, match="Permission denied"):
        obtain(server.source(), download=True)


def test_no_room(cache, monkeypatch):
    def full(self, url, response, start):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(resume.ResumingDownloader, "_receive", full)
    with serving(CONTENT) as server, pytest.raises(DataError, match="No space left on device"):
        obtain(server.source(), download=True)


def test_two_programs_fetch_it_once(cache):
    code = (
        "import sys\n"
        "from course_utils.data.download import Source, obtain\n"
        f"source = Source('The test set', sys.argv[1], sys.argv[2], {len(CONTENT)}, '')\n"
        "print(len(obtain(source, download=True).read_bytes()))"
    )
    with serving(CONTENT, pause=0.15) as server:  # 1.5 seconds in all
        command = [sys.executable, "-c", code, server.url, server.source().sha256]
        programs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        outputs = [program.communicate()[0] for program in programs]
    assert [output.split()[-1] for output in outputs] == ["300000", "300000"]
    assert server.sent == len(CONTENT)


def test_two_threads_fetch_it_once(cache):
    with serving(CONTENT, pause=0.02) as server:
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(obtain(server.source(), True).read_bytes())) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [CONTENT, CONTENT] and server.sent == len(CONTENT)


def test_the_bar_shows_what_was_there_before(cache, monkeypatch, capsys):
    monkeypatch.setattr("course_utils.data.progress.PATIENCE", 0.0)
    monkeypatch.setattr("course_utils.data.progress.NEW_LINE", 0.0)
    with serving(CONTENT, breaks=[200_000]) as server:
        obtain(server.source(), download=True)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == f"Downloading The test set [{24 * '#'}] 100 %, 0.3 MB of 0.3 MB"
    resumed = [line for line in lines if "88 %" in line]
    assert resumed and resumed[-1].startswith(f"Downloading The test set [{21 * '#'}---] 88 %, 0.3 MB of 0.3 MB, ")


def test_without_pooch_it_says_so(cache):
    code = (
        "import sys; sys.modules['pooch'] = None\n"
        "from course_utils.data import load_cifar10\n"
        "try: load_cifar10(download=True)\n"
        "except RuntimeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "this Python has no pooch (pip install pooch installs it)" in done.stdout


def test_the_cache_folder_is_poochs(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_UTILS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == Path(pooch.os_cache("course_utils"))
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path(pooch.os_cache("course_utils"))


def test_the_cache_is_where_the_variable_says(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.setenv("COURSE_UTILS_CACHE", "~/somewhere")
    assert cache_folder().is_absolute() and "~" not in str(cache_folder())
