"""Weights that students hand in: what cannot be read or is no such network gets a sentence and no points."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from course_utils.checks import registry
from course_utils.checks.verdict import decide
from course_utils.plain import decode, encode
from course_utils.runner import run_case
from course_utils.small_alexnet import WEIGHTS, train_and_write
from tests.made_up import ROOT

TRAINED = ROOT / "sample_class" / WEIGHTS


def train_alexnet(data, seed, device):
    """Written, and never called: the file alone is judged."""
    raise AssertionError("a training must not be repeated")


@pytest.fixture(scope="module")
def trained():
    with np.load(TRAINED) as stored:
        return dict(stored)


@pytest.fixture(autouse=True)
def beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def verdict():
    exercise = registry.exercises("08_alexnet")["train_alexnet"]
    cases = exercise.cases(np.random.default_rng(5))
    records = [decode(encode(run_case(train_alexnet, exercise.call, case.inputs))) for case in cases]
    return decide(exercise, cases, records, [None] * len(cases), 7.0, public=0)


def sentence():
    found = verdict()
    assert found.score == 0 and found.misconception is None
    (text,) = {finding.text for finding in found.findings.values()}
    return text


def stored(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def write(data: bytes) -> None:
    with open(WEIGHTS, "wb") as file:
        file.write(data)


def test_the_trained_weights_pass():
    write(TRAINED.read_bytes())
    assert verdict().passed


def test_no_file():
    assert sentence().startswith(f"{WEIGHTS} is not beside the notebook")


def test_only_the_stub_without_a_file_is_called_unwritten():
    exercise = registry.exercises("08_alexnet")["train_alexnet"]
    scope = {"np": np}
    exec(registry.outlined("train_alexnet")["stub"], scope)
    cases = exercise.cases(np.random.default_rng(5))
    records = [run_case(scope["train_alexnet"], exercise.call, case.inputs) for case in cases]
    assert decide(exercise, cases, records, [None] * len(cases), 7.0, public=0).unwritten


@pytest.mark.parametrize("kept", [0, 1, 3, 100, 0.5, 0.99, -1])
def test_an_upload_that_broke_off(kept):
    data = TRAINED.read_bytes()
    write(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    assert sentence().startswith(f"{WEIGHTS} is damaged")


def test_bytes_changed_on_the_way():
    data = bytearray(TRAINED.read_bytes())
    for place in range(2000, len(data) - 2000, 5000):
        data[place] ^= 255
    write(bytes(data))
    assert sentence().startswith(f"{WEIGHTS} is damaged")


class Runs:
    """Would write a file when it is unpickled."""

    def __reduce__(self):
        return open, ("ran", "w")


@pytest.mark.parametrize("form", ["pickle", "object array", "object array in an archive"])
def test_what_would_run_code_is_not_read(form, tmp_path):
    if form == "pickle":
        write(pickle.dumps(Runs()))
    elif form == "object array":
        with open(WEIGHTS, "wb") as file:
            np.save(file, np.array([Runs()], dtype=object), allow_pickle=True)
    else:
        write(stored(**{"conv1.weight": np.array([Runs()], dtype=object)}))
    assert sentence().startswith(f"{WEIGHTS} holds Python objects")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><title>Sign in</title>", b"version https://git-lfs.github.com/spec/v1"]
)
def test_another_file_under_its_name(data):
    write(data)
    assert sentence() == f"{WEIGHTS} is no .npz file: something else was given its name"


def test_what_torch_has_saved(trained):
    import torch

    torch.save({name: torch.tensor(array) for name, array in trained.items()}, WEIGHTS)
    assert sentence().startswith(f"{WEIGHTS} was written by torch.save, should be written by np.savez")


def test_weights_of_a_wrapped_network(trained):
    write(stored(**{f"module.{name}": array for name, array in trained.items()}))
    assert sentence().startswith(f"{WEIGHTS} has no conv1.weight, but module.conv1.weight; it should hold conv1.weight")


def test_a_name_cannot_change_what_a_terminal_shows(trained):
    write(stored(**trained, **{"\x1b[31m\nfc9": np.zeros(1)}))
    assert sentence() == f"{WEIGHTS} holds ?[31m?fc9, which the network does not have"


def compressed(**arrays) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("form", ["compressed", "another order", "float64", "big-endian", "by columns"])
def test_other_ways_to_write_the_same_weights(trained, form):
    changed = {
        "another order": lambda: dict(reversed(trained.items())),
        "float64": lambda: {name: array.astype(np.float64) for name, array in trained.items()},
        "big-endian": lambda: {name: array.astype(">f4") for name, array in trained.items()},
        "by columns": lambda: {name: np.asfortranarray(array) for name, array in trained.items()},
    }
    write(compressed(**trained) if form == "compressed" else stored(**changed[form]()))
    assert verdict().passed


@pytest.mark.parametrize("shape", [(2**40,), (2**62, 2**62), (-1,)])
def test_a_size_that_is_not_there(shape):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(WEIGHTS, "w") as archive:
        archive.writestr("conv1.weight.npy", header.getvalue())
    assert sentence().startswith(f"{WEIGHTS} is damaged")


def test_an_array_alone_is_no_archive():
    with open(WEIGHTS, "wb") as file:
        np.save(file, np.zeros(3))
    assert sentence().startswith(f"{WEIGHTS} is damaged")


def test_an_archive_of_something_else():
    with zipfile.ZipFile(WEIGHTS, "w") as archive:
        archive.writestr("conv1.weight", "a text")
    assert sentence() == f"{WEIGHTS} holds something that is no array of numbers"


def test_an_archive_that_says_it_is_encrypted(trained):
    data = bytearray(stored(**trained))
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + flag] |= 1
            place = data.find(mark, place + 4)
    write(bytes(data))
    assert sentence().startswith(f"{WEIGHTS} is damaged")


@pytest.mark.parametrize(
    ("change", "begins"),
    [
        ({"conv1.weight": None}, f"{WEIGHTS} has no conv1.weight; it should hold conv1.weight, conv1.bias … fc8.bias"),
        ({"fc9.bias": np.zeros(10)}, f"{WEIGHTS} holds fc9.bias, which the network does not have"),
        ({"fc8.bias": np.zeros(1000)}, f"fc8.bias in {WEIGHTS} has shape (1000,), should be (10,)"),
        ({"fc8.bias": np.zeros((10, 1))}, f"fc8.bias in {WEIGHTS} has shape (10, 1), should be (10,)"),
        ({"fc8.bias": np.full(10, np.nan)}, f"fc8.bias in {WEIGHTS} holds values that are not finite"),
        ({"fc8.bias": np.full(10, np.inf)}, f"fc8.bias in {WEIGHTS} holds values that are not finite"),
        ({"fc8.bias": np.full(10, 1e300)}, f"with {WEIGHTS} the network's outputs are not finite"),
        ({"fc8.bias": np.array(["text"] * 10)}, f"{WEIGHTS} holds something that is no array of numbers"),
        ({"fc8.bias": np.zeros(10, dtype=complex)}, f"{WEIGHTS} holds something that is no array of numbers"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_arrays_that_are_not_this_network(trained, change, begins):
    write(stored(**{name: array for name, array in {**trained, **change}.items() if array is not None}))
    assert sentence().startswith(begins)


def test_no_arrays_at_all():
    write(stored())
    assert sentence().startswith(f"{WEIGHTS} has no conv1.weight")


# -- what writes them --------------------------------------------------------------------------------------------------


def test_the_weights_are_written_under_their_names(capsys):
    import torch

    layer = torch.nn.Linear(3, 2).double()
    train_and_write(lambda data, seed, device: layer, dict)
    with np.load(WEIGHTS) as written:
        assert written["weight"].dtype == np.float32
        np.testing.assert_allclose(written["weight"], layer.weight.detach().numpy(), rtol=1e-6)
        assert sorted(written.files) == ["bias", "weight"]
    assert "holds 8 numbers" in capsys.readouterr().out


def test_what_is_there_is_kept_until_again_is_asked_for(capsys):
    write(b"a night's work")
    train_and_write(train_alexnet)
    assert "is there already" in capsys.readouterr().out
    import torch

    train_and_write(lambda data, seed, device: torch.nn.Linear(3, 2), dict, again=True)
    with np.load(WEIGHTS) as written:
        assert written["weight"].shape == (2, 3)


def test_a_training_that_fails_leaves_the_old_weights(tmp_path):
    write(b"a night's work")
    with pytest.raises(KeyboardInterrupt):
        train_and_write(_interrupted, dict, again=True)
    assert [path.name for path in tmp_path.iterdir()] == [WEIGHTS]
    assert (tmp_path / WEIGHTS).read_bytes() == b"a night's work"


def test_a_folder_that_is_not_there_is_a_sentence(capsys):
    import torch

    train_and_write(lambda data, seed, device: torch.nn.Linear(3, 2), dict, path="nowhere/weights.npz")
    said = "nowhere/weights.npz could not be written: No such file or directory."
    assert capsys.readouterr().out.startswith(said)


def _interrupted(data, seed, device):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("returned", "said"), [(None, "returns NoneType, should return the trained network"), ({}, "returns dict")]
)
def test_what_is_no_network_is_not_written(returned, said, tmp_path, capsys):
    train_and_write(lambda data, seed, device: returned, dict)
    assert said in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_function_that_is_not_written_yet(tmp_path, capsys):
    def unwritten(data, seed, device):
        raise NotImplementedError

    train_and_write(unwritten)
    assert capsys.readouterr().out == "train_alexnet is not written yet, so there is nothing to train.\n"
    assert not list(tmp_path.iterdir())
