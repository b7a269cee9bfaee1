"""What Prometheus and Grafana are given asks for numbers that the house shows, by labels that they have."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import api
from core import open_core
from core.domain.drift import DriftReport, VariableDrift
from core.workflows import drift_runs
from tests.faults.source.server import serving

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
GRAFANA = DEPLOY / "grafana"
REGION = "points-example"
#: Given to every number by Prometheus itself when it reads it.
OF_PROMETHEUS = {"instance", "job"}
DAY = date(2026, 7, 1)
DRIFTED = DriftReport(
    "open-meteo", REGION, DAY, DAY, None, None, 1, 1, (VariableDrift("temperature_c", "", 90, share=0.4),)
)
Shown = Mapping[str, set[str]]


def loaded(path: str) -> Any:
    return yaml.safe_load((DEPLOY / path).read_text("utf-8"))


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in loaded("alerts.yml")["groups"] for rule in group["rules"]}


def grafana_rules() -> dict[str, dict[str, Any]]:
    groups = loaded("grafana/provisioning/alerting/rules.yml")["groups"]
    return {rule["title"]: rule for group in groups for rule in group["rules"]}


def dashboard() -> Any:
    return json.loads((GRAFANA / "dashboards" / "cloudburst.json").read_text("utf-8"))


def asked() -> dict[str, list[tuple[str, str]]]:
    """Return every expression with the text that is shown of its labels, by file."""
    targets = [target for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    variables = [(variable["query"], "") for variable in dashboard()["templating"]["list"]]
    return {
        "alerts": [(rule["expr"], rule["annotations"]["summary"]) for rule in alerts().values()],
        "rules": [
            (rule["data"][0]["model"]["expr"], rule["annotations"]["summary"]) for rule in grafana_rules().values()
        ],
        "dashboard": [(target["expr"], target["legendFormat"]) for target in targets] + variables,
    }


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\bcloudburst_\w+", expression))


def labels_in(expression: str, text: str) -> set[str]:
    """Return the labels that an expression selects or groups by, and those that its text shows."""
    selected = [name for inner in re.findall(r"{(.*?)}", expression) for name in re.findall(r"(\w+)\s*[=!]", inner)]
    grouped = ", ".join(re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression))
    listed = re.findall(r"label_values\(\w+, (\w+)\)", expression)
    said = re.findall(r"{{\s*(?:\$labels\.)?(\w+)\s*}}", text)
    return {*selected, *re.findall(r"\w+", grouped), *listed, *said}


def wrong_in(shown: Shown, expression: str, text: str = "") -> list[str]:
    """Return what an expression asks for that is not there."""
    names = names_in(expression)
    known = OF_PROMETHEUS.union(*(shown.get(name, set()) for name in names))
    return sorted(names - set(shown)) + sorted(labels_in(expression, text) - known)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shown]:
    """Return the labels of every number of a house with a live source, a second level of its cache, and a scheduler."""
    monkeypatch.setenv("CLOUDBURST_SOURCE", "open-meteo:")
    monkeypatch.setenv("CLOUDBURST_REGION", REGION)
    with socket.socket() as nobody, serving() as service:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: who calls is refused
        monkeypatch.setenv("CLOUDBURST_CACHE_URL", f"redis://127.0.0.1:{nobody.getsockname()[1]}")
        monkeypatch.setenv("CLOUDBURST_OPEN_METEO_URL", service.url)
        core = open_core()
        core.quality.appraise(REGION)
        drift_runs.keep(core.lifecycle.ledger, DRIFTED, core.clock())  # a month of an archive takes its time
        core.scheduler.every(3600, "refresh", lambda: None)
        core.scheduler._jobs.run_all()  # type: ignore[attr-defined]
        core.scheduler.start()
        core.meters.failed("SourceUnavailable")
        client = TestClient(api)
        client.get("/health")
        families = list(text_string_to_metric_families(client.get("/metrics").text))
        yield {sample.name: set(sample.labels) for family in families for sample in family.samples}


def test_all_that_is_asked_for_is_shown(shown: Shown) -> None:
    wrong = {
        f"{file}: {expression}": missing
        for file, expressions in asked().items()
        for expression, text in expressions
        if (missing := wrong_in(shown, expression, text))
    }
    assert wrong == {}
    assert all(any(names_in(expression) for expression, _ in expressions) for expressions in asked().values())


@pytest.mark.parametrize(
    ("expression", "text", "wrong"),
    [
        ('sum by (level) (cloudburst_places{region="r"})', "{{level}}", []),
        ("cloudburst_palces > 0", "", ["cloudburst_palces"]),
        ('cloudburst_places{regoin="r"}', "", ["regoin"]),
        ("sum by (lvl) (cloudburst_places)", "", ["lvl"]),
        ("up unless on (host) cloudburst_places", "", ["host"]),
        ("cloudburst_places", "{{ $labels.place }}", ["place"]),
        ("label_values(cloudburst_places, country)", "", ["country"]),
    ],
)
def test_a_wrong_name_is_found(expression: str, text: str, wrong: list[str]) -> None:
    assert wrong_in({"cloudburst_places": {"region", "level"}}, expression, text) == wrong


def test_grafana_alerts_as_prometheus_does() -> None:
    theirs = {
        name: (rule["data"][0]["model"]["expr"], rule["for"], rule["labels"], rule["annotations"])
        for name, rule in grafana_rules().items()
    }
    assert theirs == {
        name: (rule["expr"], rule.get("for", "0s"), rule["labels"], rule["annotations"])
        for name, rule in alerts().items()
    }
    uids = [rule["uid"] for rule in grafana_rules().values()]
    assert len(set(uids)) == len(uids)
    assert max(map(len, uids)) <= 40  # Grafana's limit


def test_grafana_finds_what_its_files_name() -> None:
    (source,) = loaded("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    for rule in grafana_rules().values():
        query, condition = rule["data"]
        assert query["datasourceUid"] == source["uid"]
        assert "$" not in query["model"]["expr"]  # Grafana puts its environment there
        assert rule["condition"] == condition["refId"]
        assert condition["model"]["expression"] == query["refId"]
    panels = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
    assert {panel["datasource"]["uid"] for panel in panels} == {source["uid"]}
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])
    (provider,) = loaded("grafana/provisioning/dashboards/cloudburst.yml")["providers"]
    assert provider["options"]["path"] == "$GF_PATHS_PROVISIONING/../dashboards"
    assert list((GRAFANA / "provisioning" / ".." / "dashboards").glob("*.json"))


def test_prometheus_reads_our_rules_and_our_address() -> None:
    config = loaded("prometheus.yml")
    assert [(DEPLOY / name).is_file() for name in config["rule_files"]] == [True]
    (scrape,) = config["scrape_configs"]
    mounted, _, path = scrape["metrics_path"].rpartition("/")
    assert mounted == "/api"
    assert f"/{path}" in api.openapi()["paths"]
