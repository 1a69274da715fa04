"""How save_checkpoint and load_checkpoint are tried: a network with batch norm (buffers), dropout (random numbers)
and momentum (the optimizer's state) is trained, and training goes on from a file.
"""

from __future__ import annotations


def call_save_checkpoint(student, part, epoch, seed, images, labels, pathlike):
    """Train three steps, save with `student`, and go on with what the file holds; or break saving off.

    part: "goes on", "file", "writing" (torch.save fails half way) or "replacing" (renaming fails).
    """
    import io
    import os
    import pathlib
    import tempfile

    import numpy as np
    import torch

    def made(number):
        torch.manual_seed(number)
        layers = torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5), torch.nn.Dropout(0.4), torch.nn.Linear(5, 3)
        model = torch.nn.Sequential(*layers)
        return model, torch.optim.SGD(model.parameters(), lr=0.1 if number == seed else 0.3, momentum=0.9)

    def train(model, optimizer):
        model.train()
        for batch, truth in zip(images, labels, strict=True):
            optimizer.zero_grad()
            rows = torch.from_numpy(np.ascontiguousarray(batch))
            loss = torch.nn.functional.cross_entropy(model(rows), torch.from_numpy(np.ascontiguousarray(truth)))
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():  # running means too
            return model(torch.from_numpy(np.ascontiguousarray(images[0]))).numpy().copy()

    def loaded(path):
        """The dict in a file; None where there is none."""
        try:
            state = torch.load(path, weights_only=False)
        except Exception:
            return None
        return state if isinstance(state, dict) else None

    def half_a_file(state, target, *more, **settings):
        """torch.save on a disk that becomes full."""
        whole = io.BytesIO()
        real_save(state, whole)
        half = whole.getvalue()[: len(whole.getvalue()) // 2]
        if hasattr(target, "write"):
            target.write(half)
        else:
            with open(target, "wb") as file:
                file.write(half)
        raise OSError(28, "No space left on device")

    renamed = []

    def same(one, other):
        return os.path.abspath(one) == os.path.abspath(other)

    def refusing(rename):
        """`rename` on a disk that fails just when a file is to come to path."""

        def refuse(src, dst, **settings):
            if not same(dst, path):
                return rename(src, dst, **settings)
            renamed.append(os.path.abspath(src).startswith(os.path.abspath(folder) + os.sep))
            raise OSError(5, "Input/output error")

        return refuse

    real_save, real_replace, real_rename = torch.save, os.replace, os.rename
    with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        path = os.path.join(folder, "last.pt")
        path = pathlib.Path(path) if pathlike else path
        model, optimizer = made(seed)
        train(model, optimizer)
        if part in ("writing", "replacing"):
            student(path, model, optimizer, epoch)
            before = loaded(path)
            train(model, optimizer)
            try:
                if part == "writing":
                    torch.save = torch.serialization.save = half_a_file
                else:
                    os.replace, os.rename = refusing(real_replace), refusing(real_rename)
                student(path, model, optimizer, epoch + 1)
            except OSError:
                pass
            finally:
                torch.save = torch.serialization.save = real_save
                os.replace, os.rename = real_replace, real_rename
            now = loaded(path)
            whole = now is not None and before is not None and now.keys() == before.keys()
            found = {"the file at path": "a whole checkpoint" if whole else "no whole checkpoint"}
            if part == "replacing":
                found["the new file comes to path"] = "by renaming" if renamed else "by writing"
                if renamed:
                    found["it is written"] = "in the same folder" if all(renamed) else "in another folder"
            return found
        student(path, model, optimizer, epoch)
        if part == "file":  # an older one is there already
            student(path, model, optimizer, epoch)
        if not os.path.exists(path):
            raise TypeError("the result is no file at path")
        state = loaded(path)
        if state is None:
            raise TypeError("the result is a file that holds no dict")
        if part == "file":
            kinds = {key: type(state.get(key)).__name__ for key in ("model", "optimizer")}
            kinds = {key: "dict" if kind == "OrderedDict" else kind for key, kind in kinds.items()}
            number = state.get("epoch")
            if type(number) is not int:
                raise TypeError(f"the result is a file with an epoch of type {type(number).__name__}, should be int")
            keys = ", ".join(sorted(map(str, state)))
            return {"list of keys": keys, **kinds, "epoch": number, "files in the folder": len(os.listdir(folder))}
        again, new_optimizer = made(seed + 1)  # other weights, another learning rate
        weights, velocities, numbers = (state.get(key) for key in ("model", "optimizer", "random_state"))
        weights = weights.state_dict() if hasattr(weights, "state_dict") else weights
        velocities = velocities.state_dict() if hasattr(velocities, "state_dict") else velocities
        if isinstance(weights, dict):
            again.load_state_dict(weights, strict=False)
        if isinstance(velocities, dict) and velocities.keys() >= {"state", "param_groups"}:
            new_optimizer.load_state_dict(velocities)
        if torch.is_tensor(numbers):
            torch.set_rng_state(numbers)
        return {"logits after going on from the file": train(again, new_optimizer)}


def expected_of_saving(part, epoch, seed, images, labels, pathlike):
    """What comes back where saving changes nothing: the training goes on with what is in memory."""
    whole = {"the file at path": "a whole checkpoint"}
    if part == "writing":
        return whole
    if part == "replacing":
        return {**whole, "the new file comes to path": "by renaming", "it is written": "in the same folder"}
    if part == "file":
        keys = "epoch, model, optimizer, random_state"
        return {"list of keys": keys, "model": "dict", "optimizer": "dict", "epoch": epoch, "files in the folder": 1}
    return {"logits after going on from the file": _trained(seed, images, labels, rounds=2)["logits"]}


def expected_of_loading(part, epoch, seed, images, labels, pathlike):
    """What is found where nothing has to be read: the objects that trained are still there."""
    if part == "code":
        return {"file with code": "refused", "its code": "not run"}
    if part == "epoch":
        return {"epoch": epoch}
    if part == "goes on":
        return {"logits after going on": _trained(seed, images, labels, rounds=2)["logits"]}
    found = _trained(seed, images, labels, rounds=1)
    if part == "random":
        return {"next random numbers": found["random"]}
    if part == "model":
        return {"logits after loading": found["logits"]}
    return {"one step with all gradients 1": -0.1 * (0.9 * found["velocity"] + 1)}


def _trained(seed, images, labels, rounds):
    """The network of `call` after training without a break, once or twice through the batches."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5), torch.nn.Dropout(0.4), torch.nn.Linear(5, 3)
        model = torch.nn.Sequential(*layers)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for batch, truth in [*zip(torch.tensor(images), torch.tensor(labels), strict=True)] * rounds:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(batch), truth).backward()
            optimizer.step()
        random = torch.rand(5).numpy()
    model.eval()
    with torch.no_grad():
        logits = model(torch.tensor(images[0])).numpy()
    velocity = optimizer.state[model[0].weight]["momentum_buffer"].numpy()
    return {"logits": logits, "velocity": velocity, "random": random}


def call_load_checkpoint(student, part, epoch, seed, images, labels, pathlike):
    """Train three steps, write a checkpoint by hand, read it with `student` into new objects, and go on.

    part: "model" (logits before going on), "optimizer" (steps without dropout), "random" (numbers drawn), "goes on",
    "epoch", or "code" (the file holds an object that makes a folder when it is read).
    """
    import os
    import pathlib
    import tempfile

    import numpy as np
    import torch

    def made(number):
        torch.manual_seed(number)
        layers = torch.nn.Linear(6, 5), torch.nn.BatchNorm1d(5), torch.nn.Dropout(0.4), torch.nn.Linear(5, 3)
        model = torch.nn.Sequential(*layers)
        return model, torch.optim.SGD(model.parameters(), lr=0.1 if number == seed else 0.3, momentum=0.9)

    def logits(model):
        model.eval()
        with torch.no_grad():
            return model(torch.from_numpy(np.ascontiguousarray(images[0]))).numpy().copy()

    def train(model, optimizer):
        model.train()
        for batch, truth in zip(images, labels, strict=True):
            optimizer.zero_grad()
            rows = torch.from_numpy(np.ascontiguousarray(batch))
            loss = torch.nn.functional.cross_entropy(model(rows), torch.from_numpy(np.ascontiguousarray(truth)))
            loss.backward()
            optimizer.step()
        return logits(model)

    class MakesAFolder:
        def __init__(self, folder):
            self.folder = folder

        def __reduce__(self):
            return os.mkdir, (self.folder,)

    with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        path = os.path.join(folder, "last.pt")
        path = pathlib.Path(path) if pathlike else path
        model, optimizer = made(seed)
        train(model, optimizer)
        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch,
            "random_state": torch.get_rng_state(),
        }
        torch.save(state, path)
        again, new_optimizer = made(seed + 1)
        before = {name: values.clone() for name, values in again.state_dict().items()}
        answer = student(path, again, new_optimizer)
        if part == "code":  # a file without has been read by now
            state["epoch"] = MakesAFolder(os.path.join(folder, "made"))
            torch.save(state, path)
            try:
                student(path, again, new_optimizer)
                ending = "read without an exception"
            except Exception:
                ending = "refused"
            return {"file with code": ending, "its code": "run" if os.path.exists(folder + "/made") else "not run"}
        if part == "epoch":
            return {"epoch": answer}
        if part == "random":
            return {"next random numbers": torch.rand(5).numpy().copy()}
        if part == "model":
            return {"logits after loading": logits(again)}
        if part == "optimizer":  # the model as it was before: only the optimizer counts
            again.load_state_dict(before)
            for parameter in again.parameters():
                parameter.grad = torch.ones_like(parameter)
            new_optimizer.step()
            return {"one step with all gradients 1": again[0].weight.detach().numpy() - before["0.weight"].numpy()}
        return {"logits after going on": train(again, new_optimizer)}


def torch_save(saved=None, epoch=lambda epoch: epoch, in_place=False, deleted=False):
    """A student's save_checkpoint in which what the keywords name is another idea; without any, a correct one."""

    def save_checkpoint(path, model, optimizer, epoch_):
        import os

        import torch

        state = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch(epoch_),
            "random_state": torch.get_rng_state(),
        }
        state = saved(state, model, optimizer) if saved else state
        if in_place:
            return torch.save(state, path)
        beside = os.fspath(path) + ".part"
        torch.save(state, beside)
        if deleted and os.path.exists(path):
            os.remove(path)
        return os.replace(beside, path)

    return save_checkpoint


def torch_load(model=True, optimizer=True, random=True, answer=lambda epoch: epoch, weights_only=True):
    """A student's load_checkpoint in which what the keywords name is another idea; without any, a correct one."""

    def load_checkpoint(path, model_, optimizer_):
        import torch

        state = torch.load(path, weights_only=weights_only)
        if model is True:
            model_.load_state_dict(state["model"])
        elif model == "parameters":
            with torch.no_grad():
                for name, parameter in model_.named_parameters():
                    parameter.copy_(state["model"][name])
        if optimizer:
            optimizer_.load_state_dict(state["optimizer"])
        if random:
            torch.set_rng_state(state["random_state"])
        return answer(state["epoch"])

    return load_checkpoint
