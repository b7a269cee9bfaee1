"""The program without care for its disk: every answer about its health first leaves a copy there, in place.

python -m tests.faults.careless_program run app.py ...: what `python -m streamlit` would do with it.
"""

from __future__ import annotations

from streamlit.web.cli import main

from core import Core, Health


def _careless(core: Core, region_id: str | None = None) -> Health:
    (core.settings.home / "data" / "last_answer.txt").write_text(SIZE * "x", "utf-8")
    return careful(core, region_id)


SIZE = 100_000

if __name__ == "__main__":
    careful = Core.health
    Core.health = _careless  # type: ignore[method-assign]
    main(prog_name="streamlit")
