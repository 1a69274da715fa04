"""train_alexnet: judged by the weights that it has written, on images that are drawn for the judge alone.

Training takes minutes, so it is not repeated. `call` reads the file that lies beside the notebook and sends its arrays;
the images never go the other way. Whoever decides puts the arrays into the course's own network.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from course_utils.checks.exercise import Case, Exercise, Misconception
from course_utils.small_alexnet import CLASSES, IMAGE_SIZE, WEIGHTS, WIDTH, scaled

UNSEEN = 300  # images, thirty of each class
BETTER, MOST, WELL = "better than guessing", "most shapes", "well trained"
NEEDED = {BETTER: 0.30, MOST: 0.60, WELL: 0.80}
TROUBLE = {
    "missing": f"{WEIGHTS} is not beside the notebook: run the cell that trains, and hand the file in as well",
    "damaged": f"{WEIGHTS} is damaged: it cannot be read as an .npz file",
    "pickled": f"{WEIGHTS} holds Python objects, which are never read: np.savez should be given arrays of numbers",
    "no archive": f"{WEIGHTS} is no .npz file: something else was given its name",
    "by torch": f"{WEIGHTS} was written by torch.save, should be written by np.savez, as the cell that trains does",
    "no numbers": f"{WEIGHTS} holds something that is no array of numbers",
}


def call_for_weights(student, file):
    import numpy as np

    try:
        with open(file, "rb") as opened:
            first = opened.read(6)
        if len(first) < 6:
            return "damaged"
        if first[:2] != b"PK" and first[:1] != b"\x80" and first != b"\x93NUMPY":  # .npz, a pickle, .npy
            return "no archive"
        with np.load(file, allow_pickle=False) as stored:
            if any(name.endswith("data.pkl") for name in stored.files):
                return "by torch"
            arrays = {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        from course_utils.small_alexnet import is_unwritten

        if is_unwritten(student):  # without a file there is only the function to look at
            raise NotImplementedError from None
        return "missing"
    except ValueError as error:
        return "pickled" if "pickle" in str(error).lower() else "damaged"
    except Exception:  # a broken archive raises whatever the place where it broke off leads to
        return "damaged"
    numbers = all(isinstance(array, np.ndarray) and array.dtype.kind in "fiu" for array in arrays.values())
    return arrays if numbers else "no numbers"


def course_network():
    """The small AlexNet as the course has it, in evaluation mode."""
    import torch

    from course_utils.models import AlexNet

    with torch.random.fork_rng(devices=[]):  # a check draws nothing from the student's generator
        return AlexNet(CLASSES, width=WIDTH, image_size=IMAGE_SIZE).eval()


@lru_cache(maxsize=1)
def _shapes() -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in course_network().state_dict().items()}


@lru_cache(maxsize=2)
def unseen(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (300, 3, 99, 99) in [0, 1] and labels (300,) that nobody has trained on; never kept on the disk."""
    from course_utils.data._shapes.pictures import draw_images, draw_labels

    pixels = np.concatenate(list(draw_images(IMAGE_SIZE, seed, 2, 0, UNSEEN)))
    return pixels.astype(np.float32) / np.float32(255), draw_labels(seed, 2, 0, UNSEEN)


# How the pixels may come to the network: as they should, and as they do where the scaling was changed in training.
SCALES = {
    "as load_small gives them": scaled,
    "0 to 1": lambda images: images,
    "0 to 255": lambda images: 255 * images,
    "0 to 255 without the mean": lambda images: 255 * (images - images.mean()),
}


@lru_cache(maxsize=8)
def _predictions(weights: tuple[tuple[str, bytes], ...], seed: int, scale: str) -> np.ndarray | None:
    """The classes that the network with these weights gives to the unseen images; None where a logit is not finite."""
    import torch

    network, shapes = course_network(), _shapes()
    arrays = {name: np.frombuffer(data, dtype=np.float32).reshape(shapes[name]) for name, data in weights}
    network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})
    images = torch.from_numpy(np.ascontiguousarray(SCALES[scale](unseen(seed)[0]), dtype=np.float32))
    with torch.no_grad():
        logits = torch.cat([network(batch) for batch in images.split(50)])
    return logits.argmax(1).numpy() if bool(torch.isfinite(logits).all()) else None


def _shown(name: str) -> str:
    """The beginning of a name, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:40])


def fault(outputs) -> str | None:
    """A sentence on what is not the weights of the small AlexNet, or None."""
    if isinstance(outputs, str) and outputs in TROUBLE:
        return TROUBLE[outputs]
    if not isinstance(outputs, dict):
        return f"{WEIGHTS} could not be read"
    shapes = _shapes()
    foreign = [name for name in outputs if name not in shapes]
    if missing := [name for name in shapes if name not in outputs]:
        longer = [_shown(name) for name in foreign if name.endswith("." + missing[0])]
        instead = f", but {longer[0]}" if longer else ""
        wanted = f"{', '.join(list(shapes)[:2])} … {list(shapes)[-1]}"
        return f"{WEIGHTS} has no {missing[0]}{instead}; it should hold {wanted}"
    if foreign:
        return f"{WEIGHTS} holds {_shown(foreign[0])}, which the network does not have"
    for name, shape in shapes.items():
        array = outputs[name]
        if not isinstance(array, np.ndarray) or array.shape != shape:
            given = array.shape if isinstance(array, np.ndarray) else "no array"
            network = f"AlexNet({CLASSES}, width={WIDTH}, image_size={IMAGE_SIZE})"
            return f"{name} in {WEIGHTS} has shape {given}, should be {shape} as in {network}"
        if not np.isfinite(array).all():
            return f"{name} in {WEIGHTS} holds values that are not finite: the training has diverged"
    return None


def _predicted(case, outputs, scale="as load_small gives them"):
    with np.errstate(over="ignore"):
        frozen = tuple((name, np.asarray(outputs[name], dtype=np.float32).tobytes()) for name in _shapes())
    return _predictions(frozen, case.hidden["seed"], scale)


def _accuracy(case, outputs, scale="as load_small gives them") -> float:
    predicted = _predicted(case, outputs, scale)
    return 0.0 if predicted is None else float(np.mean(predicted == unseen(case.hidden["seed"])[1]))


def verify(case, outputs):
    if sentence := fault(outputs):
        return sentence
    if _predicted(case, outputs) is None:
        return f"with {WEIGHTS} the network's outputs are not finite"
    accuracy, least = _accuracy(case, outputs), NEEDED[case.aspect]
    if accuracy < least:
        rightly = f"{100 * accuracy:.0f} % of {UNSEEN} unseen images are classified rightly"
        return f"{rightly}, should be {100 * least:.0f} % or more"
    return None


def _judgeable(case, outputs) -> bool:
    return not fault(outputs) and _predicted(case, outputs) is not None


def _other_scale(case, outputs):
    if not _judgeable(case, outputs):
        return False
    best = max(_accuracy(case, outputs, scale) for scale in list(SCALES)[1:])
    return best >= max(NEEDED[MOST], _accuracy(case, outputs) + 0.1)


def _one_class(case, outputs):
    if not _judgeable(case, outputs) or _other_scale(case, outputs):
        return False
    return len(np.unique(_predicted(case, outputs))) == 1


def _guesses(case, outputs):
    if not _judgeable(case, outputs) or _one_class(case, outputs) or _other_scale(case, outputs):
        return False
    return _accuracy(case, outputs) < NEEDED[BETTER]


def _too_little(case, outputs):
    if not _judgeable(case, outputs) or _other_scale(case, outputs):
        return False
    return NEEDED[BETTER] <= _accuracy(case, outputs) < NEEDED[WELL]


def _cases(rng):
    seed = int(rng.integers(1, 2**31))
    return [Case(aspect, {"file": WEIGHTS}, {"seed": seed}) for aspect in NEEDED]


train_alexnet = Exercise(
    name="train_alexnet",
    cases=_cases,
    call=call_for_weights,
    verify=verify,
    for_call=("file",),
    hands_in=WEIGHTS,
    trains=True,
    time_limit=5.0,
    misconceptions=(
        Misconception(
            "one class for every image",
            "It looks as if the network gives every image the same class.",
            "Ask yourself: does the loss fall below log 10 ≈ 2.30 within the first epochs, and what is the spread of "
            "the activations in fc7 before the first update?",
            matches=_one_class,
        ),
        Misconception(
            "still guessing",
            "It looks as if the network has hardly learned anything: its answers are no better than guesses.",
            "Ask yourself: were the images and their labels shuffled together, and were these the weights at the end "
            "of the training?",
            matches=_guesses,
        ),
        Misconception(
            "pixels on another scale",
            "It looks as if the network was trained with pixels on another scale than load_small gives.",
            "Ask yourself: what are the mean and the spread of the numbers that go into conv1 in your training?",
            matches=_other_scale,
        ),
        Misconception(
            "too little training",
            "It looks as if the network has begun to learn and was not trained to the end.",
            "Ask yourself: does the validation error still fall in the last epochs, and has the learning rate been "
            "divided yet?",
            matches=_too_little,
        ),
    ),
    hints=(
        "Everything is there already: the network, its first weights, the update and the loop. What is left is to put "
        "them together and to choose: first weights that keep the signal alive in a narrow network, a learning rate, a "
        "batch size, and a number of epochs that fits into three minutes.",
        "Make AlexNet(10, width=WIDTH, image_size=IMAGE_SIZE). Give every weight a normal value of standard deviation "
        "√(2/fan_in), those of fc8 one of 0.01, and every bias 0. Then call fit with batches of 32: 16 epochs with a "
        "learning rate of 0.01, 4 more with 0.001.",
        "for layer in model.modules(): torch.nn.init.kaiming_normal_(layer.weight, nonlinearity='relu') where it has a "
        "weight; torch.nn.init.normal_(model.fc8.weight, std=0.01); then fit(model, data, 16, device, "
        "learning_rate=0.01, batch_size=32, patience=16, seed=seed), once more with 4 epochs and 0.001; return model.",
    ),
    difficulty=3,
    importance=5,
    minutes=30,
    forbidden=("scipy", "sklearn", "torchvision", "torch.hub"),
)
