"""The monitoring page, drawn by AppTest: well, unwell, with a budget, and with a ledger that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import BudgetLine, Core, open_core
from core.errors import ConfigurationError
from tests.faults.source.server import serving
from tests.pages.drawn import drawn
from tests.weather_made import REGION
from ui import monitoring
from ui import monitoring_tables as tables

AT = datetime(2026, 7, 29, 18, 0, 5, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("served")


def opened() -> AppTest:
    return drawn("pages/monitoring.py")


def texts(app: AppTest) -> str:
    kinds = ("caption", "markdown", "warning", "info", "success", "error", "progress")
    found = [str(getattr(e, "value", "")) + str(getattr(e.proto, "text", "")) for kind in kinds for e in app.get(kind)]
    return "\n".join(found + [d.value.to_string() for d in app.dataframe])


def cards(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_a_house_that_is_well_says_so_with_its_jobs_cache_and_source() -> None:
    app = opened()
    shown, said = cards(app), texts(app)
    assert shown["Health"] == "ok"
    assert shown["Problems"] == "0"
    assert shown["Last sign of life"].endswith("s ago")
    assert shown["Found"].endswith("%")
    assert "refresh" in said
    assert "Nothing is wrong." in said
    assert "Simulated\\: 29 July answers" in said
    assert "This source has no budget of requests." in said


def test_a_house_without_scheduler_and_with_a_strange_file_names_its_problems(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr("core.bootstrap._serving", False)
    (home / "models").mkdir(parents=True)
    (home / "models" / "best.pkl").write_bytes(b"\x80")
    app = opened()
    assert cards(app)["Health"] == "degraded"
    assert cards(app)["Last sign of life"] == "never"
    problems = next(m.value for m in app.markdown if m.value.startswith("- "))
    assert "best.pkl" in problems
    assert "The scheduler does not run" in problems
    assert "The scheduler has no jobs" in texts(app)


def test_the_budget_of_a_live_source_is_shown_by_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_SOURCE", "open-meteo:")
    monkeypatch.setenv("CLOUDBURST_REGION", "points-example")
    with serving() as service:
        monkeypatch.setenv("CLOUDBURST_OPEN_METEO_URL", service.url)
        app = opened()
        said = texts(app)
        lines = open_core().budget()
    assert len(lines) == 3
    for line in lines:
        assert line.spent > 0
        assert tables.budget_text(line, REGION) in said


def test_a_source_that_fails_says_why_and_what_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_SOURCE", "open-meteo:")
    monkeypatch.setenv("CLOUDBURST_REGION", "points-example")
    with serving() as service:
        monkeypatch.setenv("CLOUDBURST_OPEN_METEO_URL", service.url)
    assert "Newest data: none." in texts(opened())


def test_runs_and_archive_are_bounded_tables_in_local_time(open_house: Callable[..., Core]) -> None:
    app = opened()
    core = open_core()
    core.forecasting.refresh(core.default_region)
    for i in range(monitoring.MOST_RUNS + 5):
        core.training.ledger.record_run("train", "done", {"run": i, "text": "x" * 1000}, AT)
    app.run()
    assert not app.exception
    runs = app.dataframe[-1].value
    assert len(runs) == monitoring.MOST_RUNS
    # Meanwhile the scheduler of the house may have looked for drift.
    assert set(runs["at"][runs["what"] == "train"]) == {"29 Jul 2026 23:30 IST"}
    assert runs["detail"].str.len().max() <= tables.MOST_DETAIL + 2
    assert f"The newest {monitoring.MOST_RUNS} runs." in texts(app)
    stored = app.dataframe[-2].value
    assert list(stored["source"]) == ["simulator"]
    assert stored["rows"][0] > 1000


def test_a_ledger_that_does_not_answer_is_a_banner_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object) -> None:
        raise ConfigurationError("The ledger cannot be used.", hint="Look at the disk.")

    monkeypatch.setattr("core.adapters.ledger.SqlLedger.runs", silent)
    app = opened()
    assert any("The ledger cannot be used." in error.value for error in app.error)
    assert cards(app)["Health"]


@pytest.mark.parametrize(
    ("line", "part", "words"),
    [
        (BudgetLine("minute", 120.0, 540.0), 120 / 540, "minute: 120 of 540 weighted requests, 22.2 %"),
        (BudgetLine("day", 0.0, 9000.0), 0.0, "day: 0 of 9,000 weighted requests, 0 %"),
        (
            BudgetLine("hour", 5000.0, 4500.0, AT, "the hour's budget is spent"),
            1.0,
            "hour: 5,000 of 4,500 weighted requests, 100 %; waiting until 23:30:05 IST: the hour's budget is spent",
        ),
        (BudgetLine("hour", 0.0, 0.0), 1.0, "hour: 0 of 0 weighted requests, 100 %"),
    ],
)
def test_a_budget_in_words(line: BudgetLine, part: float, words: str) -> None:
    assert tables.used(line) == pytest.approx(part)
    assert tables.budget_text(line, REGION) == words


def test_a_failed_job_says_what_it_failed_with() -> None:
    jobs = [
        {"name": "refresh", "every_s": 300.0, "last_run": AT, "last_error": "ValueError: no"},
        {"name": "appraise", "every_s": 3600.0, "last_run": None, "last_error": None},
        {"name": "verify", "every_s": 60.0, "last_run": AT, "last_error": None, "next_in_s": 600.0},
        {"name": "retrain", "every_s": 60.0, "last_run": AT, "last_error": None, "late_s": 7200.0},
        {"name": "drift", "every_s": 60.0, "last_run": None, "last_error": None, "running_since": AT},
    ]
    table = tables.job_table(jobs, REGION)
    assert list(table["state"]) == [
        "✕ failed: ValueError: no",
        "… waiting for its first run",
        "✓ went well",
        "✓ went well, 2.0 h late",
        "⏳ running",
    ]
    assert list(table["last run"])[:3] == ["29 Jul 23:30:05 IST", "not yet", "29 Jul 23:30:05 IST"]
    assert list(table["next in"])[1:3] == ["unknown", "10 min"]


def test_the_archive_is_summed_by_source_and_region() -> None:
    extent = [
        {"source": "gauges", "region": "r", "month": month, "rows": rows}
        for month, rows in (("2026-05", 10), ("2026-07", 5))
    ] + [{"source": "simulator", "region": "r", "month": "2026-07", "rows": 1}]
    table = tables.extent_table(extent)
    assert table.to_numpy().tolist() == [
        ["gauges", "r", "2026-05", "2026-07", 2, 15],
        ["simulator", "r", "2026-07", "2026-07", 1, 1],
    ]
    assert tables.extent_table([]).empty


def test_the_interval_stands_in_the_address_and_redrawing_keeps_what_was_chosen() -> None:
    app = drawn()
    app.query_params[monitoring.INTERVAL] = "1 min"
    app.switch_page("pages/monitoring.py").run()
    app.get_by_key("wall seconds").set_value(120).run()
    app.run()
    assert app.get_by_key(monitoring.INTERVAL).value == "1 min"
    assert app.get_by_key("wall seconds").value == 120


def test_the_cache_is_cleared_by_whoever_may(monkeypatch: pytest.MonkeyPatch) -> None:
    cleared: list[bool] = []
    monkeypatch.setattr("core.TwoLevelCache.clear", lambda _self: cleared.append(True))
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", "a-token-of-this-test-that-is-long-enough")
    app = opened()
    assert "clear cache" not in {button.key for button in app.button}
    app.get_by_key("admin token cache").set_value("a-token-of-this-test-that-is-long-enough")
    next(button for button in app.button if button.label == "Unlock").click().run()
    before = len(cleared)
    app.get_by_key("clear cache").click().run()
    assert not app.exception
    assert len(cleared) == before + 1


def test_latency_errors_model_and_the_stale_share_of_the_cache_are_shown() -> None:
    core = open_core()
    for seconds in (0.1, 0.2, 0.3):
        core.meters.timed("api", seconds)
    core.meters.failed("SourceUnavailable")
    core.cache.set("old", 1, ttl=600, category="weather_data", fetched_at=time.time() - 7200)
    app = opened()
    shown = {name: frame.value for frame in app.dataframe for name in frame.value.columns}
    assert shown["p95, ms"].iloc[0].to_dict() == {
        "door": "API answer", "measured": 3, "p50, ms": 200.0, "p95, ms": 300.0, "p99, ms": 300.0
    }  # fmt: skip
    assert shown["error"].to_numpy().tolist() == [["SourceUnavailable", 1]]
    assert list(shown["now"]["what"]) == ["serves", "deployments", "challengers", "last training", "drift"]
    assert cards(app)["Oldest"] == "2.0 h"


def test_stale_values_count_as_found_and_stand_apart() -> None:
    counts = {("api", "hits"): 6, ("api", "stale"): 2, ("api", "misses"): 2, ("api", "refresh_failures"): 3}
    assert tables.cache_table(counts).to_numpy().tolist() == [["api", "80 %", 6, 2, 2, 3]]


def test_a_job_in_full_says_what_a_table_cuts_off() -> None:
    job = {"name": "refresh", "every_s": 300.0, "last_run": AT, "last_error": "ValueError: " + "no " * 200}
    assert tables.job_text(job, REGION).count("no ") == 200


def test_the_room_on_the_disk_is_told_in_megabytes() -> None:
    text = tables.storage_text(5 * 2**30, 3 * 2**20, 2**19)
    assert text == "Disk: 5,120 MB free; data/ takes 3 MB, models/ 0 MB."
