"""07_augmentation: seven of the students, one story each. README.md says what each of them is worth.

The code comes from `tests/bank`, what no bank file has stands below.
"""

from __future__ import annotations

from sample_class.stories.handing_in import Assignment
from tests.bank import augmentation

ASSIGNMENT = Assignment("07_augmentation", "augmentation.ipynb", written="which_augmentation", bank=augmentation)
alternatives, mistake = ASSIGNMENT.alternatives, ASSIGNMENT.mistake
LEFT_OUT = ("affine_grid", "bilinear_sample")

# -- one student's own code: all squares are cut by one function, and all pixels are mixed by another ------------------

OWN_HELPERS = {
    "resize_shorter_side": """
def refuse_unless(possible, *numbers):
    if not possible:
        raise ValueError(f"impossible: {numbers}")


def resize_shorter_side(height, width, size):
    short = min(height, width)
    refuse_unless(min(short, size) > 0, height, width, size)
    return tuple(side * size // short for side in (height, width))
""",
    "center_crop": """
def margins(image, size):
    _, height, width = image.shape
    refuse_unless(0 < size <= min(height, width), size, height, width)
    return height - size, width - size


def square(image, size, top, left):
    return image[:, top : top + size, left : left + size].copy()


def center_crop(image, size):
    down, right = margins(image, size)
    return square(image, size, down // 2, right // 2)
""",
    "mean_image": """
def mean_image(images):
    refuse_unless(len(images) > 0, len(images))
    return sum(images) / len(images)
""",
    "random_crop": """
def random_crop(image, size, rng):
    top, left = (rng.integers(margin, endpoint=True) for margin in margins(image, size))
    return square(image, size, top, left)
""",
    "horizontal_flip": """
def horizontal_flip(image):
    return np.flip(image, -1).copy()
""",
    "view_count": """
def view_count(full, crop):
    refuse_unless(0 < crop <= full, full, crop)
    places = 1 + full - crop
    return 2 * places * places
""",
    "pca_color": """
def pca_color(images):
    colours = np.moveaxis(images, 1, 0).reshape(3, -1)
    values, vectors = np.linalg.eigh(np.cov(colours, bias=True))
    return values[::-1], vectors[:, ::-1]
""",
    "pca_color_jitter": """
def pca_color_jitter(image, eigenvalues, eigenvectors, alphas):
    colour = (eigenvectors * eigenvalues) @ alphas
    return image + colour[:, None, None]
""",
    "brightness_contrast": """
def brightness_contrast(image, brightness, contrast):
    grey = image.mean()
    return np.clip(grey + contrast * (image - grey) + brightness, 0, 1)
""",
    "elastic_field": """
def blur(n, sigma):
    distance = np.subtract.outer(np.arange(n), np.arange(n))
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    return weights / weights.sum(axis=1, keepdims=True)


def elastic_field(height, width, alpha, sigma, rng):
    noise = rng.uniform(-alpha, alpha, size=(2, height, width))
    return blur(height, sigma) @ noise @ blur(width, sigma).T
""",
    "warp": """
def shares(places, n):
    # along the last axis: how much of each of the n pixels; nothing where a place is far from all of them
    return np.clip(1 - np.abs(places[..., None] - np.arange(n)), 0, None)


def mixed(image, rows, columns):
    _, H, W = image.shape
    return np.einsum("yxi,yxj,cij->cyx", shares(rows, H), shares(columns, W), image)


def warp(image, field):
    rows, columns = np.indices(image.shape[1:]) + field
    return mixed(image, rows, columns)
""",
    "affine_grid": """
def centres(n):
    return (2 * np.arange(n) + 1) / n - 1


def affine_grid(theta, height, width):
    x, y = np.meshgrid(centres(width), centres(height))
    return np.dstack([x, y, np.ones_like(x)]) @ theta.T
""",
    "bilinear_sample": """
def pixels(places, n):
    # centres turned around
    return ((places + 1) * n - 1) / 2


def bilinear_sample(image, grid):
    _, H, W = image.shape
    return mixed(image, pixels(grid[..., 1], H), pixels(grid[..., 0], W))
""",
    "ten_crop": """
def ten_crop(image, size):
    down, right = margins(image, size)
    views = [square(image, size, top, left) for top in (0, down) for left in (0, right)]
    views.append(center_crop(image, size))
    return np.stack([*views, *map(horizontal_flip, views)])
""",
    "ten_crop_predict": """
def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def ten_crop_predict(predict, image, size):
    return softmax(predict(ten_crop(image, size))).mean(axis=0)
""",
    "prefetch": """
import queue
import threading


def put(waiting, stopped, *entry):
    while not stopped.is_set():
        try:
            return waiting.put(entry, timeout=0.02)
        except queue.Full:
            pass


def fill(waiting, stopped, iterable):
    try:
        for item in iterable:
            put(waiting, stopped, "item", item)
            if stopped.is_set():
                return
        put(waiting, stopped, "end", None)
    except Exception as error:
        put(waiting, stopped, "error", error)


def prefetch(iterable, depth):
    refuse_unless(depth > 0, depth)
    waiting, stopped = queue.Queue(depth), threading.Event()
    thread = threading.Thread(target=fill, args=(waiting, stopped, iterable))
    thread.start()
    try:
        kind, value = waiting.get()
        while kind == "item":
            yield value
            kind, value = waiting.get()
        if kind == "error":
            raise value
    finally:
        stopped.set()
        thread.join()
""",
    "repaired_random_crop": """
def repaired_random_crop(image, size, rng):
    down, right = margins(image, size)
    return square(image, size, rng.integers(down + 1), rng.integers(right + 1))
""",
}

# -- a thread that nobody stops: those of the bank are daemons, so that the tests can end, and this one is none --------

THREAD_LEFT_BEHIND = """
def prefetch(iterable, depth):
    import queue
    import threading

    if depth < 1:
        raise ValueError(f"depth {depth}")
    waiting = queue.Queue(depth)

    def produce():
        try:
            for item in iterable:
                waiting.put(("item", item))
            waiting.put(("end", None))
        except Exception as error:
            waiting.put(("error", error))

    threading.Thread(target=produce).start()
    while True:
        kind, value = waiting.get()
        if kind == "end":
            return
        if kind == "error":
            raise value
        yield value
"""

# -- right, but it stands on what is wrong -----------------------------------------------------------------------------

TEN_CROP_BY_PARTS = """
def ten_crop(image, size):
    centre = center_crop(image, size)
    crops = [image[:, :size, :size], image[:, :size, -size:], image[:, -size:, :size], image[:, -size:, -size:], centre]
    return np.stack(crops + [horizontal_flip(crop) for crop in crops])
"""

PREDICT_BY_TEN_CROP = """
def ten_crop_predict(predict, image, size):
    z = predict(ten_crop(image, size))
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.mean(e / e.sum(axis=1, keepdims=True), axis=0)
"""

# -- a loop that does not end: the mean of so many random numbers is never exactly 0 -----------------------------------

ENDLESS_LOOP = """
def elastic_field(height, width, alpha, sigma, rng):
    def weights(n):
        w = np.exp(-((np.arange(n)[:, None] - np.arange(n)) ** 2) / (2 * sigma**2))
        return w / w.sum(axis=1, keepdims=True)

    field = np.ones((2, height, width))
    while field.mean(axis=(1, 2)).any():  # the image as a whole must not move
        noise = rng.uniform(-1, 1, (2, height, width))
        field = alpha * (weights(height) @ noise @ weights(width).T)
    return field
"""

WRITTEN_ANSWERS = {
    "ada-first-style": """
1. House numbers: no mirrors, a mirrored 2 is no digit. Shifts yes, the door may stand anywhere in the frame.
   Brightness yes: a 7 is a 7 in the evening, too. X-rays: no mirrors, since the side of the heart is a finding. Small
   shifts yes, patients stand where they stand. Brightness only a little: grey is the density of the tissue.
2. The $2 \\cdot 33^2$ views of an image show the same cat on the same sofa. They are highly dependent, and nothing is
   learned about other cats. I would train with and without them on several numbers of images and compare the accuracy
   on unseen ones, with several seeds.
3. Copies of one image are on both sides. The network remembers the picture. Split first, then augment.
4. Random views would make the answer depend on luck. The ten are fixed. With probabilities no view can say more than
   1, with logits one view of the sofa could outvote nine of the cat.
""",
    "bela-second-style": """
1. Doors: mirror no (the digits change), shift yes (the camera moves), brightness yes (sun and shade). Chest: mirror no
   (heart on the left), shift yes, brightness within what the machines do.
2. They are not independent. It is measured on a test set, as a gain over training without views.
3. He tests on what he has trained on, only shifted a little.
4. Test views should be the same each time, so ten fixed ones. Probabilities are bounded and logits are not.
""",
    "chen-own-helpers": """
1. The question is always: does the label stay, and do such images occur? Numbers: no, yes, yes. X-rays: no (the heart
   would be on the right, which is rare and an illness), yes (small), a little (density is what one looks for).
2. Two million views, but 1000 objects: what differs between objects is seen 1000 times. Compare the test accuracy with
   more and fewer images, with and without views, and read off how many images the views replace.
3. The validation images are copies of training images, so 99 % is memory. Augment after the split, the training part
   alone.
4. Not at random, the result must be repeatable. Ten fixed views are averaged, one bounded vote each; the mean of
   logits is a geometric mean, and one very sure view decides it.
""",
}


def students() -> dict[str, dict[str, str]]:
    """Student → the files handed in, by name."""
    first, second, third = (alternatives(number) for number in range(3))
    half = {name: code for name, code in first.items() if name not in LEFT_OUT}
    codes = {
        "ada-first-style": first,
        "bela-second-style": second,
        "chen-own-helpers": third | OWN_HELPERS,
        "dara-half-done": half
        | mistake("view_count", "one place too few")
        | mistake("random_crop", "last place missing")
        | mistake("ten_crop_predict", "logits averaged")
        | {"prefetch": THREAD_LEFT_BEHIND}
        | mistake("repaired_random_crop", "last place still missing"),
        "ivo-lent-backward": second
        | mistake("center_crop", "offsets rounded, not floored")
        | mistake("horizontal_flip", "vertical flip")
        | {"ten_crop": TEN_CROP_BY_PARTS, "ten_crop_predict": PREDICT_BY_TEN_CROP}
        | mistake("warp", "dx and dy swapped"),
        "juno-untouched": {},
        "milo-endless-loop": second | {"elastic_field": ENDLESS_LOOP},
    }
    return ASSIGNMENT.files(
        {student: ASSIGNMENT.handed_in(code, WRITTEN_ANSWERS.get(student, "")) for student, code in codes.items()}
    )
