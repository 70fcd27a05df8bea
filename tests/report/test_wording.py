import math
from datetime import datetime, timedelta, timezone

import pytest

from runyard.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (3, "3"),
        (3.0, "3"),
        (2.819261, "2.819"),
        (0.5, "0.5"),
        (0.000123456, "0.0001235"),
        (12345.678, "12,346"),
        (1234567, "1,234,567"),
        (1.2e-7, "1.2e-07"),
        (-3.14159, "-3.142"),
        (9.99999, "10"),
        (1e12, "1e+12"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert wording.number(value) == text


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (2.819261, 0.01234, "2.819 ± 0.012"),
        (100.789, 2.61, "100.8 ± 2.6"),
        (1234.5, 321.0, "1,234 ± 321"),
        (0.1, 0.0, "0.1 ± 0"),
        (0.1, math.nan, "0.1"),
        (3e-8, 1e-8, "3e-08 ± 1e-08"),
    ],
)
def test_an_interval_has_two_digits_of_its_half_width(mean, half, text):
    assert wording.interval(mean, half) == text


def test_labels_are_as_short_as_tells_them_apart():
    assert wording.levels([0.1, 0.25, 1.0]) == ["0.1", "0.25", "1"]
    assert wording.levels([0.12345, 0.12349]) == ["0.12345", "0.12349"]
    assert wording.levels([0.123456789, 0.123456788]) == ["0.123456789", "0.123456788"]
    assert wording.levels([True, None, "x", 3]) == ["true", "(empty)", "x", "3"]


@pytest.mark.parametrize(
    ("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_reads_as_in_a_sentence(words, text):
    assert wording.listing(words) == text


@pytest.mark.parametrize(
    ("jobs", "text"),
    [
        ([3], "3"),
        ([9, 10, 11, 12, 3, 7], "3, 7 and 9-12"),
        (range(0, 60, 2), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and 18 more"),
    ],
)
def test_numbers_of_jobs_are_ranges(jobs, text):
    assert wording.job_ranges(jobs) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.123, "0.12 s"),
        (45.23, "45.2 s"),
        (59.99, "1 min"),
        (192, "3 min 12 s"),
        (7500, "2 h 5 min"),
        (273600, "3 d 4 h"),
        (3600, "1 h"),
    ],
)
def test_a_duration_has_two_units(seconds, text):
    assert wording.duration(seconds) == text


def test_a_moment_is_told_in_utc():
    zone = timezone(timedelta(hours=2))
    assert wording.moment(datetime(2026, 1, 31, 14, 0, tzinfo=zone)) == "2026-01-31 12:00 UTC"


def test_long_names_are_shortened_to_their_last_part_unless_two_end_alike():
    names = ["+workload.d", "train.lr", "eval.lr", "model"]
    assert wording.short_names(names) == {
        "+workload.d": "d",
        "train.lr": "train.lr",
        "eval.lr": "eval.lr",
        "model": "model",
    }
    assert wording.short_names(["a.loss"], taken=["loss"]) == {"a.loss": "a.loss"}


def test_long_text_loses_its_middle():
    assert wording.shorten("abcdefghij", 10) == "abcdefghij"
    assert wording.shorten("abcdefghijk", 7) == "abc…ijk"
