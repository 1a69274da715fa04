"""What students write for pca_color, pca_color_jitter and brightness_contrast."""

import numpy as np

from tests.bank.dropout.sources import mistaken_changes
from tests.bank.registry import alternative


@alternative("pca_color", "np.cov and eig, sorted")
def pca_color(images):
    pixels = np.moveaxis(images, 1, -1).reshape(-1, 3)
    values, vectors = np.linalg.eig(np.cov(pixels, rowvar=False, ddof=0))
    order = np.argsort(-values)
    return values[order], -vectors[:, order]


@alternative("pca_color", "singular values of the centred pixels")
def pca_color(images):
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)
    _, singular, directions = np.linalg.svd(pixels - pixels.mean(axis=0), full_matrices=False)
    return singular**2 / len(pixels), directions.T


@alternative("pca_color", "E[xxᵀ] − mmᵀ, loops")
def pca_color(images):
    second, first, count = np.zeros((3, 3)), np.zeros(3), 0
    for image in images:
        for row in range(image.shape[1]):
            for column in range(image.shape[2]):
                x = image[:, row, column]
                second += np.outer(x, x)
                first += x
                count += 1
    covariance = second / count - np.outer(first, first) / count**2
    values, vectors = np.linalg.eigh(-covariance)
    return -values, vectors


@alternative("pca_color", "float32")
def pca_color(images):
    images = images.astype(np.float32)
    centred = images - images.mean(axis=(0, 2, 3), keepdims=True)
    covariance = np.einsum("nihw,njhw->ij", centred, centred) / np.float32(images.size // 3)
    values, vectors = np.linalg.eigh(covariance)
    return np.flip(values), np.fliplr(vectors)


PCA = """def pca_color(images):
    pixels = images.transpose(0, 2, 3, 1).reshape(-1, 3)
    centred = pixels - pixels.mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    values, vectors = np.linalg.eigh(covariance)
    return values[::-1], vectors[:, ::-1]
"""
CENTRED = "centred = pixels - pixels.mean(axis=0)"
MOVED = "images.transpose(0, 2, 3, 1).reshape(-1, 3)"
COVARIANCE = "centred.T @ centred / len(centred)"
RETURNED = "values[::-1], vectors[:, ::-1]"
OTHER_MEAN = "images = images - images.mean(axis={}, keepdims=True)\n    pixels = "

mistaken_changes(
    __name__,
    "pca_color",
    PCA,
    (
        ("not centred", (CENTRED, "centred = pixels")),
        ("each image centred by itself", ("pixels = ", OTHER_MEAN.format("(2, 3)")), (CENTRED, "centred = pixels")),
        ("mean image subtracted", ("pixels = ", OTHER_MEAN.format("0")), (CENTRED, "centred = pixels")),
        ("one mean for all channels", ("pixels.mean(axis=0)", "pixels.mean()")),
        ("images instead of pixels", (MOVED, "images.mean(axis=(2, 3))")),
        ("channels mixed by reshape", (MOVED, "images.reshape(-1, 3)")),
        ("channels mixed by reshape", (MOVED, "images.reshape(3, -1).T")),
        ("blue, green, red", (MOVED, f"{MOVED}[:, ::-1]")),
        ("rising order", (RETURNED, "values, vectors")),
        ("rising order", (RETURNED, "values, vectors[::-1]")),
        ("rising order", (RETURNED, "values, vectors"), (COVARIANCE, "np.cov(centred.T)")),
        ("values turned around, vectors not", (RETURNED, "values[::-1], vectors")),
        ("vectors as rows", (RETURNED, "values[::-1], vectors[:, ::-1].T")),
        (
            "vectors as rows",
            ("values, vectors = np.linalg.eigh(covariance)", "_, values, vectors = np.linalg.svd(centred)"),
            (RETURNED, "values**2 / len(centred), vectors"),
        ),
        ("order of the rows turned around", (RETURNED, "values[::-1], vectors[::-1]")),
        ("standard deviations", (RETURNED, "np.sqrt(np.maximum(values, 0))[::-1], vectors[:, ::-1]")),
        (
            "singular values for eigenvalues",
            ("values, vectors = np.linalg.eigh(covariance)", "_, values, vectors = np.linalg.svd(centred)"),
            (RETURNED, "values, vectors.T"),
        ),
        (
            "singular values for eigenvalues",
            ("values, vectors = np.linalg.eigh(covariance)", "_, values, vectors = np.linalg.svd(centred)"),
            (RETURNED, "values / len(centred), vectors.T"),
        ),
        ("divided by n − 1", (COVARIANCE, "np.cov(centred.T)")),
        ("not divided", (" / len(centred)", "")),
        ("divided by the number of images", ("len(centred)", "len(images)")),
        ("correlation for covariance", (COVARIANCE, "np.corrcoef(centred.T)")),
        ("(eigenvectors, eigenvalues)", (RETURNED, "vectors[:, ::-1], values[::-1]")),
    ),
)


@alternative("pca_color_jitter", "a loop over components and channels")
def pca_color_jitter(image, eigenvalues, eigenvectors, alphas):
    jittered = image.copy()
    for i in range(3):
        for channel in range(3):
            jittered[channel] += alphas[i] * eigenvalues[i] * eigenvectors[channel, i]
    return jittered


@alternative("pca_color_jitter", "einsum, float32")
def pca_color_jitter(image, eigenvalues, eigenvectors, alphas):
    shift = np.einsum("ci,i,i->c", eigenvectors, eigenvalues, alphas).astype(np.float32)
    return image.astype(np.float32) + shift.reshape(3, 1, 1)


@alternative("pca_color_jitter", "in the coordinates of the components and back")
def pca_color_jitter(image, eigenvalues, eigenvectors, alphas):
    turned = np.tensordot(eigenvectors.T, image, axes=1) + (alphas * eigenvalues)[:, np.newaxis, np.newaxis]
    return np.tensordot(eigenvectors, turned, axes=1)


JITTER = """def pca_color_jitter(image, eigenvalues, eigenvectors, alphas):
    shift = eigenvectors @ (alphas * eigenvalues)
    return image + shift[:, None, None]
"""
SHIFT, SUM = "eigenvectors @ (alphas * eigenvalues)", "image + shift[:, None, None]"

mistaken_changes(
    __name__,
    "pca_color_jitter",
    JITTER,
    (
        ("root of the eigenvalues", (SHIFT, "eigenvectors @ (alphas * np.sqrt(eigenvalues))")),
        ("eigenvalues forgotten", (SHIFT, "eigenvectors @ alphas")),
        ("alphas forgotten", (SHIFT, "eigenvectors @ eigenvalues")),
        ("rows for columns", (SHIFT, "(alphas * eigenvalues) @ eigenvectors")),
        ("first component alone", (SHIFT, "alphas[0] * eigenvalues[0] * eigenvectors[:, 0]")),
        ("components not mixed", (SHIFT, "alphas * eigenvalues")),
        ("one shift for all channels", (SUM, "image + shift.sum()")),
        ("one shift for all channels", (SUM, "image + np.mean(shift)")),
        ("one shift for all channels", (SUM, "image + alphas @ eigenvalues")),
        ("subtracted", ("image + ", "image - ")),
        ("multiplied instead of added", ("image + ", "image * ")),
        ("multiplied instead of added", (SUM, "image * (1 + shift[:, None, None])")),
        ("not turned back", (SUM, "np.tensordot(eigenvectors.T, image, 1) + (alphas * eigenvalues)[:, None, None]")),
        ("clipped", (SUM, f"({SUM}).clip(0, 1)")),
        ("the shift alone", (SUM, "shift")),
        ("input changed in place", (SUM, "np.add(image, shift[:, None, None], out=image)")),
    ),
)


@alternative("brightness_contrast", "a mixture with grey, minimum and maximum")
def brightness_contrast(image, brightness, contrast):
    grey = np.full(image.shape, np.average(image))
    mixed = contrast * image + (1 - contrast) * grey + brightness
    return np.maximum(0.0, np.minimum(1.0, mixed))


@alternative("brightness_contrast", "brightness first, about the new mean")
def brightness_contrast(image, brightness, contrast):
    brighter = image + brightness
    changed = (brighter - brighter.mean()) * contrast + brighter.mean()
    changed[changed < 0] = 0
    changed[changed > 1] = 1
    return changed


@alternative("brightness_contrast", "one after the other, float32")
def brightness_contrast(image, brightness, contrast):
    values, mean = image.astype(np.float32).ravel(), np.float32(image.sum() / image.size)
    changed = [min(max(float((x - mean) * contrast + mean + brightness), 0.0), 1.0) for x in values]
    return np.array(changed, dtype=np.float32).reshape(image.shape)


ADJUST = """def brightness_contrast(image, brightness, contrast):
    mean = image.mean()
    out = (image - mean) * contrast + mean + brightness
    return np.clip(out, 0, 1)
"""
MEAN, OUT, CLIP = "image.mean()", "(image - mean) * contrast + mean + brightness", "np.clip(out, 0, 1)"

mistaken_changes(
    __name__,
    "brightness_contrast",
    ADJUST,
    (
        ("contrast about 0", (OUT, "image * contrast + brightness")),
        ("contrast about 0", (OUT, "image * contrast + brightness"), (CLIP, "out")),
        ("contrast about one half", (MEAN, "0.5")),
        ("a mean for each channel", (MEAN, "image.mean(axis=(1, 2), keepdims=True)")),
        ("a mean for each channel", (MEAN, "image.mean(axis=(1, 2), keepdims=True)"), (CLIP, "out")),
        ("a mean for each pixel", (MEAN, "image.mean(axis=0)")),
        ("median or middle for the mean", (MEAN, "np.median(image)")),
        ("median or middle for the mean", (MEAN, "(image.min() + image.max()) / 2")),
        ("mean not put back", (" + mean", "")),
        ("mean not put back", (" + mean", ""), (CLIP, "out")),
        ("brightness stretched too", (OUT, "(image + brightness - mean) * contrast + mean")),
        ("brightness stretched too", (OUT, "(image + brightness - mean) * contrast + mean"), (CLIP, "out")),
        ("brightness multiplied", (OUT, "((image - mean) * contrast + mean) * (1 + brightness)")),
        ("brightness multiplied", (OUT, "((image - mean) * contrast + mean) * brightness")),
        ("1 + contrast", ("* contrast", "* (1 + contrast)")),
        ("clipping forgotten", (CLIP, "out")),
        ("clipped at one end", (CLIP, "np.maximum(out, 0)")),
        ("clipped at one end", (CLIP, "np.minimum(out, 1)")),
        ("clipped in between", (OUT, "np.clip((image - mean) * contrast + mean, 0, 1) + brightness")),
        (
            "clipped in between",
            ("    mean", "    image = np.clip(image + brightness, 0, 1)\n    mean"),
            (OUT, "(image - mean) * contrast + mean"),
        ),
        ("rescaled instead of clipped", (CLIP, "(out - out.min()) / (out.max() - out.min())")),
        ("wrapped around", (CLIP, "out % 1")),
        (
            "input changed in place",
            ("    out", "    image -= mean\n    image *= contrast\n    out"),
            (OUT, "image + mean + brightness"),
        ),
    ),
)
