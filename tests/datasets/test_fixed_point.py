import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassclf.datasets.fixed_point import decode_fixed_point, encode_fixed_point

HALF_A_STEP = 2.0**-25

FRACTIONS = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=0, max_dims=3, max_side=5),
    elements=st.floats(-3, 3, allow_subnormal=False),
)


@given(FRACTIONS)
def test_rounding_is_at_most_half_a_step_across_the_boundary(fractions):
    encoded = encode_fixed_point(fractions)
    assert encoded.dtype == np.uint8
    assert encoded.shape == (*fractions.shape, 3)
    decoded = decode_fixed_point(encoded)
    assert (decoded >= 0).all()
    assert (decoded < 1).all()
    difference = decoded - fractions
    assert (np.abs(difference - np.rint(difference)) <= HALF_A_STEP * (1 + 1e-8)).all()


@given(FRACTIONS)
def test_decoded_numbers_survive_another_round(fractions):
    encoded = encode_fixed_point(fractions)
    np.testing.assert_array_equal(encode_fixed_point(decode_fixed_point(encoded)), encoded)


def test_bytes_by_hand():
    encoded = encode_fixed_point(np.array([0.0, 2.0**-24, 0.5, 1 - 2.0**-24, 1 - 2.0**-26]))
    expected = [[0, 0, 0], [1, 0, 0], [0, 0, 128], [255, 255, 255], [0, 0, 0]]
    assert encoded.tolist() == expected
