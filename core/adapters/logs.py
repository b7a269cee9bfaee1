"""Structured logs: one line per event, on standard error and, in a process that serves, in a file."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import structlog

from core.adapters import log_lines
from core.adapters.log_files import LogFile

log = structlog.get_logger()
FILE = "server.log"
_writing = threading.Lock()
_file: LogFile | None = None
#: What `close` takes back.
_taken = ExitStack()


def configure(level: str) -> None:
    """Log from `level` (DEBUG, INFO, WARNING, ERROR) on, one line per event."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            log_lines.render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=_Written,
        cache_logger_on_first_use=False,
    )


def keep(folder: Path, most_bytes: int, kept: int) -> None:
    """Write every line into a file of a folder too, and keep so many older ones, until `close`."""
    global _file  # noqa: PLW0603 - one process, one log
    path = folder / FILE
    _file = LogFile(path, most_bytes, kept, partial(_not_kept, path))
    _taken.callback(_let_go)


def take_over() -> None:
    """Make lines of ours of what others would print, until `close`.

    That is: warnings and errors of standard logging, Python's own warnings, and what threads die of.
    """
    root = logging.getLogger()
    ours = _Standard(logging.WARNING)
    root.addHandler(ours)
    _taken.callback(root.removeHandler, ours)
    for logger in [root, *(one for one in root.manager.loggerDict.values() if isinstance(one, logging.Logger))]:
        for printing in [one for one in logger.handlers if _prints(one)]:
            logger.removeHandler(printing)
            logger.propagate = True
    logging.captureWarnings(True)
    _taken.callback(logging.captureWarnings, False)
    _taken.callback(setattr, threading, "excepthook", threading.excepthook)
    threading.excepthook = _thread_died


def close() -> None:
    """Let go of the file, and of what was taken over."""
    _taken.close()


class _Written:
    """What structlog writes lines with; one that cannot be written is lost, and the program goes on."""

    def __init__(self, *_: object) -> None:
        pass

    def msg(self, line: str) -> None:
        _print(line)
        if _file is not None:
            _file.write(line)

    debug = info = warning = error = critical = msg


class _Standard(logging.Handler):
    """Makes lines of ours of the records of standard logging."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # arguments that do not fit their format
            text = str(record.msg)
        log.log(record.levelno, text, logger=record.name, exc_info=record.exc_info)


def _print(line: str) -> None:
    # As it is now: whoever took its place may have closed it since, and a process may have none.
    with _writing, suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _not_kept(path: Path, reason: str) -> None:
    """Say on standard error alone that the file does not take lines."""
    said = {"level": "error", "event": "log lines are lost", "file": str(path), "reason": reason}
    _print(log_lines.line(said))


def _let_go() -> None:
    global _file  # noqa: PLW0603
    if _file is not None:
        _file.close()
        _file = None


def _prints(handler: logging.Handler) -> bool:
    """Say whether a handler prints to the terminal as it likes."""
    terminal = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return type(handler) is logging.StreamHandler and handler.stream in terminal


def _thread_died(died: threading.ExceptHookArgs) -> None:
    if died.exc_type is not SystemExit and died.exc_value is not None:
        name = "unknown" if died.thread is None else died.thread.name
        log.critical("a thread died", thread=name, exc_info=died.exc_value)
