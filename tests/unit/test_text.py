"""Text helpers: plurals, lengths of time, sizes."""

from handforge.text import counted, duration, megabytes


def test_one_thing_is_not_several():
    assert [counted(number, "image") for number in (0, 1, 2)] == ["0 images", "1 image", "2 images"]


def test_lengths_of_time_and_sizes_in_words():
    assert [duration(seconds) for seconds in (4.4, 89, 90, 3570, 3600, 12_000)] == [
        *("4 s", "89 s", "2 min", "1 h 0 min", "1 h 0 min", "3 h 20 min"),
    ]
    assert [megabytes(count) for count in (1234, 5.67e6, 81e9)] == ["1.23 KB", "5.67 MB", "81 GB"]
