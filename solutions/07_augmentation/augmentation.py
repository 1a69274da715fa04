# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # More data for nothing
#
# A picture of a cat, moved three pixels to the left, is still a picture of a cat. To a network it is a new example, and
# it cost nothing. AlexNet had 61 million parameters and 1.2 million photographs. Without such new examples, its authors
# write, it "suffers from substantial overfitting" (Krizhevsky, Sutskever and Hinton, 2012, §4.1). This notebook builds
# the pipeline that makes them: crops, mirrors, colours, rubber sheets. Then it asks which of them help, and which do
# harm.
#
# **When you are done**, you can
#
# - prepare photographs as AlexNet did, and count how many views of one photograph there really are;
# - derive colour augmentation from the covariance of the pixels, and say what is odd about the paper's formula;
# - distort an image with a smooth random field, and predict when it tears;
# - sample an image at any affine grid, to the same numbers as PyTorch, and explain `align_corners=False`;
# - average ten views of a test image, and say why probabilities are averaged and not logits;
# - prepare batches in a second thread, so that augmentation costs (nearly) no time;
# - measure what each augmentation is worth, and recognize where one changes the label.
#
# **You need** NumPy, eigenvectors of a symmetric matrix, mean and variance, and a convolutional network as a thing that
# takes images and returns a number for each class. Threads are explained. You need no GPU and no internet connection.
#
# **Time**: about 7 hours. The exercises and the written question take 277 minutes, the rest is reading and
# looking.

# %% [markdown]
# ## How this notebook works
#
# - Run the cells from top to bottom with Shift+Enter.
# - In an exercise, write your code in place of `raise NotImplementedError()`. Run the cell, then the `check`
#   below it. The check tells you what holds, and often which idea went wrong. The first check of all may take some
#   seconds, because it waits for PyTorch.
# - Write solutions in NumPy and Python's standard library. A function must not change the arrays it is given.
# - `hint(center_crop)` gives three hints, one at a time. `reset(center_crop)`, as the last line of the exercise's
#   cell, brings the stub back and keeps your code in a comment. `solution(center_crop)` shows a reference where the
#   course has it. The same goes for every other exercise.
# - A `NameError` from a check or hint means that a cell above has not been run, or the kernel was restarted.
# - Where a question asks you to predict, choose an answer before you run the next cell. From the keyboard, Tab
#   goes from answer to answer and Space chooses.
# - No exercise depends on another. You may call your own earlier functions, but you need not. Pictures and
#   experiments use your function where it passed its check, and the course's version where it has not. They say which.

# %% [markdown]
# | exercise | points | difficulty | importance | minutes |
# |---|---|---|---|---|
# | `resize_shorter_side` | 4 | 1 | 3 | 8 |
# | `center_crop` | 4 | 1 | 4 | 8 |
# | `mean_image` | 3 | 1 | 3 | 5 |
# | `random_crop` | 6 | 2 | 5 | 12 |
# | `horizontal_flip` | 3 | 1 | 4 | 4 |
# | `view_count` | 3 | 1 | 3 | 6 |
# | `pca_color` | 8 | 3 | 3 | 20 |
# | `pca_color_jitter` | 6 | 2 | 3 | 10 |
# | `brightness_contrast` | 4 | 2 | 3 | 10 |
# | `elastic_field` | 8 | 3 | 4 | 25 |
# | `warp` | 9 | 4 | 4 | 30 |
# | `affine_grid` | 8 | 3 | 4 | 20 |
# | `bilinear_sample` | 9 | 3 | 4 | 20 |
# | `ten_crop` | 5 | 2 | 4 | 12 |
# | `ten_crop_predict` | 4 | 2 | 4 | 12 |
# | `prefetch` | 8 | 5 | 3 | 45 |
# | `repaired_random_crop` | 4 | 2 | 4 | 10 |
# | written question: which augmentation | 4 | 3 | 4 | 20 |
#
# Difficulty and importance go from 1 to 5. Run the next cell before anything else.

# %%
import numpy as np

from course_utils import check, hint, predict, progress, reset, reveal, solution, working
from course_utils.data import load_digits, load_shapes
from course_utils.plots import figure, palette, show

digits = load_digits()  # 8×8 pixels, grey
shapes = load_shapes(size=64, train=200, validation=0, test=100)  # drawn in colour: circles, stars, arrows, …

# %% [markdown]
# ## 1 · From photographs to inputs
#
# Photographs have all sizes and proportions, and AlexNet's input has one. The paper does two things. It *resizes* each
# photograph so that its shorter side has 256 pixels. Then it *cuts out* the square of 256×256 in the middle. The
# proportions stay: nothing is squeezed.
#
# All images here are arrays of shape $(C, H, W)$, channels first, with values from 0 to 1.

# %% tags=["display-only"]
predict(
    "resize",
    "A photograph is 500 pixels wide and 375 high. It is resized to a shorter side of 256, and the middle square is "
    "kept. Which share of the photograph is thrown away?",
    ["nothing", "a quarter", "a half", "three quarters"],
)

# %% [markdown]
# ### Exercise: `resize_shorter_side`
#
# Only the new size is asked for here. Rounding is where programs differ, so the docstring says how.


# %%
def resize_shorter_side(height, width, size):
    """The size of an image after resizing: the shorter side becomes `size`, the longer keeps the proportions.

    height, width: the image's sides in pixels, integers. size: the new shorter side, an integer.
    The longer side is multiplied by size / (shorter side) and floored, that is rounded down to a whole number. Where
    the product is whole already, it must not lose a pixel to rounding: 60 · (41 / 20) is 123, and floats give 122.99….
    A small image becomes larger.

    Returns (height, width), two integers.
    Raises ValueError when one of the three numbers is below 1. Its message contains that number.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §2 (ImageNet images, size 256).
    """
    ### BEGIN SOLUTION
    for name, number in (("height", height), ("width", width), ("size", size)):
        if number < 1:
            raise ValueError(f"{name} is {number}, but an image has at least one pixel")
    shorter = min(height, width)
    # Multiplied first and divided once, in integers: nothing is rounded before the floor.
    return height * size // shorter, width * size // shorter
    ### END SOLUTION


# %% points=4
check(resize_shorter_side)

# %% [markdown]
# ### Exercise: `center_crop`


# %%
def center_crop(image, size):
    """The square in the middle of an image.

    image: (C, H, W) array. size: side of the square in pixels, an integer.
    Its first row is row (H − size) / 2 and its first column is column (W − size) / 2, both floored.

    Returns a new (C, size, size) array, not a view: it shares no memory with the image.
    Raises ValueError when size is below 1, or larger than H or W. Its message contains size, H and W.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §2.
    """
    ### BEGIN SOLUTION
    _, height, width = image.shape
    if not 1 <= size <= min(height, width):
        raise ValueError(f"no square of side {size} fits into an image of {height}×{width} pixels")
    top, left = (height - size) // 2, (width - size) // 2
    return image[:, top : top + size, left : left + size].copy()
    ### END SOLUTION


# %% points=4
check(center_crop)


# %% tags=["display-only"]
def prepare_photographs():
    new_size, crop = working("resize_shorter_side"), working("center_crop")
    for height, width in ((375, 500), (500, 375), (1200, 1600), (256, 256), (200, 199)):
        rows, columns = new_size(height, width, 256)
        kept = crop(np.zeros((3, rows, columns)), 256)
        print(
            f"{height:4d}×{width:4d} → {rows}×{columns} → {kept.shape[1]}×{kept.shape[2]}; "
            f"left out {1 - 256 * 256 / (rows * columns):.0%}"
        )
    reveal("resize", 1, "375×500 becomes 256×341, and 256 of 341 columns are kept: 25 % are lost.")


prepare_photographs()

# %% [markdown]
# The wide photographs lose a quarter, whatever their size. Where a photographer puts the object at the edge, it is gone
# before the network has seen anything. (Sizes are given as rows × columns, as in the shape of an array.)
#
# Then the paper subtracts "the mean activity over the training set from each pixel": a *mean image*, one number for
# each place and channel.
#
# ### Exercise: `mean_image`


# %%
def mean_image(images):
    """The mean of the training images, pixel by pixel and channel by channel.

    images: (N, C, H, W) array, N images of one size.

    Returns a (C, H, W) array: at each place and in each channel, the mean over the N images.
    Raises ValueError when there is no image, N = 0.
    It is what AlexNet subtracts from every image; at test time too, it is the mean of the training images.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §2.
    """
    ### BEGIN SOLUTION
    if len(images) == 0:
        raise ValueError("the mean of 0 images does not exist")
    return images.mean(axis=0)  # (N, C, H, W) → (C, H, W)
    ### END SOLUTION


# %% points=3
check(mean_image)


# %% tags=["display-only"]
predict(
    "mean",
    "From 1000 training and 100 test images of the same kind: which mean is subtracted from a test image?",
    ["the test images' mean", "the mean of all 1100", "the training images' mean", "its own mean"],
)


# %% tags=["display-only"]
def look_at_means():
    mean = working("mean_image")
    all_of_them = mean(shapes.train.images)
    fig, axes = figure(1, 5, size=(10.5, 2.5))
    rows = shapes.train.images[:2]
    for ax, image, title in zip(
        axes,
        (rows[0], rows[1], all_of_them, rows[0] - all_of_them + 0.5, digits_mean(mean)),
        ("an image", "another", "mean of 200", "first − mean + ½", "mean digit"),
        strict=True,
    ):
        ax.imshow(np.clip(image.transpose(1, 2, 0), 0, 1), cmap="gray", vmin=0, vmax=1)
        ax.set(title=title, xticks=[], yticks=[])
        ax.grid(False)
    show(
        fig,
        alt="Two pictures of shapes in colour, the mean image of 200 such pictures, the first picture minus that mean, "
        "and the mean of the training digits. The mean of the shapes is a nearly even grey, somewhat lighter in the "
        "middle. The mean digit is a blurred bright blob, dark at the left and right edges.",
    )
    print("mean of the shapes, by channel:", ", ".join(f"{value:.3f}" for value in all_of_them.mean(axis=(1, 2))))
    print(f"its smallest and largest value: {all_of_them.min():.3f}, {all_of_them.max():.3f}")
    middle, edge = all_of_them[:, 24:40, 24:40].mean(), all_of_them[:, :4].mean()
    print(f"its middle {middle:.3f}, its upper edge {edge:.3f}")
    test = shapes.test.images.mean(axis=0)
    print(f"mean of 100 test images: differs by up to {np.abs(test - all_of_them).max():.3f}")
    reveal("mean", 2, "Test images must be treated as one image alone would be, by numbers fixed in training.")


def digits_mean(mean):
    return mean(digits.train.images)


look_at_means()

# %% [markdown]
# Where an object may stand anywhere, the mean image is nearly flat, and one number for each channel does as well. Later
# networks use just those (VGG, 2014). Where the images are aligned, as the digits are, it has a form.
#
# A pipeline with random crops subtracts either the matching part of the mean image or, more simply, one number for each
# channel.

# %% [markdown]
# ## 2 · Crops and reflections
#
# In training, AlexNet does not see the 256×256 image. It sees a square of 224×224 from a random place, mirrored in half
# of the cases, another one each time the image comes up. The objects appear at other places, the label stays.
#
# ### Exercise: `random_crop`


# %%
def random_crop(image, size, rng):
    """A square from a random place of an image.

    image: (C, H, W) array. size: side of the square in pixels, an integer.
    rng: a numpy.random.Generator; all random numbers come from it, how many and in which order is open.
    All (H − size + 1) · (W − size + 1) places are equally likely, those that touch the borders included. The place
    is drawn anew at each call.

    Returns a new (C, size, size) array, not a view: it shares no memory with the image.
    Raises ValueError when size is below 1, or larger than H or W. Its message contains size, H and W.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §4.1.
    """
    ### BEGIN SOLUTION
    _, height, width = image.shape
    if not 1 <= size <= min(height, width):
        raise ValueError(f"no square of side {size} fits into an image of {height}×{width} pixels")
    # The upper end of rng.integers is not drawn: H − size + 1 numbers, from 0 to H − size.
    top = rng.integers(0, height - size + 1)
    left = rng.integers(0, width - size + 1)
    return image[:, top : top + size, left : left + size].copy()
    ### END SOLUTION


# %% points=6
check(random_crop)


# %% [markdown]
# Mirroring exchanges left and right. It is not a rotation: no rotation of the page makes a left shoe of a right one.
#
# ### Exercise: `horizontal_flip`


# %%
def horizontal_flip(image):
    """The image in a mirror that stands beside it: left and right are exchanged, up stays up.

    image: (C, H, W) array.

    Returns a new (C, H, W) array, not a view: it shares no memory with the image.
    """
    ### BEGIN SOLUTION
    return image[:, :, ::-1].copy()
    ### END SOLUTION


# %% points=3
check(horizontal_flip)


# %% tags=["display-only"]
def look_at_views(size=56):
    crop, flip, rng = working("random_crop"), working("horizontal_flip"), np.random.default_rng(1)
    fig, axes = figure(2, 7, size=(10.5, 3.4))
    for row, image in zip(axes, shapes.train.images[[4, 7]], strict=True):
        views = [image] + [crop(image, size, rng) for _ in range(6)]
        views[4:] = [flip(view) for view in views[4:]]
        for ax, view, k in zip(row, views, range(7), strict=True):
            ax.imshow(view.transpose(1, 2, 0))
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.set_title("64×64" if k == 0 else ("crop" if k < 4 else "crop, mirrored"), fontsize=9)
    show(
        fig,
        alt="Two pictures of shapes in the first column. To the right of each, three crops of 56 by 56 pixels, in "
        "which the shape sits at slightly different places, and three crops that are also mirrored.",
    )


look_at_views()

# %% [markdown]
# How many different views does one image have? The paper says that this "increases the size of our training set by a
# factor of 2048".

# %% tags=["display-only"]
predict(
    "views",
    "In how many places does a 224×224 square fit into a 256×256 image?",
    ["32", "32 · 32", "32 · 33", "33 · 33"],
)

# %% [markdown]
# ### Exercise: `view_count`


# %%
def view_count(full, crop):
    """How many views of one image there are: crops at every place, each with its mirror image.

    full: side of the square image in pixels, an integer. crop: side of the square crop, an integer.

    Returns the number of pairs (place, mirrored or not), an integer.
    Raises ValueError when crop is below 1 or larger than full. Its message contains both numbers.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §4.1, who count one place too few in each direction.
    """
    ### BEGIN SOLUTION
    if not 1 <= crop <= full:
        raise ValueError(f"no crop of side {crop} fits into an image of side {full}")
    places = full - crop + 1  # 0, 1, …, full − crop
    return 2 * places**2
    ### END SOLUTION


# %% points=3
check(view_count)


# %% tags=["display-only"]
def count_and_compare(size=48):
    count, crop = working("view_count"), working("random_crop")
    for full, part in ((4, 3), (256, 224), (64, 48), (224, 224)):
        print(f"{part}×{part} in {full}×{full}: {full - part + 1} places a side, {count(full, part)} views")
    print(f"the paper's 2048 is 2 · 32²: {2 * 32**2}")
    rng = np.random.default_rng(0)

    def likeness(one, other):  # correlation of the pixels, between −1 and 1
        return np.corrcoef(one.ravel(), other.ravel())[0, 1]

    same = [likeness(crop(image, size, rng), crop(image, size, rng)) for image in shapes.train.images]
    pairs = zip(shapes.train.images, np.roll(shapes.train.images, 1, axis=0), strict=True)
    other = [likeness(crop(one, size, rng), crop(two, size, rng)) for one, two in pairs]
    for name, found in (("the same image", same), ("different images", other)):
        spread = np.std(found, ddof=1)
        print(f"correlation of two crops of {name:16s} {np.mean(found):5.2f} ± {spread:.2f} (std of 200 pairs)")
    reveal("views", 3, "With 32 pixels to spare, the first row may be 0, 1, …, 32: that is 33 places, and not 32.")


count_and_compare()

# %% [markdown]
# There are $33 \cdot 33 \cdot 2 = 2178$ views, and the paper's 2048 forgets the last place in each direction: a
# difference of 6 %, harmless in itself. The more important words come after it in the paper: "though the resulting
# training examples are, of course, highly interdependent". Two crops of one image resemble each other (a correlation
# of 0.54 here); two crops of two images do not (0.04). 2178 views are nothing like 2178 photographs. What they are
# worth, section 8 measures.

# %% [markdown]
# ## 3 · Colour
#
# A shape stays what it is in the evening light. Light multiplies and shifts the three channels *together*: where one
# photograph has more red than another, it mostly has more green and blue too. So random colours should be drawn along
# the directions in which real colours vary.
#
# Take every pixel of every training image as a point $x \in \mathbb R^3$. Let $m$ be the mean of all points, and
#
# $$\Sigma = \frac1n \sum_{k=1}^n (x_k - m)(x_k - m)^\top \tag{1}$$
#
# their $3\times3$ covariance. Along a unit vector $u$, the points have the variance
# $\frac1n \sum_k \big(u \cdot (x_k - m)\big)^2 = u^\top \Sigma\, u$. Where is it largest? At a maximum under the
# condition $u^\top u = 1$, the gradient of $u^\top \Sigma u - \lambda\,(u^\top u - 1)$ is 0:
#
# $$2\,\Sigma u - 2\lambda u = 0, \qquad \text{so } \Sigma u = \lambda u, \qquad u^\top \Sigma\, u = \lambda. \tag{2}$$
#
# The direction is an eigenvector $p_1$ of $\Sigma$, and its eigenvalue $\lambda_1$ *is* the variance. $\Sigma$ is
# symmetric, so there are three such directions at right angles, with $\lambda_1 \ge \lambda_2 \ge \lambda_3 \ge 0$: the
# *principal components*. (`np.linalg.eigh` finds them; mind its order.)

# %% tags=["display-only"]
predict(
    "grey",
    "Along which direction do the colours of the shapes vary most?",
    ["red alone: (1, 0, 0)", "red against green: (1, −1, 0)/√2", "from dark to light: near (1, 1, 1)/√3"],
)

# %% [markdown]
# ### Exercise: `pca_color`


# %%
def pca_color(images):
    """The principal components of the colours in a set of images.

    images: (N, 3, H, W) array. Each of the N·H·W pixels of all images is one point (red, green, blue).

    The covariance matrix of these points, (3, 3): with the mean colour m of all pixels,
    the mean over the pixels of (x − m)(x − m)ᵀ, divided by N·H·W.

    Returns (eigenvalues, eigenvectors) of that matrix, of shapes (3,) and (3, 3).
    The eigenvalues fall: the largest is the first. eigenvectors[:, i] has length 1 and belongs to eigenvalues[i].
    Left open: the sign of each eigenvector.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §4.1.
    """
    ### BEGIN SOLUTION
    pixels = images.transpose(1, 0, 2, 3).reshape(3, -1)  # (3, N·H·W): a row for each channel
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    covariance = centred @ centred.T / centred.shape[1]  # (3, 3)
    eigenvalues, eigenvectors = np.linalg.eigh(covariance)  # in rising order
    return eigenvalues[::-1], eigenvectors[:, ::-1]
    ### END SOLUTION


# %% points=8
check(pca_color)


# %% tags=["display-only"]
def colour_directions():
    components = working("pca_color")
    values, vectors = components(shapes.train.images)
    for i in range(3):
        vector = vectors[:, i] * np.sign(vectors[np.abs(vectors[:, i]).argmax(), i])
        print(
            f"λ{i + 1} = {values[i]:.4f} ({values[i] / np.sum(values):.0%} of the variance), "
            f"std {np.sqrt(values[i]):.3f}, "
            f"along ({', '.join(f'{part:5.2f}' for part in vector)})"
        )
    pixels = shapes.train.images.transpose(1, 0, 2, 3).reshape(3, -1)
    some = pixels[:, np.random.default_rng(0).permutation(pixels.shape[1])[:1500]]
    mean = pixels.mean(axis=1)
    fig, axes = figure(1, 2, size=(9, 3.9))
    for ax, (a, b) in zip(axes, ((0, 1), (1, 2)), strict=True):
        ax.scatter(some[a], some[b], s=6, c=some.T, linewidths=0)
        lines = ((palette.black, "-"), (palette.orange, "--"), (palette.vermillion, ":"))
        for i, (color, style) in enumerate(lines):
            reach = 2 * np.sqrt(values[i]) * vectors[:, i]
            ends = np.stack([mean - reach, mean + reach])
            label = f"2√λ{i + 1} either way along p{i + 1}"
            ax.plot(ends[:, a], ends[:, b], style, color=color, linewidth=3, label=label)
        names = ("red", "green", "blue")
        ax.set(xlabel=names[a], ylabel=names[b], xlim=(0, 1), ylim=(0, 1))
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    show(
        fig,
        alt="1500 pixels as points, green against red and blue against green, each in its own colour. The cloud is "
        "stretched from dark at the lower left to light at the upper right. The first principal component lies "
        "along it and is the longest; the other two are shorter.",
    )
    reveal("grey", 2, "Light and shade move all three channels together.")


colour_directions()

# %% [markdown]
# AlexNet draws three numbers $\alpha_i$ from $\mathcal N(0, 0.1^2)$ and adds to *every pixel* of the image the same
# colour
#
# $$\sum_{i=1}^3 \alpha_i \lambda_i\, p_i. \tag{3}$$
#
# There is one draw for each image and each time it is used. (A draw for every pixel would be noise, not another light.)
# The sign of $p_i$ does not matter, since $\alpha_i$ and $-\alpha_i$ are equally likely.
#
# ### Exercise: `pca_color_jitter`


# %%
def pca_color_jitter(image, eigenvalues, eigenvectors, alphas):
    """AlexNet's change of colour: the same shift along the principal components for every pixel of an image.

    image: (3, H, W) array. eigenvalues: (3,) array λ. eigenvectors: (3, 3) array, p_i is the column
    eigenvectors[:, i]. alphas: (3,) array α, one draw from N(0, 0.1²) for each component, made once per image
    by the caller.

    Adds the colour Σ_i α_i λ_i p_i to each pixel.

    Returns a (3, H, W) array. It is not clipped: values may leave the interval from 0 to 1.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §4.1.
    """
    ### BEGIN SOLUTION
    shift = eigenvectors @ (alphas * eigenvalues)  # (3,): red, green, blue
    return image + shift[:, None, None]
    ### END SOLUTION


# %% points=6
check(pca_color_jitter)


# %% tags=["display-only"]
predict(
    "unit",
    "Someone stores pixels as 0 … 255 in place of 0 … 1, and does all of (1) to (3) with those. Measured against the "
    "range of the pixels, the colour shift becomes …",
    ["no different: it is the same image", "16 times as large", "255 times as large", "255² times as large"],
)


# %% tags=["display-only"]
def how_strong_is_it():
    components, jitter = working("pca_color"), working("pca_color_jitter")
    for unit in (1, 255):
        values, vectors = components(unit * shapes.train.images)
        black = np.zeros((3, 1, 1))
        shift = jitter(black, values, vectors, np.array([0.1, 0, 0])).ravel()
        print(f"pixels 0 … {unit:3d}: λ1 = {values[0]:8.4f}; α1 = 0.1 shifts the colours by", end=" ")
        print(f"{np.abs(shift).max() / unit:.4f} of the range at most")
    values, vectors = components(shapes.train.images)
    rng, image = np.random.default_rng(2), shapes.train.images[12]
    fig, axes = figure(2, 6, size=(10.5, 3.7))
    for row, std in zip(axes, (0.1, 3.0), strict=True):
        for k, ax in enumerate(row):
            view = image if k == 0 else jitter(image, values, vectors, rng.normal(0, std, 3))
            ax.imshow(np.clip(view.transpose(1, 2, 0), 0, 1))
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            ax.set_title("original" if k == 0 else f"α from N(0, {std:g}²)", fontsize=9)
    show(
        fig,
        alt="One picture and five copies with shifted colours, twice. In the upper row, α with standard deviation 0.1, "
        "no difference can be seen. In the lower row, with 3, the copies are tinted or much lighter, one hardly so.",
    )
    reveal("unit", 2, "λ is a variance and grows 255²-fold, the range 255-fold. Their ratio grows 255-fold.")


how_strong_is_it()

# %% [markdown]
# With pixels in $[0, 1]$, $\alpha = 0.1$ shifts a colour by 0.004, one of 256 steps, which nobody sees. With pixels in
# $[0, 255]$ it shifts it by more than the whole range. The formula
# does not say which unit it means, and it cannot be right in both: (3) adds a *variance* to a pixel, and a variance has
# the squared unit. A formula without this fault would take $\sqrt{\lambda_i}$, the standard deviation along $p_i$; then
# $\alpha_i = 0.1$ means "a tenth of what is usual", in any unit. Since the $\alpha$ can be chosen freely, (3) does no
# harm as long as you look at the images. The paper reports a gain of over one percent in its top-1 error rate.
#
# A plainer relative shifts and stretches all values of the image: *brightness* is added, *contrast* multiplies the
# distance from the image's own mean. What leaves the range from 0 to 1 is cut off.
#
# ### Exercise: `brightness_contrast`


# %%
def brightness_contrast(image, brightness, contrast):
    """An image made brighter or darker, with more contrast or less.

    image: (C, H, W) array with values in [0, 1]. brightness: a number that is added; 0 changes nothing.
    contrast: a number ≥ 0 that multiplies the distances from the image's mean; 1 changes nothing, 0 leaves a grey area.

    With m the mean of all C·H·W values of this image, each value x becomes (x − m) · contrast + m + brightness.
    Last of all, what is below 0 becomes 0 and what is above 1 becomes 1.

    Returns a (C, H, W) array with values in [0, 1].
    """
    ### BEGIN SOLUTION
    mean = image.mean()
    return np.clip((image - mean) * contrast + mean + brightness, 0, 1)
    ### END SOLUTION


# %% points=4
check(brightness_contrast)


# %% [markdown]
# Now turn the knobs. Which of them can go how far before *you* would no longer give the image its label?

# %% tags=["display-only"]
from course_utils.widgets import augmentation_knobs

augmentation_knobs()

# %% [markdown]
# That is the rule for every augmentation: it must preserve the label. The limit depends on the task. Colour may vary
# freely when shapes are to be told apart, and not at all when ripe tomatoes are to be told from green ones.


# %% [markdown]
# ## 4 · Rubber sheets
#
# Handwriting varies in another way: as if the paper were a rubber sheet, pulled here and pushed there. Simard,
# Steinkraus and Platt (2003) imitate this with a *displacement field*: for every pixel a vector $(dy, dx)$, in
# pixels. Independent random vectors would tear the image to sand. So each of the two maps is smoothed with a Gaussian
# of standard deviation $\sigma$ and then multiplied by $\alpha$.
#
# How large are the displacements? A uniform number from $(-1, 1)$ has variance $\frac13$. Smoothing takes a weighted
# sum with the weights $G(i, j) = \frac{1}{2\pi\sigma^2}\, e^{-(i^2+j^2)/2\sigma^2}$. Variances of independent numbers
# add up, with squared weights, and the sum of the squares is nearly an integral:
#
# $$\sum_{i,j} G(i,j)^2 \approx \int \frac{1}{4\pi^2\sigma^4}\, e^{-r^2/\sigma^2}\, dA
# = \frac{1}{4\pi^2\sigma^4} \cdot \pi\sigma^2 = \frac{1}{4\pi\sigma^2}.$$
#
# So a displacement has the standard deviation
#
# $$\frac{\alpha}{\sqrt{12\pi}\,\sigma} \approx 0.163\,\frac{\alpha}{\sigma}. \tag{4}$$
#
# In the same way, with $(\partial G/\partial x)^2$ in the integral, which gives $1/(8\pi\sigma^4)$, the *slope* of the
# field, from one pixel to its neighbour, has the standard deviation
#
# $$\frac{\alpha}{\sqrt{24\pi}\,\sigma^2} \approx 0.115\,\frac{\alpha}{\sigma^2}. \tag{5}$$
#
# The slope decides whether the sheet stays whole. Where $dx$ falls by more than 1 from one pixel to the next, the
# second pixel is fetched from the left of the first: the sheet is folded over.

# %% tags=["display-only"]
predict(
    "sigma",
    "α stays, and σ is doubled. What happens to the typical displacement and to the typical slope?",
    [
        "both stay",
        "displacement doubled, slope the same",
        "displacement halved, slope halved",
        "displacement halved, slope a quarter",
    ],
)

# %% [markdown]
# ### Exercise: `elastic_field`


# %%
def elastic_field(height, width, alpha, sigma, rng):
    """A random, smooth displacement for every pixel of an image: an elastic distortion.

    height, width: whole numbers ≥ 1, the size of the image in pixels.
    alpha: how strong the distortion is, in pixels; a number ≥ 0.
    sigma: the standard deviation of the smoothing Gaussian, in pixels; a number > 0. It may be larger than the image.
    rng: a numpy.random.Generator, the only source of random numbers.

    1. For each pixel and each of the two directions draw a number of its own, uniformly between −1 and 1.
    2. Smooth each of the two maps with a Gaussian: the weight of a pixel that is i rows and j columns away is
       exp(−(i² + j²) / (2 sigma²)), divided by the sum of all weights. Follow it out to 3 sigma at least.
    3. Multiply by alpha. There is no other scaling.

    Left open: the order of the draws, and what lies beyond the border when you smooth (zeros, the mirrored map,
    the repeated map, or weights that sum to 1 over the image alone).
    The check also makes fields of about 200 × 200 pixels. Smoothing along one axis first and then along the other is
    fast enough.

    Returns field: (2, height, width) array; field[0] is dy (down) and field[1] is dx (to the right), in pixels.
    Source: Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks Applied to Visual
    Document Analysis", 2003, §2.
    """
    ### BEGIN SOLUTION
    reach = int(np.ceil(4 * sigma))
    k = np.arange(-reach, reach + 1)
    kernel = np.exp(-(k**2) / (2 * sigma**2))
    kernel /= kernel.sum()

    def smoothed(lines):
        padded = np.pad(lines, [(0, 0), (reach, reach)])  # zeros beyond the border
        return np.array([np.convolve(line, kernel, "valid") for line in padded])

    noise = rng.uniform(-1, 1, size=(2, height, width))
    # A Gaussian of two variables is a product of two: along the rows first, then along the columns.
    return alpha * np.stack([smoothed(smoothed(one).T).T for one in noise])
    ### END SOLUTION


# %% points=8
check(elastic_field)


# %% tags=["display-only"]
def size_of_the_field(size=96):
    make, rng = working("elastic_field"), np.random.default_rng(0)
    for alpha, sigma in ((34, 4), (34, 8), (68, 8), (100, 4)):
        fields = np.stack([make(size, size, alpha, sigma, rng) for _ in range(12)])
        inner = fields[..., 24:-24, 24:-24]  # what lies beyond the border does not reach this far
        dy, dx = inner[:, 0], inner[:, 1]
        down, right = (lambda f: np.diff(f, axis=1)[..., :-1]), (lambda f: np.diff(f, axis=2)[:, :-1])
        area = (1 + down(dy)) * (1 + right(dx)) - right(dy) * down(dx)
        print(
            f"α = {alpha:3d}, σ = {sigma}: displacement {inner.std():.2f} px, "
            f"by (4) {alpha / np.sqrt(12 * np.pi) / sigma:.2f};   "
            f"slope {right(dx).std():.3f}, by (5) {alpha / np.sqrt(24 * np.pi) / sigma**2:.3f};"
            f"   folded {np.mean(area < 0):.2%}"
        )
    reveal("sigma", 3, "(4) has one σ below the line, (5) has two: more numbers are averaged, over a longer way.")


size_of_the_field()

# %% [markdown]
# $\alpha = 34$ and $\sigma = 4$ are the paper's best values, for handwritten digits of 29×29 pixels: pixels move by
# more than one pixel, and nothing folds. At $\alpha = 100$ the slope's standard deviation is 0.7, and a fifth of the
# sheet is turned over. (Folded is where the little square between four pixels is turned inside out, so that its
# signed area is negative.)
#
# A field is of no use until it moves an image. The convention is *backward*: the field says, for each pixel of the
# result, where it comes from. In the other direction, pixels would be thrown at places, some would be hit twice, others
# never, and the image would have holes. The place is rarely a pixel, so the four around it are weighted by their
# nearness (*bilinear interpolation*).

# %% tags=["display-only"]
predict(
    "direction",
    "A field has dy = 0 and dx = +3 everywhere. What does the warped image look like?",
    [
        "the content has moved 3 pixels to the right",
        "the content has moved 3 pixels to the left",
        "it is stretched threefold",
    ],
)

# %% [markdown]
# ### Exercise: `warp`


# %%
def warp(image, field):
    """Move the pixels of an image as a displacement field says.

    image: (C, H, W) array. field: (2, H, W) array; field[0] is dy (down), field[1] is dx (to the right), in pixels.

    The field says where each pixel of the result comes *from*: out[c, y, x] is the value of channel c at row
    y + dy[y, x] and column x + dx[y, x]. Between the pixels, values are interpolated bilinearly: with the point
    a share t of the way from row i to row i + 1, and a share s from column j to column j + 1,

    (1−t)(1−s) · I[i, j] + (1−t) s · I[i, j+1] + t (1−s) · I[i+1, j] + t s · I[i+1, j+1],

    where a pixel that lies outside the image counts as 0. Displacements may be larger than the image.

    Returns out: a new (C, H, W) array.
    """
    ### BEGIN SOLUTION
    C, H, W = image.shape
    rows = np.arange(H)[:, None] + field[0]
    columns = np.arange(W) + field[1]
    top, left = np.floor(rows), np.floor(columns)
    out = np.zeros((C, H, W))
    for i in (top, top + 1):
        for j in (left, left + 1):
            weight = (1 - np.abs(rows - i)) * (1 - np.abs(columns - j))
            inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
            y, x = np.where(inside, i, 0).astype(int), np.where(inside, j, 0).astype(int)
            out += np.where(inside, weight, 0) * image[:, y, x]
    return out
    ### END SOLUTION


# %% points=9
check(warp)


# %% tags=["display-only"]
def look_at_warps():
    make, move = working("elastic_field"), working("warp")
    image = np.zeros((1, 5, 8))
    image[0, 2, 4] = 1
    moved = move(image, np.stack([np.zeros((5, 8)), np.full((5, 8), 3.0)]))
    print("a bright pixel in column 4, warped with dx = +3, is in column", moved[0, 2].argmax())
    line = np.zeros((1, 1, 9))
    line[0, 0, 4] = 1
    half = np.stack([np.zeros((1, 9)), np.full((1, 9), 0.5)])
    print("half a pixel, there and back:", move(move(line, half), -half)[0, 0, 2:7])

    digit = np.zeros((1, 64, 64))
    digit[0] = np.kron(digits.train.images[3, 0], np.ones((8, 8)))
    grid = digit.copy()
    grid[0, ::8], grid[0, :, ::8] = 0.6, 0.6  # lines on the sheet
    settings = ((0, 4), (34, 4), (34, 1.5), (100, 4), (300, 12))
    fig, axes = figure(1, 5, size=(10.5, 2.6))
    for ax, (alpha, sigma) in zip(axes, settings, strict=True):
        view = move(grid, make(64, 64, alpha, sigma, np.random.default_rng(3)))
        ax.imshow(view[0], cmap="gray", vmin=0, vmax=1)
        ax.set(title=f"α = {alpha}, σ = {sigma}", xticks=[], yticks=[])
        ax.grid(False)
    show(
        fig,
        alt="A digit enlarged to 64 by 64 pixels, with a lattice of lines drawn on it, under five fields. α = 0: "
        "unchanged. α = 34, σ = 4: gently bent lines. α = 34, σ = 1.5: the lines are torn to crumbs. "
        "α = 100, σ = 4: the lattice is twisted and folded in places. α = 300, σ = 12: the whole sheet is bent "
        "in wide curves.",
    )
    reveal("direction", 1, "Each pixel fetches what is 3 to its right, so the content goes to the left.")


look_at_warps()

# %% [markdown]
# Interpolation has a price. Half a pixel there and half a pixel back should do nothing; the single bright pixel became
# $\frac14, \frac12, \frac14$. Every warp blurs a little, so combine all displacements into one field and sample once.
#
# In the widget, set $\sigma$ to 1, 2 and 4, and each time raise $\alpha$ until some of the sheet folds. By which
# factors do the three limits grow? What does (5) say?

# %% tags=["display-only"]
from course_utils.widgets import elastic_distortion

elastic_distortion()

# %% [markdown]
# The first folds appear near $\alpha = 4$, 12 and 50, depending on the draw: factors of 3 to 4. By (5) the slope
# stays the same if $\alpha$ grows with $\sigma^2$, which would be a factor of 4. At $\sigma = 1$ the field bends
# within a pixel, and from one pixel to the next it rises less than (5) says: hence the 3. At $\sigma = 10$ nothing
# folds on this slider, and the letter is mostly shifted and bent as a whole.

# %% [markdown]
# ## 5 · Affine maps, and the half pixel
#
# Rotation, scaling, shearing and shifting are displacement fields too, with six numbers. For these, PyTorch has
# `affine_grid` and `grid_sample`, which come from the *spatial transformer* (Jaderberg et al., 2015): a layer that
# learns where to look. Its coordinates do not depend on the image's size: $x$ goes from −1 at the left *edge* to 1 at
# the right edge, $y$ from −1 at the top edge to 1 at the bottom edge. A pixel is a little square, and its place is its
# centre. So with $W$ columns, column $j$ is at
#
# $$x_j = \frac{2j + 1}{W} - 1, \qquad \text{back again:}\quad j = \frac{(x + 1)\,W - 1}{2}. \tag{6}$$
#
# For each place $(x, y)$ of the result, the grid says where to read:
#
# $$\begin{pmatrix} x' \\ y' \end{pmatrix} = \theta \begin{pmatrix} x \\ y \\ 1 \end{pmatrix}, \qquad
# \theta \in \mathbb R^{2\times 3}.$$
#
# This is backward again, and $x$ comes *before* $y$, unlike in the field of section 4.
#
# PyTorch also knows another convention, `align_corners=True`. There −1 and 1 are the *centres* of the outermost pixels,
# so that $x_j = 2j/(W-1) - 1$. Then a pixel's place depends on how many pixels lie between the corners. If one halves
# the resolution, the two grids no longer cover the same area. `False` has been PyTorch's default since version 1.3.

# %% tags=["display-only"]
predict(
    "zoom",
    "θ = ((0.5, 0, 0), (0, 0.5, 0)). What does the result show?",
    [
        "the whole image at half the size, with zeros around it",
        "the middle of the image, twice as large",
        "the upper left quarter of the image",
    ],
)

# %% [markdown]
# ### Exercise: `affine_grid`


# %%
def affine_grid(theta, height, width):
    """Where each pixel of a result comes from, under an affine map.

    theta: (2, 3) array. height, width: whole numbers ≥ 1, the size of the result in pixels.

    Places are measured from the centre: x from −1 at the image's left edge to 1 at its right edge, y from −1 at the
    top edge to 1 at the bottom edge. A pixel's place is its centre, so the first of n pixels is at −1 + 1/n and the
    last at 1 − 1/n, with 2/n between two neighbours (PyTorch's align_corners=False).
    For the pixel of the result at (x, y), grid[row, column] = theta · (x, y, 1): the x, then the y, to read from.

    Returns grid: (height, width, 2) array, x before y.
    Source: Jaderberg et al., "Spatial Transformer Networks", 2015, §3.2.
    """
    ### BEGIN SOLUTION
    x = (2 * np.arange(width) + 1) / width - 1
    y = (2 * np.arange(height) + 1) / height - 1
    places = np.ones((height, width, 3))
    places[..., 0] = x  # the same in every row
    places[..., 1] = y[:, None]  # the same in every column
    return places @ np.asarray(theta).T
    ### END SOLUTION


# %% points=8
check(affine_grid)


# %% [markdown]
# ### Exercise: `bilinear_sample`


# %%
def bilinear_sample(image, grid):
    """Read an image at the places of a grid, between the pixels too.

    image: (C, H, W) array. grid: (height, width, 2) array of places, x before y, as affine_grid returns them: −1 is
    the left (top) *edge* of the image and 1 the right (bottom) edge; a pixel's place is its centre
    (PyTorch's align_corners=False). height and width need not be H and W.

    In pixels, x is the column ((x + 1) · W − 1) / 2 and y the row ((y + 1) · H − 1) / 2, so that column 0 is the
    centre of the first pixel. Between the pixels, values are interpolated bilinearly: with the point a share t of
    the way from row i to row i + 1, and a share s from column j to column j + 1,

    (1−t)(1−s) · I[i, j] + (1−t) s · I[i, j+1] + t (1−s) · I[i+1, j] + t s · I[i+1, j+1],

    where a pixel that lies outside the image counts as 0. Places may be far outside.

    Returns out: a new (C, height, width) array.
    Source: Jaderberg et al., "Spatial Transformer Networks", 2015, §3.3.
    """
    ### BEGIN SOLUTION
    C, H, W = image.shape
    columns = ((grid[..., 0] + 1) * W - 1) / 2
    rows = ((grid[..., 1] + 1) * H - 1) / 2
    top, left = np.floor(rows), np.floor(columns)
    out = np.zeros((C, *rows.shape))
    for i in (top, top + 1):
        for j in (left, left + 1):
            weight = (1 - np.abs(rows - i)) * (1 - np.abs(columns - j))
            inside = (i >= 0) & (i < H) & (j >= 0) & (j < W)
            y, x = np.where(inside, i, 0).astype(int), np.where(inside, j, 0).astype(int)
            out += np.where(inside, weight, 0) * image[:, y, x]
    return out
    ### END SOLUTION


# %% points=9
check(bilinear_sample)


# %% tags=["display-only"]
def against_pytorch():
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    make, sample, rng = working("affine_grid"), working("bilinear_sample"), np.random.default_rng(0)
    theta, image = rng.normal(size=(2, 3)), rng.normal(size=(3, 5, 8))
    ours = sample(image, make(theta, 7, 4))
    for corners in (False, True):
        theirs = affine_grid(torch.tensor(theta)[None], (1, 3, 7, 4), align_corners=corners)
        out = grid_sample(torch.tensor(image)[None], theirs, align_corners=corners)[0].numpy()
        print(f"PyTorch with align_corners={corners!s:5}: largest difference {np.abs(ours - out).max():.0e}")
    identity = np.eye(2, 3)
    print("four columns are at", make(identity, 1, 4)[0, :, 0])
    corners = affine_grid(torch.tensor(identity)[None], (1, 1, 4, 4), align_corners=True).numpy()[0]
    print("with align_corners=True at", np.round(corners[0, :, 0], 3))
    ones = np.ones((1, 4, 4))
    print("ones, read with that other grid; first row:", sample(ones, corners)[0, 0])
    reveal("zoom", 1, "The right edge of the result, x = 1, is read at x' = 0.5, half of the way to the edge.")


against_pytorch()

# %% [markdown]
# Mixing the two conventions hardly shows: the identity then shrinks the image by $(W-1)/W$, and the outermost pixels
# are read half outside, where zeros are. On photographs such a mistake is easily overlooked.

# %% tags=["display-only"]
predict(
    "oblong",
    "An image of 64 rows and 128 columns is sampled at θ = ((cos φ, −sin φ, 0), (sin φ, cos φ, 0)) with φ = 30°. "
    "What becomes of a circle in it?",
    ["a circle: it is a rotation", "an ellipse", "a circle of half the size"],
)


# %% tags=["display-only"]
def turn_an_oblong_image():
    make, sample = working("affine_grid"), working("bilinear_sample")
    rows, columns = np.mgrid[:64, :128]
    distance = np.hypot(rows - 31.5, columns - 63.5)
    image = np.clip(22 - distance, 0, 1) * np.where((columns - 63.5) > 0, 1.0, 0.6)
    image = np.stack([image])
    cosine, sine = np.cos(np.pi / 6), np.sin(np.pi / 6)
    naive = np.array([[cosine, -sine, 0], [sine, cosine, 0]])
    right = np.array([[cosine, -sine * 64 / 128, 0], [sine * 128 / 64, cosine, 0]])
    fig, axes = figure(1, 3, size=(10, 2.3))
    for ax, theta, title in zip(axes, (np.eye(2, 3), naive, right), ("image", "θ as given", "corrected"), strict=True):
        view = sample(image, make(theta, 64, 128))[0]
        spread = np.cov(np.stack([rows[view > 0.3], columns[view > 0.3]]).astype(float))
        long, short = np.sqrt(np.linalg.eigvalsh(spread)[::-1])
        print(f"{title:11s} longest to shortest diameter {long / short:.2f}")
        ax.imshow(view, cmap="gray", vmin=0, vmax=1)
        ax.set(title=title, xticks=[], yticks=[])
        ax.grid(False)
    show(
        fig,
        alt="A disc, half white and half grey, in an image twice as wide as high. With θ as given it becomes a "
        "slanted ellipse. With the corrected θ it is the same disc, turned by 30 degrees.",
    )
    reveal("oblong", 1, "x and y have different units here: 64 pixels and 32. In pixels, θ is no rotation.")


turn_an_oblong_image()

# %% [markdown]
# A place in pixels from the centre is $(\tfrac W2 x, \tfrac H2 y)$. If $R$ is to act on pixels, then $\theta = S^{-1}
# R\, S$ with $S = \operatorname{diag}(W/2, H/2)$: the entry $\theta_{12}$ gets the factor $H/W$, and $\theta_{21}$
# the factor $W/H$.
#
# Bilinear interpolation has one more virtue: the result is differentiable in the places, and so in $\theta$. Given
# a moved image, gradient descent can find out how it was moved.

# %% tags=["display-only"]
def find_the_map(steps=150):
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    rows, columns = np.mgrid[:32, :32]
    long = np.exp(-((rows - 13) ** 2) / 60 - (columns - 18) ** 2 / 20)
    round_one = np.exp(-((rows - 20) ** 2 + (columns - 9) ** 2) / 15)
    image = torch.tensor(long + round_one)[None, None]
    hidden = torch.tensor([[[0.9, -0.25, 0.12], [0.2, 1.1, -0.08]]], dtype=torch.float64)
    target = grid_sample(image, affine_grid(hidden, image.shape, align_corners=False), align_corners=False)
    theta = torch.eye(2, 3, dtype=torch.float64)[None].requires_grad_()
    optimizer = torch.optim.Adam([theta], lr=0.02)
    for step in range(steps + 1):
        out = grid_sample(image, affine_grid(theta, image.shape, align_corners=False), align_corners=False)
        loss = torch.mean((out - target) ** 2)
        if step % 50 == 0:
            gap = (theta - hidden).abs().max().item()
            print(f"step {step:3d}: mean square error {loss.item():.1e}, θ off by {gap:.3f}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


find_the_map()

# %% [markdown]
# This is the heart of a spatial transformer: a small network proposes $\theta$ for each image, and the loss of the
# classifier behind it teaches it where to look. Instead of showing the network every rotation, one lets it turn the
# image back.

# %% [markdown]
# ## 6 · Ten views of a test image
#
# The network was trained on 224×224 crops. Which crop should it judge when it is tested? AlexNet takes ten: the four
# corners, the centre, and the mirror images of these five. It averages "the predictions made by the network's softmax
# layer on the ten patches" (§4.1).
#
# ### Exercise: `ten_crop`


# %%
def ten_crop(image, size):
    """AlexNet's ten views of a test image: the four corners and the centre, then the mirror images of these five.

    image: (C, H, W) array. size: side of the square views in pixels, an integer.
    Order: top left, top right, bottom left, bottom right, centre; then these five crops in the same order, each
    mirrored, left and right exchanged. The centre crop's offsets are (H − size) / 2 and (W − size) / 2, floored.

    Returns a (10, C, size, size) array.
    Raises ValueError when size is below 1, or larger than H or W. Its message contains size, H and W.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §4.1.
    """
    ### BEGIN SOLUTION
    _, height, width = image.shape
    if not 1 <= size <= min(height, width):
        raise ValueError(f"no square of side {size} fits into an image of {height}×{width} pixels")
    bottom, right = height - size, width - size
    places = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    crops = np.stack([image[:, top : top + size, left : left + size] for top, left in places])  # (5, C, size, size)
    return np.concatenate([crops, crops[..., ::-1]])
    ### END SOLUTION


# %% points=5
check(ten_crop)


# %% tags=["display-only"]
def look_at_ten():
    views = working("ten_crop")(shapes.train.images[4], 48)
    fig, axes = figure(2, 5, size=(9, 3.9))
    names = ("top left", "top right", "bottom left", "bottom right", "centre")
    for k, ax in enumerate(axes.flat):
        ax.imshow(views[k].transpose(1, 2, 0))
        ax.set(title=f"{k}: {names[k % 5]}{', mirrored' if k > 4 else ''}", xticks=[], yticks=[])
        ax.title.set_fontsize(9)
        ax.grid(False)
    show(
        fig,
        alt="Ten views of one picture. Upper row: the crops at the four corners and at the centre. Lower row: the same "
        "five, mirrored. The shape sits at another place in each of the five.",
    )


look_at_ten()

# %% [markdown]
# "Average the predictions": the probabilities, or the logits before the softmax? It matters. Let view $v$ give class
# $k$ the logit $z_k^v$ and the probability $p_k^v$. In each view $z_k^v = \ln p_k^v + c^v$, so a softmax of the mean
# logits is proportional to
#
# $$\exp\Big(\frac{1}{10}\sum_v z_k^v\Big) \;\propto\; \prod_v \big(p_k^v\big)^{1/10}, \tag{7}$$
#
# the *geometric* mean of the probabilities. A product can be vetoed: one view that is nearly sure that it is not $k$
# brings the product to 0.

# %% tags=["display-only"]
predict(
    "veto",
    "Two classes. Nine views give the first class a probability of 0.8. The tenth sees a corner without the object and "
    "gives it 0.000001. Which class do the averaged probabilities choose, which the averaged logits?",
    ["both the first", "probabilities the first, logits the second", "probabilities the second, logits the first"],
)

# %% [markdown]
# ### Exercise: `ten_crop_predict`


# %%
def ten_crop_predict(predict, image, size):
    """The probabilities of the classes for a test image, averaged over its ten views.

    predict: a function from a batch of images, (n, C, size, size), to their logits, (n, K), for any n ≥ 1.
    image: (C, H, W) array. size: side of the square views in pixels, an integer, not larger than H or W.
    The ten views are the four corners, the centre and the mirror images of these five, as in ten_crop; you may call
    yours. A softmax turns the logits of each view into probabilities: exp(z_k) / Σ_j exp(z_j), which must also work for
    logits of 1000. Then the ten probabilities of each class are averaged.

    Returns a (K,) array of probabilities, whose sum is 1.
    Source: Krizhevsky, Sutskever and Hinton, 2012, §4.1.
    """
    ### BEGIN SOLUTION
    logits = predict(ten_crop(image, size))  # (10, K)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))  # none larger than 1
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    return probabilities.mean(axis=0)
    ### END SOLUTION


# %% points=4
check(ten_crop_predict)


# %% tags=["display-only"]
def one_veto():
    average = working("ten_crop_predict")
    first = np.append(np.full(9, 0.8), 1e-6)
    logits = np.log(np.stack([first, 1 - first], axis=1))  # (10, 2)
    answer = average(lambda views: logits[: len(views)], np.zeros((3, 64, 64)), 48)
    powers = np.exp(logits.mean(axis=0))
    print(f"probabilities averaged: {answer[0]:.3f} for the first class")
    print(f"logits averaged:        {powers[0] / powers.sum():.3f} for the first class")
    reveal("veto", 1, "0.9 · 0.8 = 0.72. The logits of the first class against the second: 9 · 1.39 − 13.8 < 0.")


one_veto()

# %% [markdown]
# With probabilities, one view has one vote of ten and no more. Does any of this help a real network? Train a small one
# on random, mirrored 32×32 crops of 40×40 images, four kinds of shapes, and judge it on 400 test images in four ways.

# %% tags=["display-only"]
def ten_views_of_shapes(seeds=6):
    from course_utils.experiments.augmented import accuracy, four_shapes, learn, logits

    crop, flip = working("random_crop"), working("horizontal_flip")
    centre, ten = working("center_crop"), working("ten_crop")
    train, test = four_shapes(40, train=150, test=100)

    def augment(image, rng):
        view = crop(image, 32, rng)
        return flip(view) if rng.random() < 0.5 else view

    views = np.stack([ten(image, 32) for image in test.images])  # (400, 10, 3, 32, 32)
    corner, middle = views[:, 0], np.stack([centre(image, 32) for image in test.images])
    same = np.broadcast_to(train.images, (seeds, *train.images.shape))
    networks = learn(same, np.broadcast_to(train.labels, (seeds, len(train.labels))), augment, range(seeds))
    each = logits(networks, views.reshape(-1, 3, 32, 32)).reshape(seeds, -1, 10, 4)
    powers = np.exp(each - each.max(axis=3, keepdims=True))
    probabilities = powers / powers.sum(axis=3, keepdims=True)
    ways = [accuracy(networks, corner, test.labels), accuracy(networks, middle, test.labels)]
    for scores in (each, probabilities):
        ways.append(np.mean(scores.mean(axis=2).argmax(axis=2) == test.labels, axis=1))
    found = np.array(ways).T  # (seeds, ways)
    names = ("top left alone", "centre alone", "ten, logits", "ten, probabilities")
    for name, way in zip(names, found.T, strict=True):
        gain = way - found[:, 1]
        print(
            f"{name:19s} accuracy {way.mean():.3f} ± {way.std(ddof=1):.3f}; against the centre "
            f"{gain.mean():+.3f} ± {gain.std(ddof=1):.3f}"
        )


ten_views_of_shapes()

# %% [markdown]
# The ten views help: 0.668 against 0.632 for the centre, a gain of 0.037 ± 0.018 (standard deviation of six seeds). A
# corner alone loses 9 points, since the shape is often cut off there; among ten it has one vote. Probabilities and
# logits differ by one point, which this experiment cannot tell from chance. Where no view is nearly certain, the two
# means are close. In the paper, ten views lower the top-1 error from 39.0 % to 37.5 % (§6.1), and they cost ten times
# as much.

# %% [markdown]
# ## 7 · For nothing?
#
# The paper's sentence on cost: the new images are made "on the CPU while the GPU is training on the previous batch of
# images. So these data augmentation schemes are, in effect, computationally free." Say preparing a batch takes the time
# $a$, and training on it takes $b$, on another processor. One after the other, $n$ batches take $n(a + b)$. If the next
# batch is prepared *during* the training, then after the first one each step takes as long as the slower of the two:
#
# $$\frac{\text{time of all}}{\text{time of the training alone}}: \qquad
# 1 + \frac ab \;\text{ in turn}, \qquad \max\Big(1, \frac ab\Big) \;\text{ side by side}. \tag{8}$$

# %% tags=["display-only"]
predict(
    "pipeline",
    "Preparing a batch takes 15 ms, training on it 20 ms. How much of the preparation is still felt if it is done "
    "side by side? And if preparing takes 40 ms?",
    [
        "nothing; and then each step takes 60 ms",
        "nothing; and then each step takes 40 ms",
        "half of it, both times",
    ],
)

# %% [markdown]
# Python does this with a *thread*, a second line of execution in the same program, and a *queue*, through which the
# thread hands over the batches. `queue.Queue(depth)` makes the thread wait when `depth` batches lie there. Three things
# are easy to get wrong:
#
# - **Order.** Batches must come out as they went in, or no run can be repeated.
# - **Errors.** If preparing raises, the exception happens in the thread, where nobody sees it, and the consumer waits
#   for ever. It must be carried over and raised in the consumer.
# - **The end.** A consumer may stop early (`break`, an error, Ctrl-C). The thread then waits for a place in the queue
#   that never becomes free. It must be told.
#
# ### Exercise: `prefetch`


# %%
def prefetch(iterable, depth):
    """Iterate over `iterable`, with a thread that prepares the next items while the consumer works.

    iterable: anything that a for loop takes; taking an item from it may be slow, or raise.
    depth: how many finished items may wait, a whole number ≥ 1.

    The result yields the very items of the iterable, in its order. They may be anything: None, arrays, exceptions.
    - A second thread takes them. Once the consumer has its first item, the thread goes on without being asked until
      depth items wait. It may then hold one more in its hand; it never takes more than depth + 1 items in advance.
    - If the iterable raises, the consumer first receives all items before that, and then the same exception.
    - When the items are used up, or the iterable has raised, or the consumer has stopped early by calling close(),
      the thread has ended. Of items that nobody takes, the rest is dropped. close() may come at any time, before the
      first item too; after it, the thread takes one more item at most.

    Returns an iterator with close(); what a generator function returns has it. A generator that is closed while it
    waits at a yield leaves through its `finally` blocks.
    Raises ValueError with depth in it for a depth < 1, at once or at the first item.
    """
    ### BEGIN SOLUTION
    import queue
    import threading

    if depth < 1:
        raise ValueError(f"the depth must be at least 1, not {depth}")
    waiting, stopped = queue.Queue(depth), threading.Event()
    ITEM, ERROR, END = range(3)  # what each entry is stands beside it: no item can be taken for the end

    def put(kind, value=None):
        while not stopped.is_set():
            try:
                return waiting.put((kind, value), timeout=0.05)  # look up now and then: has the consumer gone?
            except queue.Full:
                continue

    def produce():
        try:
            for item in iterable:
                put(ITEM, item)
                if stopped.is_set():
                    return
        except BaseException as error:
            put(ERROR, error)
        else:
            put(END)

    thread = threading.Thread(target=produce)  # started in the first next(), so that the finally below ends it
    thread.start()
    try:
        while True:
            kind, value = waiting.get()
            if kind == END:
                return
            if kind == ERROR:
                raise value
            yield value
    finally:
        stopped.set()
        thread.join()
    ### END SOLUTION


# %% points=8
check(prefetch)


# %% tags=["display-only"]
def measure_the_pipeline(steps=15, step_seconds=0.02):
    import threading
    import time

    ahead, crop, flip = working("prefetch"), working("random_crop"), working("horizontal_flip")
    colour, rng = working("brightness_contrast"), np.random.default_rng(0)

    def batches(images_per_batch, count=steps):
        for _ in range(count):
            rows = rng.integers(0, 200, images_per_batch)
            yield [colour(flip(crop(shapes.train.images[row], 56, rng)), 0.1, 1.2) for row in rows]

    def seconds(iterable):
        start = time.perf_counter()
        for _ in iterable:
            time.sleep(step_seconds)  # the other processor computes; this one is free
        return time.perf_counter() - start

    def preparing(images_per_batch):
        start = time.perf_counter()
        for _ in batches(images_per_batch):
            pass
        return time.perf_counter() - start

    alone = seconds(range(steps))
    one = min(preparing(100) for _ in range(3)) / (100 * steps)  # seconds for one image
    shares, in_turn, beside = [], [], []
    for share in (0.25, 0.5, 0.75, 1.5):
        size = max(1, round(share * step_seconds / one))
        # The quicker of two: whatever else runs on this computer only makes it slower.
        shares.append(min(preparing(size) for _ in range(2)) / alone)
        in_turn.append(min(seconds(batches(size)) for _ in range(2)) / alone)
        beside.append(min(seconds(ahead(batches(size), 2)) for _ in range(2)) / alone)
        print(f"a/b = {shares[-1]:.2f}: in turn {in_turn[-1]:.2f}, side by side {beside[-1]:.2f} (training alone: 1)")
    line = np.linspace(0, max(shares) * 1.05, 100)
    fig, ax = figure(size=(6.4, 3.7))
    ax.plot(line, 1 + line, "--", color=palette.orange, label="1 + a/b")
    ax.plot(line, np.maximum(1, line), color=palette.blue, label="max(1, a/b)")
    ax.plot(shares, in_turn, "s", color=palette.orange, label="measured, in turn")
    ax.plot(shares, beside, "o", color=palette.blue, label="measured, with prefetch")
    ax.set(xlabel="a/b: preparing a batch, against training on it", ylabel="time, against training alone")
    ax.set_ylim(0, None)
    ax.set_title("What augmentation costs")
    ax.legend()
    show(
        fig,
        alt="Total time relative to training alone, against the cost of preparing a batch relative to training on it. "
        "In turn: the rising line 1 + a/b. With prefetch: level at 1 until a/b = 1, then rising as a/b. The measured "
        "points lie near the two lines, less near on a busy machine.",
    )

    def breaks_at(k):
        for number in range(10):
            if number == k:
                raise OSError(f"image {k} is damaged")
            yield number

    got, threads = [], threading.active_count()
    try:
        for number in ahead(breaks_at(3), 2):
            got.append(number)
    except OSError as error:
        print(f"received {got}, then: {error}")
    stream = ahead(iter(range(1000)), 2)
    first = next(stream)
    stream.close()
    print(f"closed after item {first}; threads left behind: {threading.active_count() - threads}")
    reveal("pipeline", 1, "(8): max(1, 0.75) = 1 and max(1, 2) = 2. The slower of the two sets the pace.")


measure_the_pipeline()

# %% [markdown]
# The steps of training are a stand-in here: the program sleeps for 20 ms, as it does when a GPU computes. As long as
# $a < b$ the augmentation is indeed free, up to the first batch, for which nobody can work ahead. Beyond, one needs
# more workers, cheaper augmentation, or the augmentation on the GPU itself.
#
# Two things to know. Python's threads take turns: only one of them runs Python code at a time, and NumPy lets the
# others run during its large operations. Therefore PyTorch's `DataLoader` uses processes. And where training runs on
# the same CPU cores as the augmentation, nothing is hidden: the cores are busy already.


# %% [markdown]
# ## 8 · What is it worth?
#
# Now the question of the notebook. A small convolutional network learns to tell circles, triangles, crosses and arrows
# apart, from 50, 150 or 450 images. It takes 200 steps with 25 images each. The images have 36×36 pixels, the network
# sees 32×32. Either it sees the centre, always the same, or one of these:
#
# - *mirror*: the centre, mirrored in half of the cases;
# - *crops*: a random crop; *both*: a random crop, mirrored in half of the cases;
# - *colour*: PCA colour with $\alpha$ from $\mathcal N(0, 1)$, brightness ±0.15, contrast 0.7 to 1.3;
# - *elastic*: the centre of one of four distorted versions of each image, $\alpha = 30$, $\sigma = 5$.
#
# All are judged on the plain centres of the same 400 test images. Four classes: guessing gives 25 %. The code of the
# network and its training is `course_utils/experiments/augmented.py`.

# %% tags=["display-only"]
predict(
    "worth",
    "Which gives the most, on 150 images?",
    ["mirror and crops together", "colour", "elastic distortions", "they all give about the same"],
)


# %% tags=["display-only"]
def worth_of_augmentation(sizes=(50, 150, 450), seeds=3):
    from course_utils.experiments.augmented import accuracy, four_shapes, learn

    crop, centre, flip = working("random_crop"), working("center_crop"), working("horizontal_flip")
    jitter, light = working("pca_color_jitter"), working("brightness_contrast")
    field, move = working("elastic_field"), working("warp")
    train, test = four_shapes(36, train=200, test=100)
    values, vectors = working("pca_color")(train.images)
    rng = np.random.default_rng(0)
    stacked = train.images.reshape(-1, 36, 36)  # one field moves all images at once, as if they were channels
    versions = [move(stacked, field(36, 36, 30, 5, rng)).reshape(train.images.shape) for _ in range(4)]
    versions = np.stack(versions, axis=1).astype(np.float32)  # (800, 4, 3, 36, 36)

    def plain(image, rng):
        return centre(image, 32)

    def mirrored(image, rng, place=plain):
        return flip(place(image, rng)) if rng.random() < 0.5 else place(image, rng)

    def cropped(image, rng):
        return crop(image, 32, rng)

    def coloured(image, rng):
        view = jitter(centre(image, 32), values, vectors, rng.normal(0, 1, 3))
        return light(view, rng.uniform(-0.15, 0.15), rng.uniform(0.7, 1.3))

    def elastic(all_versions, rng):
        return centre(all_versions[rng.integers(4)], 32)

    kinds = {
        "nothing": plain,
        "mirror": mirrored,
        "crops": cropped,
        "both": lambda image, rng: mirrored(image, rng, cropped),
        "colour": coloured,
        "elastic": elastic,
    }
    unseen = np.stack([centre(image, 32) for image in test.images])
    found = np.empty((len(kinds), len(sizes), seeds))
    for k, (name, augment) in enumerate(kinds.items()):
        images = versions if name == "elastic" else train.images
        for s, size in enumerate(sizes):
            rows = [np.random.default_rng(seed).permutation(len(images))[:size] for seed in range(seeds)]
            networks = learn([images[own] for own in rows], [train.labels[own] for own in rows], augment, range(seeds))
            found[k, s] = accuracy(networks, unseen, test.labels)
        gains = found[k] - found[0]  # of the same seed, and so of the same images and first weights
        print(f"{name:8s}", end="")
        for size, each, gain in zip(sizes, found[k], gains, strict=True):
            error = gain.std(ddof=1) / np.sqrt(seeds)
            print(f"  {size:3d}: {each.mean():.3f} ± {each.std(ddof=1):.3f} ({gain.mean():+.3f} ± {error:.3f})", end="")
        print()
    fig, axes = figure(1, 2, size=(10.5, 3.9))
    styles = ("o-", "s--", "^-.", "D-", "v:", "P:")
    for k, (name, style, color) in enumerate(zip(kinds, styles, (palette[7], *palette[:5]), strict=True)):
        at = np.array(sizes) * 1.03 ** (k - 2.5)  # side by side, so that the bars do not hide each other
        mean, spread = found[k].mean(axis=1), found[k].std(axis=1, ddof=1)
        axes[0].errorbar(at, mean, spread, fmt=style, color=color, capsize=3, label=name)
        if k:
            gains = found[k] - found[0]
            bars = gains.std(axis=1, ddof=1) / np.sqrt(seeds)
            axes[1].errorbar(at, gains.mean(axis=1), bars, fmt=style, color=color, capsize=3)
    axes[1].axhline(0, color=palette.black, linewidth=1)
    axes[0].axhline(0.25, color=palette.black, linestyle=":", linewidth=1, label="guessing")
    axes[0].set(title=f"Accuracy, {seeds} seeds, mean and std", ylabel="accuracy on 400 test images")
    axes[1].set(title="Gain over nothing, mean and standard error", ylabel="difference in accuracy")
    for ax in axes:
        ax.set(xscale="log", xlabel="training images")
        ax.set_xticks(sizes, [str(size) for size in sizes])
        ax.set_xticks([], minor=True)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=7)
    show(
        fig,
        alt="Left: accuracy against 50, 150 and 450 training images for six kinds of augmentation, with error bars and "
        "a dotted line for guessing at 0.25; all rise from about 0.35 to 0.6, and mirror and crops together are on top "
        "for 50 and 150. Right: the gain over nothing. "
        "Mirror and crops together gain 0.06 to 0.10, mirrors 0.04 to 0.06, crops 0.01 to 0.04; colour and elastic "
        "distortions lie near 0, and below it for 450 images.",
    )
    reveal("worth", 0, "Ten points. Colour and elastic distortions give nothing here.")


worth_of_augmentation()

# %% [markdown]
# In our run, mirror and crops together bring the accuracy from 0.46 to 0.56 on 150 images. Read the left picture
# sideways: without augmentation one would need some 340 images for that, more than twice as many (on a line between
# the two points, with a logarithmic axis). From 50 images it is as if they were 90. That is the worth of these views:
# about a second set of images, and far from the $2 \cdot 5^2 = 50$ views that exist of each image.
#
# Colour and elastic distortions give nothing, and colour seems to do harm at 450. Why? The shapes come in all colours
# and lights already, so there is nothing to be learned from more of them, and straight edges are what tells a
# triangle from a circle: rubber sheets bend them. An augmentation helps where it imitates a variation that the
# *unseen* images have and the training images do not show enough of. (All test images are of the same kind here. A
# camera with another white balance would be another test.)
#
# What this small scale does not show: the network is tiny and stops after 5000 images, that is, after eleven views of
# each of the 450 images. With augmentation it has not finished learning by then, so a longer training would gain
# more. Three seeds settle no difference of one or two points. And the gain on a million photographs is another
# matter: the paper names over one percent for colour, and for crops and mirrors gives no figure, only the overfitting
# without them.

# %% [markdown]
# ## 9 · Where it hurts
#
# A mirrored arrow is an arrow. A mirrored "b" is a "d". Train a network to tell the letters b, d, p and q apart, from
# 60 pictures: as they are, mirrored in half of the cases, or with a mirrored copy of each under its *new* label.

# %% tags=["display-only"]
predict(
    "letters",
    "60 pictures of b, d, p and q. In half of the cases the network sees a mirrored one, under the label of the "
    "original. Its accuracy on new, plain letters …",
    ["rises: it has seen more", "stays about the same", "falls to about a half", "falls to about a quarter"],
)


# %% tags=["display-only"]
def letters_in_a_mirror(seeds=4, size=60):
    from course_utils.experiments.augmented import accuracy, learn

    field, move, flip = working("elastic_field"), working("warp"), working("horizontal_flip")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32]
    bowl = np.hypot(x - 16, y - 20)
    b = 1.0 * (((x >= 9) & (x < 13) & (y >= 4) & (y < 27)) | ((bowl < 7) & (bowl >= 3.5) & (x >= 11)))
    letters = np.stack([b, b[:, ::-1], b[::-1], b[::-1, ::-1]])  # b, d, p, q

    def written(count):
        """Letters, each bent by a field of its own, with noise, in three equal channels."""
        labels = rng.integers(0, 4, count)
        bent = np.concatenate([move(letters[[k]], field(32, 32, 60, 4, rng)) for k in labels])
        grey = 0.3 + 0.4 * bent + rng.normal(0, 0.2, bent.shape)
        return np.repeat(grey[:, None], 3, axis=1).astype(np.float32), labels

    (images, labels), (unseen, truth) = written(size), written(400)

    def plain(image, rng):
        return image

    def mirrored(image, rng):
        return flip(image) if rng.random() < 0.5 else image

    twice = np.concatenate([images, [flip(image) for image in images]]).astype(np.float32)
    twice_labels = np.concatenate([labels, np.array([1, 0, 3, 2])[labels]])  # b ↔ d, p ↔ q
    ways = {
        "plain": (images, labels, plain),
        "same label": (images, labels, mirrored),
        "new label": (twice, twice_labels, plain),
    }
    found = []
    for name, (own, own_labels, augment) in ways.items():
        networks = learn([own] * seeds, [own_labels] * seeds, augment, range(seeds), steps=100)
        found.append(accuracy(networks, unseen, truth))
        print(f"{name:10s} accuracy {found[-1].mean():.3f} ± {found[-1].std(ddof=1):.3f} (std of {seeds} seeds)")
    fig, axes = figure(1, 5, size=(10.5, 2.5))
    for ax, k in zip(axes, range(4), strict=False):
        ax.imshow(images[labels == k][0, 0], cmap="gray", vmin=0, vmax=1)
        ax.set(title="bdpq"[k], xticks=[], yticks=[])
        ax.grid(False)
    for at, accuracies in enumerate(found):
        beside = at + 0.06 * (np.arange(seeds) - (seeds - 1) / 2)
        axes[4].plot(beside, accuracies, "o", color=palette.blue, markersize=4)
    axes[4].axhline(0.5, color=palette.black, linestyle=":", linewidth=1)
    axes[4].set(title="each seed", ylabel="accuracy", xlim=(-0.5, 2.5), ylim=(0, 1))
    axes[4].set_xticks(range(3), ["plain", "same\nlabel", "new\nlabel"], fontsize=8)
    show(
        fig,
        alt="Left: one training picture each of the bent letters b, d, p and q, with noise. Right: the accuracy of "
        "each seed. Plain training lies near 0.85, mirrored pictures under the same label near 0.45, and mirrored "
        "pictures under their new label near 0.9. A dotted line marks a half.",
    )
    reveal("letters", 2, "Which pair it is can still be seen, b or d against p or q. Within a pair it has to guess.")


letters_in_a_mirror()

# %% [markdown]
# A mirrored b comes under the label b, and a real d under the label d. They are the same picture, equally often. So no
# network can do better than guess between the two: a half at best, and ours stays at 0.44, where plain training
# reached 0.86. The same mirror *helps* when the label changes with the picture (0.90): then it makes new, true
# examples. An augmentation is a claim about the world, and it must be true.
#
# Which changes preserve the label of a real, written digit? Ask a network that was trained on plain digits: show it
# unseen digits that were shifted by one pixel, mirrored, or turned by 180°. Then train others, whose 200 training
# digits come with one changed copy each, under the *same* label.

# %% tags=["display-only"]
predict(
    "turned",
    "Which answer does the network give most often to a 6 that was turned by 180°?",
    ["6", "9", "0", "anything, about equally often"],
)


# %% tags=["display-only"]
def copies_of_digits(seeds=8, epochs=40):
    from course_utils.experiments.regularized import few_examples, learn, standardized
    from course_utils.experiments.side_by_side import outputs

    flip = working("horizontal_flip")
    x, labels = few_examples(digits, range(seeds), 200)
    unseen, truth = standardized(digits, digits.validation), digits.validation.labels
    rng = np.random.default_rng(0)
    empty = x.min()  # the background, after standardizing

    def shifted(image):
        dy, dx = ((0, 1), (0, -1), (1, 0), (-1, 0))[rng.integers(4)]
        padded = np.pad(image, [(0, 0), (1, 1), (1, 1)], constant_values=empty)
        return padded[:, 1 + dy : 9 + dy, 1 + dx : 9 + dx]

    changes = {"shifted": shifted, "mirrored": flip, "half a turn": lambda image: image[:, ::-1, ::-1]}

    def changed(change, rows):
        images = [change(image) for image in rows.reshape(-1, 1, 8, 8)]
        return np.stack(images).reshape(rows.shape).astype(np.float32)

    def answers(parameters, images):
        return outputs(parameters, images).argmax(axis=2)  # (seeds, N)

    plain = learn(x, labels, range(seeds), epochs)
    fig, axes = figure(1, 3, size=(10.5, 4), sharey=True)
    for ax, (name, change) in zip(axes, changes.items(), strict=True):
        given = answers(plain, changed(change, unseen))
        share = np.array([[np.mean(given[:, truth == true] == k) for k in range(10)] for true in range(10)])
        kept = "  ".join(f"{k}: {share[k, k]:.2f}" for k in range(10))
        print(f"{name:11s} label kept {np.mean(given == truth):.2f};  {kept}")
        pairs = "  ".join(f"{one} as {two}: {share[one, two]:.2f}" for one, two in ((6, 9), (9, 6), (3, 8), (5, 2)))
        print(f"            {pairs}")
        shades = ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        ax.set(title=name, xlabel="answer", xticks=range(10), yticks=range(10))
        ax.grid(False)
    axes[0].set_ylabel("digit before the change")
    fig.colorbar(shades, ax=axes, label="share of the answers", shrink=0.8)
    show(
        fig,
        alt="Three tables of ten by ten: answers of a plain network for changed digits, by true digit, as shades. "
        "Shifted by a pixel: the diagonal is pale, the rest is scattered. Mirrored: 0, 4 and 8 stay on the diagonal, "
        "3, 5, 6 and 7 hardly ever do, and 3 is mostly read as 8. Half a turn: 0, 4 and 8 stay, and 6 is nearly always "
        "read as 9.",
    )
    before = np.mean(answers(plain, unseen) == truth, axis=1)
    print(f"trained on plain digits:  accuracy {before.mean():.3f} ± {before.std(ddof=1):.3f}")
    for name, change in changes.items():
        inputs = np.concatenate([x, changed(change, x)], axis=1)
        parameters = learn(inputs, np.concatenate([labels, labels], axis=1), range(seeds), epochs)
        right = np.mean(answers(parameters, unseen) == truth, axis=1)
        gain = right - before
        print(
            f"with copies, {name:11s}  accuracy {right.mean():.3f} ± {right.std(ddof=1):.3f}; "
            f"gain {gain.mean():+.3f} ± {gain.std(ddof=1) / np.sqrt(seeds):.3f} (standard error)"
        )
    reveal("turned", 1, "A 6 turned by half a turn is a 9. A copy that calls it a 6 teaches a falsehood.")


copies_of_digits()

# %% [markdown]
# A 6 after half a turn is read as a 9 in 91 % of the cases, a 9 as a 6 in 47 %. No network can learn both: the copies
# call the same picture 6 and 9. Training with half-turned copies costs 2.9 points (standard error 0.6).
#
# The other two rows teach something else. A digit shifted by one pixel, an eighth of its width, keeps its label for
# *you*, but the network gives the right answer only in 46 % of the cases. So a network's answer does not tell whether
# a change preserves the label; someone who knows the task must. And mirrored copies do no harm here, although a
# mirrored 3 is no digit at all. The plain network calls it an 8 in 65 % of the cases, since it has to answer
# something. But it looks like no 8 that anybody wrote, and so the network has room to learn both. Harm comes where the
# changed images of one class fall on the images of another, as with "b" and "d", 6 and 9, or "left turn" and "right
# turn" on road signs.
#
# Shifted copies gain less than a point, no more than the mirrored ones: the unseen digits are centred, as those of
# training. They would gain much if unseen digits stood anywhere.

# %% [markdown]
# ## 10 · Find the bug
#
# This function was tried on square images, looked right, and went into use. It has two bugs.


# %%
def broken_random_crop(image, size, rng):
    _, height, width = image.shape
    top = rng.integers(0, width - size)
    left = rng.integers(0, height - size)
    return image[:, top : top + size, left : left + size].copy()


# %% tags=["display-only"]
def look_at_the_broken_one(draws=2000):
    rng = np.random.default_rng(0)
    for height, width, size in ((6, 6, 4), (6, 8, 4), (8, 6, 4), (6, 6, 6)):
        number = np.arange(height * width).reshape(1, height, width)  # each pixel knows where it was
        try:
            crops = [broken_random_crop(number, size, rng) for _ in range(draws)]
        except ValueError as error:
            print(f"{height}×{width}, crops of {size}: ValueError: {error}")
            continue
        shapes_seen = sorted({crop.shape[1:] for crop in crops})
        corners = {crop[0, 0, 0] for crop in crops if crop.size}
        expected = (height - size + 1) * (width - size + 1)
        print(f"{height}×{width}, crops of {size}: {len(corners)} places of {expected}, shapes {shapes_seen}")


look_at_the_broken_one()

# %% [markdown]
# What does each line say? Copy the body here and mend it.
#
# ### Exercise: `repaired_random_crop`


# %%
def repaired_random_crop(image, size, rng):
    """A square from a random place of an image, mended.

    image: (C, H, W) array. size: side of the square in pixels, an integer from 1 to the smaller of H and W.
    rng: a numpy.random.Generator; all random numbers come from it, how many and in which order is open.
    All (H − size + 1) · (W − size + 1) places are equally likely. Where size is H and W, there is one: the whole image.

    Returns a (C, size, size) array.
    """
    ### BEGIN SOLUTION
    _, height, width = image.shape
    # top counts rows and left counts columns; the upper end of rng.integers is never drawn.
    top = rng.integers(0, height - size + 1)
    left = rng.integers(0, width - size + 1)
    return image[:, top : top + size, left : left + size].copy()
    ### END SOLUTION


# %% points=4
check(repaired_random_crop)

# %% [markdown]
# On square images, exchanged sides do not show. And a place that is never drawn does not show in any single picture:
# only counting finds it. (The last row and column were never seen in training; the paper's 32·32 made the same count.)

# %% [markdown]
# ## 11 · In your own words
#
# This question is read by a person. A few sentences for each part are enough; you need no code.
#
# 1. You train a network to read house numbers from photographs of doors, and another one to find tumours in X-ray
#    images of the chest, in which the heart lies on the left. For each of the two: would you use mirroring, small
#    shifts, and changes of brightness? Give the reason for each of the six answers.
# 2. A friend says: "With 2178 views of each of my 1000 images I have two million images. Now I can train a network with
#    ten million parameters without overfitting." What is wrong? How would you find out how much the views are worth?
# 3. The same friend first makes ten augmented copies of every image, then splits all of them at random into training
#    and validation. The validation accuracy is 99 %. Explain.
# 4. In training, every image is augmented. Should test images be augmented too? Say what ten-crop testing does
#    differently from drawing random crops, and why probabilities are averaged.

# %% [markdown] written="which_augmentation" points=4
# **Model answer.** 1. House numbers: no mirroring, since a mirrored 2 is no digit, or looks like a 5; small shifts
# yes, since the frame around a number is arbitrary (as long as no digit is cut off or a neighbour's comes in);
# brightness yes, since light says nothing about the number. X-rays: mirroring puts the heart on the right, which real
# images hardly ever show and which is itself a finding; so no, unless the task does not depend on the side. Small
# shifts yes, since patients do not stand in the same place. Brightness and contrast with care: exposure varies, but
# the grey value carries the density of the tissue, so only within the range of real exposures. (Other answers count
# if the reason is about the label and about images that occur.)
#
# 2. The views of one image are strongly correlated: they show the same object, the same background, the same light.
#    They teach the network what does not matter (place, side), but not what other cats look like. One measures it:
#    accuracy on unseen images with and without augmentation, for several sizes of the training set and several seeds,
#    as in section 8.
#
# 3. Copies of one image are in both parts. The network has seen a near copy of every validation image together with its
# label, so the number measures memory and not what happens on new images. Split first, then augment the training part
# alone.
#
# 4. Not at random: a test answer should not depend on luck, and the result has to be repeatable. Ten-crop takes the
#    same fixed ten views of every image and averages over them; it is an ensemble of ten views, and it costs ten
#    times as much. With probabilities, each view has one bounded vote; averaged logits are the geometric mean, in
#    which one confident view of a bad crop can outvote the rest.
#
# **Marking.** One point for each part. Part 1: half a point for each network, given sensible reasons. Part 2 needs the
# dependence of the views and a comparison on unseen images. Part 3 needs that copies of one image are on both sides.
# Part 4 needs fixed views and the bounded vote.

# %% [markdown]
# ## Where you are
#
# The exercises have 96 points, and 4 are for the written question, which a person marks.

# %% tags=["display-only"]
progress()

# %% [markdown]
# **The next notebook**, *Training AlexNet*, puts all parts together. It uses four things from here:
#
# - random crops and mirrors in training, the centre in evaluation: two modes of one pipeline;
# - PCA colour, with an eye on its unit;
# - ten views, with their probabilities averaged;
# - a pipeline that keeps the accelerator busy.
#
# **To read next**
#
# - A. Krizhevsky, I. Sutskever, G. Hinton, "ImageNet classification with deep convolutional neural networks" (2012):
#   section 2 (preparation) and section 4.1 (augmentation and ten views).
# - P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks applied to visual document
#   analysis" (2003): section 2, elastic distortions.
# - M. Jaderberg, K. Simonyan, A. Zisserman, K. Kavukcuoglu, "Spatial transformer networks" (2015): section 3.
# - K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition" (2014): section 3.1,
#   training at several scales.
# - C. Shorten, T. Khoshgoftaar, "A survey on image data augmentation for deep learning" (2019).
# - PyTorch's documentation of `torch.nn.functional.affine_grid` and `grid_sample`: what `align_corners` means.
