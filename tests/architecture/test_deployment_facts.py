"""What no schema knows: names of settings, routes, ports and secrets in deploy/ are those of the program."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.app import api
from core import VERSION, ConfigurationError
from core.settings import PREFIX, Settings, load_settings
from tests.architecture.deployed import (
    DEPLOY,
    DOCKERFILE,
    DOCUMENT,
    KUBERNETES,
    LIST,
    ROOT,
    UNITS,
    compose,
    container,
    objects,
    variables_of_image,
)

PORT = 8501
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}
#: Named as what is refused: Kubernetes gives it to the pods beside a service named cloudburst.
REFUSED = "CLOUDBURST_PORT"
TEXTS = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc")
#: A variable of the stack without which nothing starts.
REQUIRED = r"\$\{[A-Z_]+:\?\}"
SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|REDISCLI_AUTH")


def unknown_settings(text: str) -> set[str]:
    return set(re.findall(rf"{PREFIX}[A-Z][A-Z_]*[A-Z]", text)) - KNOWN - {REFUSED}


def routes() -> set[str]:
    return {f"/api{path}" for path in api.openapi()["paths"]}


def asked(text: str) -> set[str]:
    """Return the paths below /api that a text asks for, without those with a part to fill in."""
    return set(re.findall(r"(?<![\w.])/api/[a-z/-]*", text)) | set(re.findall(rf":{PORT}(/api/[a-z/-]*)", text))


def careless(stack: dict[str, Any]) -> Iterator[str]:
    """Yield what a service of the stack may do and need not."""
    for name, service in stack["services"].items():
        user = str(service.get("user", "0"))
        if "build" not in service and user.split(":", maxsplit=1)[0] in {"0", "root"}:
            yield f"{name} is root"
        if not service.get("read_only") or service.get("cap_drop") != ["ALL"] or service.get("privileged"):
            yield f"{name} may write or do more than it needs"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name} may gain rights"
        if not service.get("mem_limit") or not service.get("pids_limit"):
            yield f"{name} has no bound"
        if not re.search(r":[\w.-]*\d[\w.-]*$", service["image"]):
            yield f"{name} has no version"
        if "build" not in service and not service.get("healthcheck"):
            yield f"{name} is not looked at"
        if not all(str(port).startswith("127.0.0.1:") for port in service.get("ports", [])):
            yield f"{name} is open to the network"
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable) and not re.fullmatch(REQUIRED, value):
                yield f"{variable} of {name} stands there or has a default"
            elif re.search(r"://[^/@]*:[^/@]+@", re.sub(REQUIRED, "", str(value))):
                yield f"{variable} of {name} holds a password"


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: str(p.relative_to(DEPLOY)))
def test_every_setting_that_is_named_exists(path: Path) -> None:
    assert unknown_settings(path.read_text("utf-8")) == set()


def test_the_document_names_settings_and_routes_that_exist() -> None:
    assert unknown_settings(DOCUMENT) == set()
    served = {*routes(), "/api/docs"}
    assert {
        path for path in asked(DOCUMENT) if not any(f"{one}/".startswith(f"{path.rstrip('/')}/") for one in served)
    } == set()


def test_the_document_says_of_every_alert_what_to_do() -> None:
    groups = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"]
    named = {
        name
        for row in re.findall(r"^\| (`[A-Z].*?) \|", DOCUMENT, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert {rule["alert"] for group in groups for rule in group["rules"]} <= named


def test_a_setting_and_a_route_that_do_not_exist_are_found() -> None:
    assert unknown_settings("CLOUDBURST_CACHE_URI=x CLOUDBURST_HOME=y") == {"CLOUDBURST_CACHE_URI"}
    assert not asked("curl 127.0.0.1:8501/api/healthz") <= routes()


def test_kubernetes_must_not_tell_pods_of_services(monkeypatch: pytest.MonkeyPatch) -> None:
    assert objects()["Deployment"]["spec"]["template"]["spec"]["enableServiceLinks"] is False
    monkeypatch.setenv(REFUSED, "tcp://10.0.0.1:8501")
    with pytest.raises(ConfigurationError, match=REFUSED):
        load_settings()


def test_probes_health_checks_and_prometheus_ask_what_is_answered() -> None:
    probes = [container()[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")]
    assert probes == ["/api/ready", "/api/ready", "/api/"]
    scraped = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text("utf-8"))["scrape_configs"][0]
    assert {*probes, *asked(DOCKERFILE), scraped["metrics_path"]} <= routes()
    assert asked(DOCKERFILE) == {"/api/health"}


def test_one_port_goes_through_all() -> None:
    assert variables_of_image()["STREAMLIT_SERVER_PORT"] == str(PORT)
    assert re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE) == [str(PORT)]
    assert compose()["services"]["app"]["ports"][0].endswith(f":{PORT}")
    assert container()["ports"] == [{"name": "http", "containerPort": PORT}]
    service, policy = objects()["Service"]["spec"]["ports"], objects()["NetworkPolicy"]["spec"]
    assert service == [{"name": "http", "port": PORT, "targetPort": "http"}]
    assert policy["ingress"][0]["ports"] == [{"protocol": "TCP", "port": PORT}]
    assert {container()[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "readiness", "liveness")} == {"http"}


def test_the_heaps_are_those_of_make_run() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    heaps = dict(pair.split("=") for pair in re.findall(r"^HEAPS = (.*)$", makefile, re.MULTILINE)[0].split())
    assert len(heaps) == 3
    unit = (DEPLOY / "systemd" / "cloudburst.service").read_text("utf-8")
    told = dict(
        pair.split("=", 1) for line in re.findall(r"^Environment=(.*)$", unit, re.MULTILINE) for pair in line.split()
    )
    for variables in (variables_of_image(), told):
        assert {name: variables.get(name) for name in heaps} == heaps
        assert variables["NUMBA_CACHE_DIR"].startswith("/tmp/")  # noqa: S108 - which is private to either


def test_nobody_is_root() -> None:
    users = re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)
    assert len(users) == 1
    uid, gid = map(int, users[0].split(":"))
    assert uid > 0
    rights = objects()["Deployment"]["spec"]["template"]["spec"]["securityContext"]
    assert (rights["runAsNonRoot"], rights["runAsUser"], rights["runAsGroup"]) == (True, uid, gid)
    # A change of all modes would make the keys readable by the group, and such keys are refused.
    assert rights["fsGroupChangePolicy"] == "OnRootMismatch"
    for unit in UNITS:
        text = unit.read_text("utf-8")
        assert unit.suffix == ".timer" or re.search(r"^User=cloudburst$", text, re.MULTILINE)


def test_no_service_may_do_more_than_it_needs() -> None:
    assert list(careless(compose())) == []


@pytest.mark.parametrize(
    ("service", "option", "value"),
    [
        ("redis", "user", "0:0"),
        ("app", "read_only", False),
        ("postgres", "cap_drop", ["NET_RAW"]),
        ("grafana", "security_opt", []),
        ("prometheus", "mem_limit", None),
        ("redis", "image", "redis:latest"),
        ("postgres", "healthcheck", None),
        ("app", "ports", ["8501:8501"]),
        ("grafana", "environment", {"GF_SECURITY_ADMIN_PASSWORD": "admin"}),
        ("grafana", "environment", {"GF_SECURITY_ADMIN_PASSWORD": "${GRAFANA_PASSWORD:-admin}"}),
        ("app", "environment", {"CLOUDBURST_CACHE_URL": "redis://:word@redis:6379/0"}),
    ],
)
def test_each_carelessness_is_found(service: str, option: str, value: object) -> None:
    stack = copy.deepcopy(compose())
    stack["services"][service][option] = value
    assert len(list(careless(stack))) == 1


def test_no_secret_stands_in_the_repository() -> None:
    assert set(objects()["Secret"]["stringData"].values()) == {""}
    example = (DEPLOY / "compose.env.example").read_text("utf-8")
    given = dict(line.split("=", 1) for line in example.splitlines() if re.match(r"[A-Z_]+=", line))
    required = set(re.findall(r"\$\{([A-Z_]+):\?\}", (DEPLOY / "compose.yaml").read_text("utf-8")))
    assert given == dict.fromkeys(required, "")
    paths = ["deploy/.env", "deploy/app.env", "deploy/gauges/stations.csv"]
    ignored = subprocess.run(["git", "check-ignore", *paths], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ignored.returncode == 128 or ignored.stdout.split() == paths


def test_every_variable_of_the_stack_stands_in_its_example() -> None:
    example = (DEPLOY / "compose.env.example").read_text("utf-8")
    named = set(re.findall(r"\$\{([A-Z_]+)[:}]", (DEPLOY / "compose.yaml").read_text("utf-8")))
    assert named == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))


def test_a_training_fits_beside_the_pages() -> None:
    default = float(Settings.model_fields["retrain_memory_gb"].default)
    stack, data = compose()["services"]["app"], objects()["ConfigMap"]["data"]
    unit = (DEPLOY / "systemd" / "cloudburst.service").read_text("utf-8")
    bounds = {
        stack["mem_limit"]: stack["environment"]["CLOUDBURST_RETRAIN_MEMORY_GB"],
        container()["resources"]["limits"]["memory"].lower(): data["CLOUDBURST_RETRAIN_MEMORY_GB"],
        re.findall(r"^MemoryMax=(.*)$", unit, re.MULTILINE)[0].lower(): default,
    }
    assert len(bounds) == 3
    for limit, training in bounds.items():
        assert float(re.sub(r"gi?$", "", limit)) >= float(training) + 1


def test_what_prometheus_and_grafana_are_given_differs_in_names_alone() -> None:
    def loaded(path: str) -> str:
        return str(yaml.safe_load((DEPLOY / path).read_text("utf-8")))

    assert loaded("compose/prometheus.yml") == loaded("prometheus.yml").replace("localhost:8501", "app:8501")
    source = loaded("grafana/provisioning/datasources/prometheus.yml")
    assert loaded("compose/datasource.yml") == source.replace("localhost:9090", "prometheus:9090")
    assert "app" in compose()["services"]["app"]["environment"]["STREAMLIT_SERVER_ALLOWED_HOSTS"].split()


def test_images_carry_the_version_of_the_program() -> None:
    listed = yaml.safe_load((KUBERNETES / LIST).read_text("utf-8"))["images"]
    named = {compose()["services"]["app"]["image"], container()["image"]}
    assert named | {f"{one['name']}:{one['newTag']}" for one in listed} == {f"cloudburst-watch:{VERSION}"}


def test_pods_come_in_threes_and_go_slowly() -> None:
    scaling, deployment = objects()["HorizontalPodAutoscaler"]["spec"], objects()["Deployment"]
    assert scaling["minReplicas"] == 3
    assert "replicas" not in deployment["spec"]  # or every `apply` would undo what the autoscaler did
    assert scaling["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert scaling["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 600
    chosen = deployment["spec"]["selector"]["matchLabels"]
    assert deployment["spec"]["template"]["metadata"]["labels"] == chosen == objects()["Service"]["spec"]["selector"]
    assert objects()["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]


def test_streamlit_takes_names_that_are_separated_by_spaces() -> None:
    command = [sys.executable, "-m", "streamlit", "config", "show"]
    names = "localhost 127.0.0.1 app "
    shown = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": "/", "STREAMLIT_SERVER_ALLOWED_HOSTS": names},
    )
    found = re.search(r"^allowedHosts = \[(.*?)\]", shown.stdout, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert re.findall(r'"(.*?)"', found[1]) == names.split()
