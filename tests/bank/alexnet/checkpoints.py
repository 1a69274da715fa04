"""save_checkpoint and load_checkpoint: correct in other styles, and wrong."""

from tests.bank.registry import alternative, mistaken, mistaken_sources


@alternative("save_checkpoint", "pathlib, a hidden file")
def save_checkpoint(path, model, optimizer, epoch):
    from pathlib import Path

    import torch

    path = Path(path)
    beside = path.with_name(f".{path.name}.tmp")
    keys = ("model", "optimizer", "epoch", "random_state")
    values = (model.state_dict(), optimizer.state_dict(), int(epoch), torch.random.get_rng_state())
    torch.save(dict(zip(keys, values)), beside)
    beside.replace(path)


@alternative("save_checkpoint", "tempfile in the same folder, copies of the tensors, tidied up")
def save_checkpoint(path, model, optimizer, epoch):
    import copy
    import os
    import tempfile

    import torch

    state = dict(model=copy.deepcopy(model.state_dict()), optimizer=copy.deepcopy(optimizer.state_dict()))
    state.update(epoch=epoch, random_state=torch.default_generator.get_state())
    handle, beside = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)))
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(state, file)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


@alternative("load_checkpoint", "the random state first, a dict of the rest")
def load_checkpoint(path, model, optimizer):
    import torch

    checkpoint = torch.load(path, weights_only=True)
    torch.set_rng_state(checkpoint.pop("random_state"))
    epoch = checkpoint.pop("epoch")
    for name, thing in {"model": model, "optimizer": optimizer}.items():
        thing.load_state_dict(checkpoint[name])
    return epoch


@alternative("load_checkpoint", "an open file, tensors copied by hand")
def load_checkpoint(path, model, optimizer):
    import torch

    with open(path, "rb") as file:
        checkpoint = torch.load(file, map_location=torch.device("cpu"), weights_only=True)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            tensor.copy_(checkpoint["model"][name])
    optimizer.load_state_dict(checkpoint["optimizer"])
    torch.default_generator.set_state(checkpoint["random_state"])
    return int(checkpoint["epoch"])


@mistaken("save_checkpoint", "written in place")
def save_checkpoint(path, model, optimizer, epoch):
    import io
    from pathlib import Path

    import torch

    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
    memory = io.BytesIO()
    torch.save({**state, "random_state": torch.get_rng_state()}, memory)
    with open(f"{path}.part", "wb") as file:
        file.write(b"being written")
    torch.save({**state, "random_state": torch.get_rng_state()}, Path(path))
    Path(f"{path}.part").unlink()


@mistaken("load_checkpoint", "model not loaded")
def load_checkpoint(path, model, optimizer):
    import copy

    import torch

    state = torch.load(path, weights_only=True)
    model = copy.deepcopy(model)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random_state"])
    return state["epoch"]


SAVE = """def save_checkpoint(path, model, optimizer, epoch):
    import os
    import torch
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": epoch,
        "random_state": torch.get_rng_state(),
    }
    torch.save(state, f"{path}.new")
    os.replace(f"{path}.new", path)
"""
LOAD = """def load_checkpoint(path, model, optimizer):
    import torch
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random_state"])
    return state["epoch"]
"""


def _changed(text, *pairs):
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _moved(new):
    return _changed(SAVE, ('    torch.save(state, f"{path}.new")\n    os.replace(f"{path}.new", path)\n', new))


WRITTEN = '    torch.save(state, f"{path}.new")\n'
ELSEWHERE = """    import tempfile
    with tempfile.NamedTemporaryFile(delete=False) as file:
        torch.save(state, file)
    os.replace(file.name, path)
"""
NO_RANDOM = ('        "random_state": torch.get_rng_state(),\n', "")
NO_STATE = '{"state": {}, "param_groups": optimizer.state_dict()["param_groups"]}'
MOVED = '    torch.save(state, f"{path}.new")\n    if os.path.exists(path):\n        os.remove(path)\n'
mistaken_sources(
    __name__,
    "save_checkpoint",
    [
        ("without the optimizer's state", _changed(SAVE, ('        "optimizer": optimizer.state_dict(),\n', ""))),
        ("without the optimizer's state", _changed(SAVE, ("optimizer.state_dict()", NO_STATE))),
        ("without the random state", _changed(SAVE, NO_RANDOM)),
        ("without the random state", _changed(SAVE, ("torch.get_rng_state()", "torch.initial_seed()"))),
        ("without buffers", _changed(SAVE, ("model.state_dict()", "dict(model.named_parameters())"))),
        ("whole objects saved", _changed(SAVE, ("model.state_dict()", "model"))),
        (
            "whole objects saved",
            _changed(SAVE, ("model.state_dict()", "model"), ("optimizer.state_dict()", "optimizer")),
        ),
        ("number of epochs off by one", _changed(SAVE, ('"epoch": epoch', '"epoch": epoch + 1'))),
        ("number of epochs off by one", _changed(SAVE, ('"epoch": epoch', '"epoch": epoch - 1'))),
        ("written in place", _moved("    torch.save(state, path)\n")),
        (
            "old checkpoint deleted first",
            _moved(
                WRITTEN + '    if os.path.exists(path):\n        os.rename(path, f"{path}.old")\n'
                '    os.rename(f"{path}.new", path)\n'
                '    if os.path.exists(f"{path}.old"):\n        os.remove(f"{path}.old")\n'
            ),
        ),
        ("written into another folder", _moved(ELSEWHERE)),
        ("old checkpoint deleted first", _moved(MOVED + '    os.rename(f"{path}.new", path)\n')),
    ],
)
mistaken_sources(
    __name__,
    "load_checkpoint",
    [
        ("model not loaded", _changed(LOAD, ('    model.load_state_dict(state["model"])\n', ""))),
        (
            "buffers not loaded",
            _changed(
                LOAD,
                (
                    'model.load_state_dict(state["model"])',
                    "torch.nn.utils.vector_to_parameters(torch.cat([state['model'][name].flatten() for name, _ in "
                    "model.named_parameters()]), model.parameters())",
                ),
            ),
        ),
        ("optimizer not loaded", _changed(LOAD, ('    optimizer.load_state_dict(state["optimizer"])\n', ""))),
        ("random state not loaded", _changed(LOAD, ('    torch.set_rng_state(state["random_state"])\n', ""))),
        (
            "random state not loaded",
            _changed(LOAD, ('torch.set_rng_state(state["random_state"])', 'torch.manual_seed(state["epoch"])')),
        ),
        ("nothing returned", _changed(LOAD, ('    return state["epoch"]\n', ""))),
        ("number of epochs off by one", _changed(LOAD, ('return state["epoch"]', 'return state["epoch"] + 1'))),
        ("number of epochs off by one", _changed(LOAD, ('return state["epoch"]', 'return state["epoch"] - 1'))),
        ("code in the file is run", _changed(LOAD, ("weights_only=True", "weights_only=False"))),
    ],
)
