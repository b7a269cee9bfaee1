"""What commands share: dates as people type them, numbers as they read them, and a progress bar."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from core.ports import Progress, silent

EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


def begin(text: str) -> datetime:
    """Return the moment named, UTC where the text says nothing else.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no ISO date or lies outside `EVER`.
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO date such as 2023-01-31 or 2023-01-31T06:00Z") from None
    if not EVER[0] <= moment <= EVER[1]:
        raise argparse.ArgumentTypeError(f"{text!r} lies outside {EVER[0].year}..{EVER[1].year}")
    return moment


def end(text: str) -> datetime:
    """Return the moment named; a bare date means the end of that day."""
    moment = begin(text)
    return moment + timedelta(hours=23, minutes=59) if len(text) <= len("2022-12-31") else moment


def percent(probability: float) -> str:
    """Return a probability with two decimals, a dash where it is not known."""
    return "-" if math.isnan(probability) else f"{probability:.2%}"


@contextmanager
def progress() -> Iterator[Progress]:
    """Show a progress bar where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    from tqdm import tqdm

    with tqdm(total=100, bar_format="{l_bar}{bar}| {elapsed}", leave=False) as bar:

        def told(done: float, text: str) -> None:
            bar.set_description_str(text, refresh=False)
            bar.update(round(100 * done) - bar.n)
            bar.refresh()

        yield told
