"""The outbox on a page: nobody is told, all is well, and what failed is sent again by who may."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from api.app import api
from core import DeliveryState, open_core
from core.bootstrap import jobs
from core.errors import ConfigurationError
from tests.adapters.outside_servers import notice, webhook
from tests.api.test_metrics_api import read

TOKEN = "a token of this test"  # noqa: S105 - it opens nothing


@pytest.fixture(autouse=True)
def plain_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.runtime.context._get_client_context", lambda: None)  # AppTest's is a mock


def page() -> None:
    from core import open_core
    from ui import notices

    notices.show(open_core())


def drawn(language: str = "en") -> AppTest:
    app = AppTest.from_function(page)
    app.query_params["lang"] = language
    app.run()
    assert not app.exception
    return app


def test_where_nobody_is_told_it_says_so_and_no_job_is_planned() -> None:
    house = open_core()
    jobs.plan(house)
    assert "notices" not in [job["name"] for job in house.scheduler.jobs()]
    house.notifying.tell(notice())
    assert house.notifying.state().deliveries == ()
    assert [c.value for c in drawn().caption] == [
        "Nobody outside is told: neither a webhook nor a mail service is set."
    ]


def test_what_was_given_up_is_shown_and_sent_again_with_one_click(monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook(410, 200) as hook:
        monkeypatch.setenv("CLOUDBURST_WEBHOOK_URLS", hook.url)
        house = open_core()
        jobs.plan(house)
        assert "notices" in [job["name"] for job in house.scheduler.jobs()]
        assert drawn().caption[-1].value == "Nothing was told yet."
        house.notifying.tell(notice())
        house.notifying.deliver()
        monkeypatch.setattr("ui.admin.one_click", lambda _core: True)
        app = drawn()
        assert "Given up: 1." in app.error[0].value
        (row,) = app.dataframe[0].value.to_dict("records")
        assert (row["state"], row["why not"], row["tries"]) == ("✕ given up", "It answered 410.", "1")
        assert row["through"].startswith("webhook 127.0.0.1 ")
        assert any("given up: 1" in problem for problem in house.monitoring.problems())
        app = app.button(key="send again").click().run()
        assert not app.exception
        assert house.notifying.state().deliveries[0].state is DeliveryState.WAITING
        assert house.notifying.deliver() == 1
        assert not drawn().error
    assert len(hook.got) == 2


def test_who_may_not_act_sees_no_addresses_and_is_asked_for_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("CLOUDBURST_SMTP_URL", "smtp://127.0.0.1:9")
    monkeypatch.setenv("CLOUDBURST_EMAIL_FROM", "watch@met.example")
    monkeypatch.setenv("CLOUDBURST_EMAIL_TO", "anna@met.example, bo@met.example")
    house = open_core()
    house.notifying.tell(notice())
    house.notifying.deliver()
    app = drawn()
    shown = app.dataframe[0].value.to_string()
    assert "e-mail" in shown
    assert "anna" not in shown
    assert "reached" not in shown
    assert [b.label for b in app.button] == ["Unlock"]
    app.text_input(key="admin token outbox").set_value(TOKEN)
    app = app.button[0].click().run()
    assert "anna@met.example" in app.dataframe[0].value.to_string()
    assert app.button(key="send again").label == "Send now"


def test_the_outbox_speaks_hindi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDBURST_WEBHOOK_URLS", "https://met.example/hook")
    open_core().notifying.tell(notice())
    app = drawn("hi")
    assert list(app.dataframe[0].value["अवस्था"]) == ["… प्रतीक्षा में"]


def test_an_outbox_that_cannot_be_read_is_a_banner(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ConfigurationError("The outbox cannot be used.", hint="Look at the disk.")

    monkeypatch.setattr(open_core().notifying, "state", broken)
    assert "The outbox cannot be used" in drawn().error[0].value


def test_a_monitoring_system_reads_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi.testclient import TestClient

    with webhook(200, 410, 500) as hook:
        monkeypatch.setenv("CLOUDBURST_WEBHOOK_URLS", hook.url)
        told = open_core().notifying
        for number in range(4):
            told.tell(notice(f"n-{number}"))
            told.deliver()
        found = read(TestClient(api))
    assert found["cloudburst_notices_sent_total", "webhook"] == 1
    counts = {state: found["cloudburst_notices", "webhook", state] for state in ("waiting", "failed", "dead")}
    assert counts == {"waiting": 0, "failed": 2, "dead": 1}
    assert found["cloudburst_notices_lost",] == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"WEBHOOK_URLS": "http://met.example/hook"},
        {"SMTP_URL": "smtp://mail.example"},
        {"EMAIL_TO": "anna@met.example"},
        {"SMTP_URL": "smtp://mail.example", "EMAIL_FROM": "watch@met.example", "EMAIL_TO": "anna"},
        {"SMTP_URL": "mail.example", "EMAIL_FROM": "watch@met.example", "EMAIL_TO": "anna@met.example"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"CLOUDBURST_{name}", value)
    with pytest.raises(ConfigurationError, match="CLOUDBURST_"):
        open_core()


def test_no_log_holds_what_is_secret_of_webhooks_and_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.adapters.log_secrets import without_secrets

    monkeypatch.setattr("core.adapters.log_secrets._known", ())
    monkeypatch.setenv("CLOUDBURST_WEBHOOK_URLS", "https://hooks.example/services/T0KEN-abcdef")
    monkeypatch.setenv("CLOUDBURST_WEBHOOK_SECRET", "shared-s3cret")
    monkeypatch.setenv("CLOUDBURST_SMTP_URL", "smtps://watch:p%40ss-w0rd@mail.example")
    monkeypatch.setenv("CLOUDBURST_EMAIL_FROM", "watch@met.example")
    monkeypatch.setenv("CLOUDBURST_EMAIL_TO", "anna@met.example")
    open_core()
    line = without_secrets("POST https://hooks.example/services/T0KEN-abcdef shared-s3cret p@ss-w0rd p%40ss-w0rd")
    assert line == "POST *** *** *** ***"
    assert "T0KEN" not in without_secrets("POST /services/T0KEN-abcdef")
