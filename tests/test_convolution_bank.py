"""What the bank of 02_convolution claims beyond what every bank must: its bounds for ties, its broken function, and
that its counts are PyTorch's and wait for no PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from course_utils.checks import registry
from course_utils.checks._convolution.impossible import or_raises
from course_utils.checks._convolution.pooling_backward import bounds, max_pool_gradient
from course_utils.checks.exercise import Raises
from tests.bank.convolution.repaired import BROKEN
from tests.bank.convolution.tables import RIGHT
from tests.test_bank import SEEDS, verdict_on

ASSIGNMENT = "02_convolution"
NOTEBOOK = Path(__file__).resolve().parent.parent / "solutions" / ASSIGNMENT / "convolution.py"


@pytest.mark.parametrize("seed", range(5))
def test_the_bounds_of_max_pooling_meet_in_the_gradient_where_nothing_is_tied(seed):
    for case in registry.exercises(ASSIGNMENT)["max_pool2d_backward"].cases(np.random.default_rng(seed)):
        lowest, highest = bounds(**case.inputs)
        gradient = max_pool_gradient(**case.inputs)
        assert np.all(lowest <= gradient + 1e-12) and np.all(gradient <= highest + 1e-12)
        if case.aspect == "tied maxima":
            assert np.any(lowest < highest - 0.1)
        else:
            np.testing.assert_allclose(lowest, highest, atol=1e-12)
            np.testing.assert_allclose(lowest, gradient, atol=1e-12)


def test_a_tied_gradient_must_neither_vanish_nor_go_elsewhere():
    exercise = registry.exercises(ASSIGNMENT)["max_pool2d_backward"]
    case = next(c for c in exercise.cases(np.random.default_rng(0)) if c.aspect == "tied maxima")
    right = max_pool_gradient(**case.inputs)
    assert exercise.verify(case, right) is None
    lowest, highest = bounds(**case.inputs)
    doubled = np.where(lowest < highest, highest, right)
    assert "differ" in exercise.verify(case, doubled)
    nobody = np.where(lowest < highest, 0.0, right)
    assert "differ" in exercise.verify(case, nobody)
    elsewhere = right + 0.5 * (highest == 0)
    assert "should be 0" in exercise.verify(case, elsewhere)


def test_the_broken_function_of_the_notebook_earns_nothing():
    shown = BROKEN.replace("repaired_conv2d_backward", "broken_conv2d_backward")
    assert shown in NOTEBOOK.read_text(encoding="utf-8")
    scope = {"np": np}
    exec(BROKEN, scope)
    for seed in SEEDS:
        assert verdict_on(ASSIGNMENT, "repaired_conv2d_backward", scope["repaired_conv2d_backward"], seed).score == 0


NO_TABLES = {
    "(row for row in {rows})": "the result is a generator, should be a list of rows (name, output shape, parameters, ",
    "{{row[0]: row for row in {rows}}}": "the result is a dict, should be a list of rows",
    "[row[:3] for row in {rows}]": "the result has a row that is not four values: name, output shape, parameters, ",
    "[row for row in {rows} if row[0] not in ('relu1', 'norm1')]": "the result has no row for ",
    "[(n, s if len(s) > 1 else s[0], p, m) for n, s, p, m in {rows}]": "is an integer, should be a tuple of 1 value",
    "[(n, s, p, m * 1.0) for n, s, p, m in {rows}]": "of conv1 is 1228800.0, a float; should be 1228800, an integer",
}


@pytest.mark.parametrize(("returned", "says"), NO_TABLES.items())
def test_what_is_no_layer_table_is_said_without_an_exception(returned, says):
    scope = {}
    exec(RIGHT.replace("    return rows", f"    return {returned.format(rows='rows')}"), scope)
    verdict = verdict_on(ASSIGNMENT, "layer_table", scope["layer_table"], 0)
    texts = [finding.text for finding in verdict.findings.values()]
    assert any(says in text for text in texts) and not any("raises" in text for text in texts), texts


@pytest.mark.parametrize("wrong", ["size > kernel", "stride == 1", "(size - kernel) % 2 == 0", "kernel % stride == 0"])
def test_a_wrong_yes_or_no_is_not_taken_for_a_reversed_answer(wrong):
    scope = {}
    exec(f"def fits_exactly(size, kernel, stride, padding):\n    return {wrong}\n", scope)
    for seed in SEEDS:
        verdict = verdict_on(ASSIGNMENT, "fits_exactly", scope["fits_exactly"], seed)
        assert not verdict.passed and verdict.misconception is None, seed


def torch_output_size(size, kernel, stride=1, padding=0, dilation=1):
    import torch

    try:
        out = torch.nn.functional.conv1d(
            torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), None, stride, padding, dilation
        )
    except RuntimeError as error:
        raise ValueError from error
    return out.shape[-1]


def torch_fits(size, kernel, stride, padding):
    """Whether a sliding window touches every element of the padded row, the last one included."""
    import torch

    padded = size + 2 * padding
    return kernel <= padded and int(torch.arange(padded).unfold(0, kernel, stride).max()) == padded - 1


def torch_same_padding(kernel, dilation=1):
    import torch

    row = torch.zeros(1, 1, 2 * dilation * kernel)
    for padding in range(dilation * kernel):
        if torch.nn.functional.conv1d(row, torch.zeros(1, 1, kernel), None, 1, padding, dilation).shape == row.shape:
            return padding
    raise ValueError


def torch_parameters(in_channels, out_channels, kernel, bias=True, groups=1):
    import torch

    layer = torch.nn.Conv2d(in_channels, out_channels, kernel, bias=bias, groups=groups, device="meta")
    return sum(parameter.numel() for parameter in layer.parameters())


def torch_macs(in_channels, out_channels, kernel, out_height, out_width, groups=1):
    """PyTorch's convolution of ones with ones: each product is 1, so the sum of all outputs counts them."""
    import torch

    torch_parameters(in_channels, out_channels, kernel, groups=groups)  # refuses uneven groups
    height, width = np.broadcast_to(kernel, 2)
    image = torch.ones(1, in_channels, out_height + height - 1, out_width + width - 1)
    weight = torch.ones(out_channels, in_channels // groups, height, width)
    return int(torch.nn.functional.conv2d(image, weight, groups=groups).sum(dtype=torch.float64))


def torch_receptive_field(stack, layers, length=4096):
    """From the first to the last input with a gradient, behind one output of convolutions with equal weights."""
    import torch

    out = row = torch.ones(1, 1, length, dtype=torch.float64, requires_grad=True)
    for kernel, stride, dilation in layers:
        weight = torch.full((1, 1, kernel), 1.0 / kernel, dtype=torch.float64)
        out = torch.nn.functional.conv1d(out, weight, stride=stride, dilation=dilation)
    (gradient,) = torch.autograd.grad(out[0, 0, out.shape[-1] // 2], row)
    seen = gradient[0, 0].nonzero()
    return int(seen.max() - seen.min()) + 1


def torch_memory(activations, parameters, batch_size, optimizer_slots, bytes_per_value=4):
    """The sizes of PyTorch's tensors, one after the other; without storage, so that only their sizes are real."""
    import torch

    dtype = {2: torch.float16, 4: torch.float32, 8: torch.float64}[bytes_per_value]
    shapes = [(batch_size, activations)] * 2 + [(parameters,)] * (2 + optimizer_slots)
    return sum(torch.empty(shape, dtype=dtype, device="meta").nbytes for shape in shapes)


COUNTED = {
    "conv_output_size": torch_output_size,
    "fits_exactly": torch_fits,
    "same_padding": torch_same_padding,
    "conv_parameters": torch_parameters,
    "conv_macs": torch_macs,
    "receptive_field": torch_receptive_field,
    "training_memory": torch_memory,
}


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_without_pytorch_is_what_pytorch_has(name):
    exercise = registry.exercises(ASSIGNMENT)[name]
    by_torch = or_raises(COUNTED[name])
    for seed in range(5):
        for case in exercise.cases(np.random.default_rng(seed)):
            counted, wanted = exercise.expected(**case.inputs), by_torch(**case.inputs)
            if isinstance(wanted, Raises):
                assert isinstance(counted, Raises) and counted.kind == wanted.kind == "ValueError", case
            else:
                assert counted == wanted and type(counted) is type(wanted), case


def test_the_counting_exercises_are_checked_without_pytorch():
    code = (
        "import sys, numpy as np\n"
        "from course_utils.checks import registry\n"
        "from course_utils.checks.verdict import truths_from_oracle\n"
        f"for name in {list(COUNTED)}:\n"
        f"    exercise = registry.exercises({ASSIGNMENT!r})[name]\n"
        "    cases = exercise.cases(np.random.default_rng(0))\n"
        "    truths_from_oracle(exercise, cases)\n"
        "    for misconception in exercise.misconceptions:\n"
        "        for case in cases:\n"
        "            if misconception.matches: misconception.matches(case, 1)\n"
        "            else: misconception.variant(**case.inputs)\n"
        "print('torch' in sys.modules)\n"
    )
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert done.stdout.strip() == "False", done.stderr
