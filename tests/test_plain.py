"""Plain data survives the crossing, and nothing else gets through."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils.plain import NotPlain, Other, decode, encode, same, to_plain

arrays = hnp.arrays(
    dtype=st.sampled_from(["float64", "float32", "int64", "bool", "complex128", "uint8"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | arrays
data = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(data)
def test_what_is_encoded_comes_back_identical(value):
    assert same(decode(encode(value)), to_plain(value))


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_decode_or_are_refused(noise):
    with pytest.raises(NotPlain):
        decode(b"{" + noise)


@settings(max_examples=200)
@given(data, st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_message_never_raises_anything_else(value, place, byte):
    message = bytearray(encode(value))
    message[place % len(message)] = byte
    with contextlib.suppress(NotPlain):
        decode(bytes(message))


def test_non_contiguous_arrays_stay_non_contiguous():
    array = np.arange(12.0).reshape(3, 4)[:, ::2]
    assert not decode(encode(array)).flags.c_contiguous
    assert not to_plain(array).flags.c_contiguous


def test_a_copy_does_not_share_memory():
    array = np.zeros(3)
    copy = to_plain(array)
    array += 1
    assert copy.tolist() == [0, 0, 0]


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a"}, np.array([object()]), lambda: 0, 1j])
def test_what_is_not_plain_becomes_other(value):
    assert isinstance(to_plain(value), Other)


def test_a_pickled_object_array_is_refused():
    import io

    out = io.BytesIO()
    np.save(out, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(NotPlain):
        decode(b'{"array": 0}\n' + out.getvalue())


def test_a_header_that_promises_too_much_is_refused():
    message = encode(np.zeros(4)).replace(b"(4,)", b"(9,)")
    with pytest.raises(NotPlain, match="shorter"):
        decode(message)


def test_too_large_a_message_is_refused():
    with pytest.raises(NotPlain, match="more than"):
        decode(encode(np.zeros(100)), max_bytes=100)


def test_deep_nesting_is_cut_off():
    deep: list = []
    for _ in range(100):
        deep = [deep]
    assert decode(encode(deep)) is not None
