"""The program without the care that it takes of a disk: what the log and the ledger cannot write is raised as it comes.

python -m tests.faults.careless_program run app.py ...: what `python -m streamlit` would do with it.
"""

from __future__ import annotations

from streamlit.web.cli import main

from core.adapters import ledger
from core.adapters.log_files import LogFile

if __name__ == "__main__":
    ledger._refused = lambda error: error  # type: ignore[assignment,return-value]
    LogFile.write = lambda self, text: self._append(f"{text}\n".encode())  # type: ignore[method-assign]
    main(prog_name="streamlit")
