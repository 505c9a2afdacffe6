"""Named streams of random numbers."""

import numpy as np
import pytest

from handforge.rng import STREAMS, StreamState, resume, state_of, stream


def test_no_two_streams_are_the_same():
    assert len(set(STREAMS.values())) == len(STREAMS)
    drawn = [stream(1, 2, name).random() for name in STREAMS]
    assert len(set(drawn)) == len(drawn)


def test_a_stream_depends_on_seed_frame_name_and_index_alone():
    first = stream(3, 4, "elbow", 1).random(5)
    stream(3, 4, "sleeve").random(9)
    np.testing.assert_array_equal(stream(3, 4, "elbow", 1).random(5), first)
    others = [stream(0, 4, "elbow", 1), stream(3, 0, "elbow", 1), stream(3, 4, "rings", 1), stream(3, 4, "elbow", 0)]
    assert all(other.random() != first[0] for other in others)


def test_the_numbers_of_images_rendered_before_stay():
    assert stream(7, 1, "look").random() == np.random.default_rng((7, 1)).random()
    assert stream(7, 1, "elbow", 0).random() == np.random.default_rng((7, 1, 0xEB, 0)).random()
    assert stream(7, 1, "empty scene").random() == np.random.default_rng((7, 1, 0xE0, 1)).random()


def test_a_name_that_there_is_not():
    with pytest.raises(KeyError, match="sun"):
        stream(0, 0, "sun")


def test_a_stream_resumes_where_it_stood():
    one = stream(3, 5, "indoor")
    one.integers(0, 2**16, 3)  # half of a word of 64 bits is left over
    stood = state_of(one)
    assert one.integers(0, 2**16, 5).tolist() == (again := resume(stood)).integers(0, 2**16, 5).tolist()
    assert one.normal(size=4).tolist() == again.normal(size=4).tolist()


def test_a_stream_stands_nowhere_else():
    with pytest.raises(ValueError, match="inc is a whole number of up to 128 bits"):
        StreamState(0, -1, 0, 0)
