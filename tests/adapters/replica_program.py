"""One of several programs on a ledger: a job that is written down, one that is not, and a witness of every run.

Called with the ledger, the witness's file and a name. Its lease lasts two seconds; the machine is not asked whether a
holder is there still, as if each ran on one of its own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from core.adapters import ledger_lease, scheduler
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_lease import Lease
from core.adapters.scheduler import ThreadScheduler, elapsed_s

#: How often the job begins, how long it takes, and how long a lease lasts without a sign of life, seconds.
EVERY_S, TAKES_S, LASTS_S = 2.0, 0.6, 2.0


def main(url: str, witness: Path, name: str) -> None:
    """Do the jobs until told to end."""
    ledger_lease.LOOK_S, scheduler.TICK_S = 0.1, 0.05
    ledger = SqlLedger(url)

    def say(text: str) -> None:
        with witness.open("a", buffering=1) as file:  # one short line is written at once
            file.write(f"{elapsed_s()} {name} {os.getpid()} {text}\n")

    def job() -> None:
        say("begins")
        time.sleep(TAKES_S)
        ledger.record_run("job", "done", {"name": name, "pid": os.getpid()}, datetime.now(UTC))
        say("ends")

    made = ThreadScheduler(turns=Lease(ledger, holder=name, lasts_s=LASTS_S))
    made.every(EVERY_S, "job", job, recorded=True)
    made.every(0.2, "look", lambda: say("looks"))
    made.start()
    say("starts")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait(120)
    made.stop()
    say("stops")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
