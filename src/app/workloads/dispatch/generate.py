"""Synthetic days with the columns of the real jobs files: the same arguments give the same bytes.

A city has fixed restaurant hot spots, drawn from the seed; a day's orders are drawn from (seed, day).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILE_PATTERN = "meituan_city_lunchtime_plat10301330_day{day}.csv"
HEADER = "platform_order_time,sender_lat,sender_lng,recipient_lat,recipient_lng"
OPENING = datetime(2022, 10, 17, 10, 30)
HOT_SPOTS = 12
CORNER_DEG = np.array([30.0, 120.0])
BOX_DEG = 0.12
SPREAD_DEG = 0.006
TRIP_SHAPE, TRIP_SCALE_DEG = 3.0, 0.006
QUIET_PART = 1 / 8  # arrivals far from the peak, as a part of the peak's: 0.5 of 4 per second


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Hot spots (12, 2) in degrees and the share of orders of each (12,)."""

    centers: NDArray[np.float64]
    weights: NDArray[np.float64]


def make_city(seed: int) -> City:
    """The city of a seed."""
    rng = np.random.default_rng([seed])
    return City(
        centers=CORNER_DEG + rng.uniform(0.0, BOX_DEG, (HOT_SPOTS, 2)), weights=rng.dirichlet(np.ones(HOT_SPOTS))
    )


def arrivals(rng: np.random.Generator, minutes: float, peak_per_s: float) -> NDArray[np.int64]:
    """Seconds since the opening at which orders come, ascending; a bell over the quiet rate, highest halfway."""
    second = np.arange(round(minutes * 60))
    bell = np.exp(-0.5 * ((second - len(second) / 2) / max(len(second) / 6, 1.0)) ** 2)
    rate = peak_per_s * (QUIET_PART + (1 - QUIET_PART) * bell)
    return np.repeat(second, rng.poisson(rate))


def day_csv(*, seed: int, day: int, minutes: float, peak_per_s: float, jobs: int | None) -> str:
    """The CSV text of one day.

    Args:
        seed: of the city, and with the day of its orders; 0 or more.
        day: from 0.
        minutes: how long orders come in, from 10:30.
        peak_per_s: arrivals per second at the peak; an eighth of it at the ends.
        jobs: keep only the first so many orders; None keeps all.
    """
    city = make_city(seed)
    rng = np.random.default_rng([seed, day])
    seconds = arrivals(rng, minutes, peak_per_s)
    count = len(seconds)
    spot = rng.choice(HOT_SPOTS, size=count, p=city.weights)
    origin = city.centers[spot] + rng.normal(0.0, SPREAD_DEG, (count, 2))
    length = rng.gamma(TRIP_SHAPE, TRIP_SCALE_DEG, count)
    bearing = rng.uniform(0.0, 2 * np.pi, count)
    destination = origin + length[:, None] * np.stack([np.cos(bearing), np.sin(bearing)], axis=1)
    opening = OPENING + timedelta(days=day)
    lines = [
        f"{(opening + timedelta(seconds=s)).isoformat()}Z,{a:.6f},{b:.6f},{c:.6f},{e:.6f}"
        for s, (a, b), (c, e) in zip(
            seconds[:jobs].tolist(), origin[:jobs].tolist(), destination[:jobs].tolist(), strict=True
        )
    ]
    return "\n".join([HEADER, *lines]) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the files; returns the exit code."""
    parser = _parser()
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    for day in range(args.days):
        text = day_csv(seed=args.seed, day=day, minutes=args.minutes, peak_per_s=args.rate, jobs=args.jobs)
        count = text.count("\n") - 1
        if not count:
            parser.error(f"day {day} has no orders: raise --minutes or --rate")
        path = args.out / FILE_PATTERN.format(day=day)
        draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        draft.write_bytes(text.encode("ascii"))
        draft.replace(path)
        sys.stdout.write(f"{path}: {count} jobs\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app.workloads.dispatch.generate",
        description="Write synthetic days of delivery orders, in the columns of the Meituan jobs files.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--days", type=_count, default=8, help="number of days, from day 0")
    parser.add_argument("--out", type=Path, default=Path("data"), help="folder for the files")
    parser.add_argument("--seed", type=_seed, default=0, help="another seed is another city")
    parser.add_argument("--minutes", type=_positive, default=180.0, help="how long orders come in, from 10:30")
    parser.add_argument("--rate", type=_positive, default=4.0, help="orders per second at the peak, halfway")
    parser.add_argument("--jobs", type=_count, default=None, help="keep only the first JOBS orders of a day")
    return parser


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {text}")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0 and finite, not {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
