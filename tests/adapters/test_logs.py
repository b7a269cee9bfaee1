"""The log: one event is one line that reads back, without secrets, in files that are bounded and never raise."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import stat
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from core.adapters import log_secrets, logs
from core.adapters.log_files import LogFile
from core.adapters.log_lines import line, render
from core.adapters.log_secrets import HIDDEN, without_secrets

FIELD = re.compile(r'([^\s="]*)=("(?:[^"\\]|\\.)*"|[^\s"=\\]+)(?: |$)')
log = structlog.get_logger()


def read_back(text: str) -> dict[str, str]:
    """Read a line of logfmt, all of it; a field that stands twice is forged."""
    fields: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = FIELD.match(text, at)
        assert found is not None, text[at:]
        name = unquote(found[1], errors="surrogatepass")
        assert name not in fields, name
        fields[name] = json.loads(found[2]) if found[2].startswith('"') else found[2]
        at = found.end()
    return fields


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    logs.configure("INFO")
    yield
    logs.close()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, str]]]:
    def read() -> list[dict[str, str]]:
        text = capsys.readouterr().err
        assert not text or text.endswith("\n")
        return [read_back(one) for one in text.splitlines()]  # at every separator that Unicode knows

    return read


ATTACKS = [
    'x\nlevel=error event="all is lost"',
    "x\r\nlevel=error",
    "\x1b[2J\x1b[31mred",
    "a\u2028b\u2029c\u0085d\x0be\x0cf",
    "level=error",
    '"quoted" \\" and \\',
    "\\n",
    "\u202egnp.exe",
    "tab\tnul\0",
    "\ud800",
    "",
    " ",
    "\U000e0001",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_value_makes_a_second_line_or_forges_a_field(lines: Callable[[], list[dict[str, str]]], attack: str) -> None:
    log.info(attack, place=attack, **{attack: attack})
    (found,) = lines()
    assert found.pop("timestamp")
    assert found == {"level": "info", "event": attack, "place": attack, attack: attack}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_line_is_seen_as_it_is(attack: str) -> None:
    assert line({"event": attack, attack: "x"}).isprintable()


@given(st.dictionaries(st.text(st.characters()), st.text(st.characters()), max_size=6))
def test_whatever_the_fields_hold_the_line_reads_back(fields: dict[str, str]) -> None:
    text = line(fields)
    assert text.isprintable()
    assert read_back(text) == fields


@given(st.dictionaries(st.text(min_size=1), st.one_of(st.none(), st.booleans(), st.floats(), st.binary(), st.text())))
def test_every_event_keeps_its_fields(fields: dict[str, object]) -> None:
    event = {"event": "x", "level": "info", **fields}
    found = read_back(render(None, "info", dict(event)))
    assert set(found) == {without_secrets(name) for name in event}


def test_what_people_read_stays_readable() -> None:
    assert line({"place": "चमोली", "region": "sikkim-arunachal", "at": "2026-07-29T18:20:00Z"}) == (
        "place=चमोली region=sikkim-arunachal at=2026-07-29T18:20:00Z"
    )


def test_a_thing_that_cannot_say_what_it_is_does_no_harm(lines: Callable[[], list[dict[str, str]]]) -> None:
    class Mute:
        def __str__(self) -> str:
            raise ValueError("no words")

    log.info("x", thing=Mute())
    assert lines()[0]["thing"] == "<Mute>"


def test_an_exception_is_one_line_with_its_traceback(lines: Callable[[], list[dict[str, str]]]) -> None:
    try:
        raise ValueError("a\nb password=hunter22")
    except ValueError:
        log.exception("failed")
    (found,) = lines()
    assert found["exception"].startswith("Traceback (most recent call last):\n")
    assert found["exception"].endswith(f"ValueError: a\nb password={HIDDEN}")


SECRET = "tok/en \"of \\ this' test"  # noqa: S105 - it opens nothing


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        repr({"token": SECRET}),
        json.dumps([SECRET]),
        "redis://watch:s3cr/et@p@cache:6379/0 is gone",
        "postgresql+psycopg://watch:s3cr/et@host/db",
        "(redis://:s3cr/et@host)",
        "host=db user=watch password=s3cr/et dbname=x",
        "password = 's3cr/et with space'",
        "{'Authorization': 'Bearer s3cr/et'}",
        "authorization: Basic s3cr/et=",
        "curl -H 'Authorization: Digest s3cr/et'",
        "sent bearer s3cr/et, refused",
        "GET /x?token=s3cr/et&y=1",
        "api_key=s3cr/et",
        "API-Key: s3cr/et",
        "Cookie: s3cr/et",
    ],
)
def test_no_secret_passes(lines: Callable[[], list[dict[str, str]]], text: str) -> None:
    log_secrets.hide(SECRET)
    log.info(text, error=text, admin_token="s3cr/et", Authorization="s3cr/et", **{text: 1})  # noqa: S106
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        log.exception("failed", nested={"why": [error]})
    told = [part for found in lines() for field in found.items() for part in field]
    assert not [part for part in told if "s3cr/et" in part or "tok/en" in part or "this' test" in part]
    assert HIDDEN in "".join(told)


def test_what_is_no_secret_stays() -> None:
    for text in ("https://api.open-meteo.com/v1/forecast", "who: ops@example.org", "a basic rule", "3 tokens left"):
        assert without_secrets(text) == text


def test_a_long_text_is_searched_in_no_time() -> None:
    from time import perf_counter

    for piece in ("://", "token='", "password" + " " * 9, "bearer ", "a", "Basic  "):
        begun = perf_counter()
        without_secrets(piece * (200_000 // len(piece)))
        assert perf_counter() - begun < 2, piece


def test_standard_logging_and_warnings_are_lines_of_ours(lines: Callable[[], list[dict[str, str]]]) -> None:
    theirs = logging.getLogger("somebody.else")
    theirs.propagate = False
    theirs.addHandler(logging.StreamHandler(sys.stderr))
    kept = logging.NullHandler()
    theirs.addHandler(kept)
    logs.take_over()
    structlog.contextvars.bind_contextvars(request_id="r-1")
    theirs.info("not told")
    theirs.warning("slow: %s\nlevel=error", "disk")
    misfit = logging.LogRecord("x", logging.ERROR, "x.py", 1, "%d", ("no number",), None)
    logging.getLogger().handlers[-1].handle(misfit)
    try:
        raise KeyError("x")
    except KeyError:
        theirs.exception("broken")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old\nway", stacklevel=1)
    thread = threading.Thread(target=lambda: {}["nothing"], name="worker")
    thread.start()
    thread.join()
    slow, number, broken, warned, died = lines()
    assert (slow["event"], slow["level"]) == ("slow: disk\nlevel=error", "warning")
    assert (slow["logger"], slow["request_id"]) == ("somebody.else", "r-1")
    assert number["event"] == "%d"
    assert broken["exception"].endswith("KeyError: 'x'")
    assert "UserWarning: old\nway\n" in warned["event"]
    assert warned["logger"] == "py.warnings"
    assert (died["event"], died["thread"], died["level"]) == ("a thread died", "worker", "critical")
    assert died["exception"].endswith("KeyError: 'nothing'")
    assert theirs.handlers == [kept]


def test_what_was_taken_over_is_given_back() -> None:
    before = threading.excepthook, warnings.showwarning, list(logging.getLogger().handlers)
    logs.take_over()
    assert threading.excepthook is not before[0]
    logs.close()
    assert before == (threading.excepthook, warnings.showwarning, logging.getLogger().handlers)


def test_the_file_has_what_standard_error_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.keep(tmp_path / "new" / "logs", 10_000, 3)
    log.info("it rains", place="a\nb")
    path = tmp_path / "new" / "logs" / logs.FILE
    assert path.read_text("utf-8") == capsys.readouterr().err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    logs.close()
    log.info("later")
    assert "later" not in path.read_text("utf-8")


def test_a_closed_standard_error_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.keep(tmp_path, 10_000, 3)
    for gone in (None, (tmp_path / "x").open("w")):
        if gone is not None:
            gone.close()
        monkeypatch.setattr(sys, "stderr", gone)
        log.info("still told")
    assert (tmp_path / logs.FILE).read_text("utf-8").count("still told") == 2


@pytest.fixture
def told() -> list[str]:
    return []


def numbers(folder: Path) -> dict[str, list[str]]:
    return {path.name: path.read_text("utf-8").split() for path in sorted(folder.iterdir())}


def test_files_are_bounded_and_the_oldest_goes(tmp_path: Path, told: list[str]) -> None:
    file = LogFile(tmp_path / "x.log", 12, 2, told.append)
    for i in range(100, 111):
        file.write(str(i))
    assert numbers(tmp_path) == {
        "x.log": ["109", "110"],
        "x.log.1": ["106", "107", "108"],
        "x.log.2": ["103", "104", "105"],
    }
    file.write("a line longer than a file may be")
    assert (tmp_path / "x.log").read_text() == "a line longer than a file may be\n"
    file.close()
    fewer = LogFile(tmp_path / "x.log", 12, 0, told.append)
    fewer.write("next")
    assert numbers(tmp_path) == {"x.log": ["next"]}
    assert told == []


def test_a_file_that_somebody_removes_or_moves_is_made_anew(tmp_path: Path, told: list[str]) -> None:
    file = LogFile(tmp_path / "x.log", 1000, 2, told.append)
    file.write("1")
    (tmp_path / "x.log").unlink()
    file.write("2")
    (tmp_path / "x.log").rename(tmp_path / "moved")
    file.write("3")
    assert numbers(tmp_path) == {"moved": ["2"], "x.log": ["3"]}
    assert told == []


def test_many_threads_write_whole_lines_and_none_is_lost(tmp_path: Path, told: list[str]) -> None:
    file = LogFile(tmp_path / "x.log", 2000, 1000, told.append)
    threads = [
        threading.Thread(target=lambda k=k: [file.write(f"{k}-{i:03}-{'x' * 20}") for i in range(200)])
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [one for name in tmp_path.iterdir() for one in name.read_text().splitlines()]
    assert sorted(found) == sorted(f"{k}-{i:03}-{'x' * 20}" for k in range(4) for i in range(200))
    assert all(path.stat().st_size <= 2000 for path in tmp_path.iterdir())


def test_a_second_process_leaves_the_file_to_the_first(tmp_path: Path, told: list[str]) -> None:
    first = LogFile(tmp_path / "x.log", 1000, 2, told.append)
    first.write("first")
    second = LogFile(tmp_path / "x.log", 10, 2, told.append)  # a lock is one's of the open file, not of the process
    second.write("second")
    second.write("second")
    assert numbers(tmp_path) == {"x.log": ["first"]}
    assert told == ["another process writes it"]
    first.close()
    second.write("third")
    assert "count=2" in (tmp_path / "x.log").read_text() or "count=2" in (tmp_path / "x.log.1").read_text()


@pytest.mark.parametrize("part", [0, 3])
def test_a_full_disk_costs_lines_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: int
) -> None:
    logs.keep(tmp_path, 10_000, 2)
    log.info("before")
    write, full = os.write, True

    def on_a_full_disk(handle: int, data: bytes) -> int:
        if full and part:
            return write(handle, data[:part])
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data)

    monkeypatch.setattr(os, "write", on_a_full_disk)
    log.info("lost 1")
    log.info("lost 2")
    full = False
    log.info("after")
    kept = [read_back(one) for one in (tmp_path / logs.FILE).read_text("utf-8").splitlines()]
    assert [one["event"] for one in kept] == ["before", "log lines were lost", "after"]
    assert {next(iter(one)) for one in kept} == {"timestamp"}, "half a line was left"
    assert kept[1]["count"] == "2"
    told = [read_back(one) for one in capsys.readouterr().err.splitlines()]
    assert [one["event"] for one in told] == ["before", "lost 1", "log lines are lost", "lost 2", "after"]
    assert told[2]["reason"] == os.strerror(errno.ENOSPC)


def test_a_folder_that_cannot_be_made_costs_lines_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    logs.keep(tmp_path / "file" / "logs", 10_000, 2)
    log.info("one")
    log.info("two")
    told = [read_back(one)["event"] for one in capsys.readouterr().err.splitlines()]
    assert told == ["one", "log lines are lost", "two"]
