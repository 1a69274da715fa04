"""save_checkpoint and load_checkpoint: judged by training that goes on from a file as if there had been no break."""

from __future__ import annotations

from course_utils.checks._alexnet.checkpoint_runs import (
    call_load_checkpoint,
    call_save_checkpoint,
    expected_of_loading,
    expected_of_saving,
    torch_load,
    torch_save,
)
from course_utils.checks.describe import one_of, through
from course_utils.checks.exercise import Case, Exercise, Misconception

GOES_ON, HOLDS, BREAKS_OFF, PATHS = ("training goes on", "what the file holds", "saving breaks off", "a pathlib.Path")
MODEL, OPTIMIZER, RANDOM, EPOCH, CODE = (
    "the model",
    "the optimizer",
    "the random numbers",
    "the number of epochs",
    "a file with code",
)


def _without(key):
    def saved(state, model, optimizer):
        return {name: value for name, value in state.items() if name != key}

    return saved


def _with(key, value):
    """`value(model, optimizer)` in the place of what belongs to `key`."""
    return lambda state, model, optimizer: {**state, key: value(model, optimizer)}


def _no_velocities(model, optimizer):
    return {"state": {}, "param_groups": optimizer.state_dict()["param_groups"]}


def _parameters_only(model, optimizer):
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def _whole_objects(state, model, optimizer):
    return {**state, "model": model, "optimizer": optimizer}


def _first_seed(model, optimizer):
    import torch

    return torch.initial_seed()


def _like_saving(*flawed):
    return one_of(call_save_checkpoint, *flawed)


def _written_elsewhere(case, outputs):
    return isinstance(outputs, dict) and outputs.get("it is written") == "in another folder"


def _batches(rng, aspect, part, pathlike=False):
    inputs = {
        "part": part,
        "epoch": int(rng.integers(3, 40)),
        "seed": int(rng.integers(10_000)),
        "images": rng.normal(size=(3, 8, 6)).astype("float32"),
        "labels": rng.integers(3, size=(3, 8)),
        "pathlike": pathlike,
    }
    return Case(aspect, inputs)


def _saving_cases(rng):
    return [
        _batches(rng, GOES_ON, "goes on"),
        _batches(rng, GOES_ON, "goes on"),
        _batches(rng, HOLDS, "file"),
        _batches(rng, BREAKS_OFF, "writing"),
        _batches(rng, BREAKS_OFF, "replacing"),
        _batches(rng, PATHS, "goes on", pathlike=True),
    ]


def _loading_cases(rng):
    return [
        _batches(rng, MODEL, "model"),
        _batches(rng, OPTIMIZER, "optimizer"),
        _batches(rng, RANDOM, "random"),
        _batches(rng, EPOCH, "epoch"),
        _batches(rng, EPOCH, "epoch"),
        _batches(rng, CODE, "code"),
        _batches(rng, PATHS, "goes on", pathlike=True),
    ]


save_checkpoint = Exercise(
    name="save_checkpoint",
    cases=_saving_cases,
    call=call_save_checkpoint,
    expected=expected_of_saving,
    stand_in=torch_save,
    for_call=("part", "seed", "images", "labels", "pathlike"),
    forbidden=("scipy", "sklearn"),
    difficulty=2,
    importance=4,
    minutes=15,
    hints=(
        "Four things decide how training goes on: weights and buffers, the optimizer's velocities, how far it is, and "
        "the random numbers to come. A file that is only half written must never stand at path.",
        "A dict with model.state_dict(), optimizer.state_dict(), epoch and torch.get_rng_state(); torch.save writes it "
        "to f'{path}.part'; one more call gives that file the name path.",
        "torch.save({'model': …, 'optimizer': …, 'epoch': epoch, 'random_state': …}, f'{path}.part') and then "
        "os.replace(f'{path}.part', path).",
    ),
    misconceptions=(
        Misconception(
            "without the optimizer's state",
            "It looks as if the velocities are not in the file. Training would go on with a jerk.",
            "Ask yourself: what does momentum remember from earlier steps, and where is that kept?",
            matches=_like_saving(
                torch_save(saved=_without("optimizer")), torch_save(saved=_with("optimizer", _no_velocities))
            ),
        ),
        Misconception(
            "without the random state",
            "It looks as if the state of the random generator is not in the file. Dropout would drop other units than "
            "without the break.",
            "Ask yourself: what does torch.get_rng_state() return, and how does it differ from the seed?",
            matches=_like_saving(
                torch_save(saved=_without("random_state")), torch_save(saved=_with("random_state", _first_seed))
            ),
        ),
        Misconception(
            "without buffers",
            "It looks as if only the parameters are saved. The running means of batch norm are buffers: no gradient "
            "changes them, and evaluation needs them.",
            "Ask yourself: what is in model.state_dict() that is not among model.named_parameters()?",
            through(call_save_checkpoint, torch_save(saved=_with("model", _parameters_only))),
        ),
        Misconception(
            "whole objects saved",
            "It looks as if model or optimizer are saved as objects. To read such a file is to run code, and it breaks "
            "when the class is changed.",
            "Ask yourself: which method of a model gives its tensors by name?",
            matches=_like_saving(
                torch_save(saved=_whole_objects),
                torch_save(saved=_with("model", lambda model, optimizer: model)),
                torch_save(saved=_with("optimizer", lambda model, optimizer: optimizer)),
            ),
        ),
        Misconception(
            "number of epochs off by one",
            "It looks as if another number of epochs is saved than the one given.",
            "Ask yourself: if 5 epochs are finished, which number does save_checkpoint get, and which does it save?",
            matches=_like_saving(torch_save(epoch=lambda epoch: epoch + 1), torch_save(epoch=lambda epoch: epoch - 1)),
        ),
        Misconception(
            "written in place",
            "It looks as if the new checkpoint is written over the old one. If that breaks off, both are gone.",
            "Ask yourself: what is at path while torch.save is half done?",
            through(call_save_checkpoint, torch_save(in_place=True)),
        ),
        Misconception(
            "old checkpoint deleted first",
            "It looks as if the old checkpoint is deleted before the new one has its name. In between there is none.",
            "Ask yourself: what does os.replace do if there is a file of that name already?",
            through(call_save_checkpoint, torch_save(deleted=True)),
        ),
        Misconception(
            "written into another folder",
            "It looks as if the new file is first written into another folder. That may be on another disk, and "
            "os.replace cannot move a file from one disk to another.",
            "Ask yourself: where do files of the module tempfile lie, unless it is told a folder?",
            matches=_written_elsewhere,
        ),
    ),
)


def _like_loading(*flawed):
    return one_of(call_load_checkpoint, *flawed)


load_checkpoint = Exercise(
    name="load_checkpoint",
    cases=_loading_cases,
    call=call_load_checkpoint,
    expected=expected_of_loading,
    stand_in=torch_load,
    for_call=("part", "seed", "images", "labels", "pathlike"),
    forbidden=("scipy", "sklearn"),
    difficulty=2,
    importance=4,
    minutes=15,
    hints=(
        "Everything that was saved goes back to where it came from, and one of the four is returned.",
        "torch.load(path, weights_only=True) gives the dict. A model and an optimizer have load_state_dict, PyTorch "
        "has torch.set_rng_state.",
        "model.load_state_dict(state['model']), the same for the optimizer, then "
        "torch.set_rng_state(state['random_state']) and return state['epoch'].",
    ),
    misconceptions=(
        Misconception(
            "model not loaded",
            "It looks as if the model that was handed in keeps the weights it had.",
            "Ask yourself: does your code change the model itself, or only what the name model stands for?",
            through(call_load_checkpoint, torch_load(model=False)),
        ),
        Misconception(
            "buffers not loaded",
            "It looks as if only the parameters are put back. The running means of batch norm are buffers.",
            "Ask yourself: what is in model.state_dict() that is not among model.named_parameters()?",
            through(call_load_checkpoint, torch_load(model="parameters")),
        ),
        Misconception(
            "optimizer not loaded",
            "It looks as if the optimizer starts afresh: its velocities are 0 and its learning rate is another.",
            "Ask yourself: which of the four things in the file has your code not used?",
            through(call_load_checkpoint, torch_load(optimizer=False)),
        ),
        Misconception(
            "random state not loaded",
            "It looks as if the random numbers do not go on where they were when the file was written.",
            "Ask yourself: which of the four things in the file has your code not used?",
            matches=lambda case, outputs: case.aspect in (RANDOM, PATHS),  # whatever numbers come instead
        ),
        Misconception(
            "nothing returned",
            "It looks as if load_checkpoint returns nothing. Who calls it needs to know how far the training was.",
            "Ask yourself: with which epoch should the training go on, and who knows it?",
            through(call_load_checkpoint, torch_load(answer=lambda epoch: None)),
        ),
        Misconception(
            "number of epochs off by one",
            "It looks as if another number of epochs is returned than the one in the file.",
            "Ask yourself: does the file hold the number of finished epochs or that of the next one?",
            matches=_like_loading(
                torch_load(answer=lambda epoch: epoch + 1), torch_load(answer=lambda epoch: epoch - 1)
            ),
        ),
        Misconception(
            "code in the file is run",
            "It looks as if the file is read with weights_only=False. Then whoever wrote it can run any program on "
            "your computer.",
            "Ask yourself: would you load weights that a stranger offers for download?",
            through(call_load_checkpoint, torch_load(weights_only=False)),
        ),
    ),
)
