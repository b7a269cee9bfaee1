"""What is deployed keeps to its schemas and linters; each of these finds what is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.architecture.deployed import DEPLOY, DOCKERFILE, KUBERNETES, LIST, UNITS

#: The newest whose schemas are at hand, and the oldest whose pods can sleep before they end.
RELEASES = ("1.37", "1.30")
MANIFESTS = sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != LIST)
YAMLS = sorted([*DEPLOY.rglob("*.yaml"), *DEPLOY.rglob("*.yml")])


def ran(*words: str | Path) -> str:
    """Return what a tool complains of, nothing where it does not."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    said = f"{done.stdout}{done.stderr}".strip()
    return said if done.returncode else ""


def compose_schema(path: Path) -> str:
    """The schema of the Compose specification, as check-jsonschema brings it."""
    return ran(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path)


def yamllint(path: Path) -> str:
    return ran(sys.executable, "-m", "yamllint", "--strict", "-c", DEPLOY / "yamllint.yaml", path)


def hadolint(path: Path) -> str:
    return ran(Path(sys.executable).with_name("hadolint"), "--failure-threshold", "style", path)


def kubernetes(path: Path) -> str:
    """The schemas of Kubernetes, of which no field may be unknown."""
    try:
        for one in yaml.safe_load_all(path.read_text("utf-8")):
            for release in RELEASES:
                kubernetes_validate.validate(one, release, strict=True)
    except kubernetes_validate.ValidationError as error:
        return str(error.message)
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error.message)
    return ""


def systemd(path: Path) -> str:
    """What systemd says of a unit whose program is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine (apt-get install systemd)")
    text = path.read_text("utf-8").replace("/opt/cloudburst/.venv/bin/python", sys.executable)
    path = path.parent / "verified" / path.name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    return "\n".join(line for line in done.stderr.splitlines() if "cloudburst" in line)


Look = Callable[[Path], str]


@pytest.mark.parametrize("path", YAMLS, ids=lambda p: str(p.relative_to(DEPLOY)))
def test_every_yaml_is_tidy(path: Path) -> None:
    assert yamllint(path) == ""


def test_the_stack_keeps_to_the_compose_specification() -> None:
    assert compose_schema(DEPLOY / "compose.yaml") == ""


def test_the_image_has_nothing_that_hadolint_finds() -> None:
    assert hadolint(DEPLOY / "Dockerfile") == ""


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda p: p.name)
def test_every_manifest_keeps_to_the_schemas_of_kubernetes(path: Path) -> None:
    assert kubernetes(path) == ""


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_systemd_understands_every_unit(path: Path, tmp_path: Path) -> None:
    for unit in UNITS:
        shutil.copy(unit, tmp_path)
    assert systemd(tmp_path / path.name) == ""


def test_the_kustomization_lists_every_manifest_but_the_form_of_the_secret() -> None:
    listed = yaml.safe_load((KUBERNETES / LIST).read_text("utf-8"))["resources"]
    assert {*listed, "secret.template.yaml"} == {path.name for path in MANIFESTS}


def test_kubectl_puts_the_manifests_together() -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this machine")
    done = subprocess.run(["kubectl", "kustomize", KUBERNETES], capture_output=True, text=True, check=True)
    made = [one for one in yaml.safe_load_all(done.stdout) if one["kind"] != "Namespace"]
    assert len(made) == 8
    assert {one["metadata"]["namespace"] for one in made} == {"cloudburst"}


BROKEN: list[tuple[Look, str, str, str]] = [
    (yamllint, "compose.yaml", "    mem_limit: 384m", "    mem_limit: 384m\n    mem_limit: 1g"),
    (yamllint, "kubernetes/service.yaml", "spec:", "spec: "),
    (compose_schema, "compose.yaml", "    healthcheck:", "    healthchek:"),
    (compose_schema, "compose.yaml", "condition: service_healthy", "condition: healthy"),
    (compose_schema, "compose.yaml", "pids_limit: 512", "pids_limit: [512]"),
    (hadolint, "Dockerfile", "FROM python:3.11-slim-bookworm\n", "FROM python:latest\n"),
    (hadolint, "Dockerfile", "WORKDIR /opt/cloudburst\nUSER", "WORKDIR opt\nUSER"),
    (hadolint, "Dockerfile", "COPY app.py ./", "ADD app.py ./"),
    (kubernetes, "kubernetes/deployment.yaml", "readinessProbe:", "readynessProbe:"),
    (kubernetes, "kubernetes/deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: indeed"),
    (kubernetes, "kubernetes/scaling.yaml", "kind: HorizontalPodAutoscaler", "kind: HorizontalAutoscaler"),
    (kubernetes, "kubernetes/network.yaml", "protocol: UDP, port: 53", "protocol: UDP, ports: 53"),
    (systemd, "systemd/cloudburst.service", "Restart=always", "Restart=alwys"),
    (systemd, "systemd/cloudburst.service", "ProtectSystem=", "ProtectSytem="),
    (systemd, "systemd/cloudburst-backup.timer", "01:20:00", "25:20:00"),
]


@pytest.mark.parametrize(
    ("look", "name", "right", "wrong"), BROKEN, ids=lambda value: getattr(value, "__name__", value)
)
def test_what_is_broken_is_found(look: Look, name: str, right: str, wrong: str, tmp_path: Path) -> None:
    text = (DEPLOY / name).read_text("utf-8")
    assert right in text
    for unit in UNITS:
        shutil.copy(unit, tmp_path)
    broken = tmp_path / Path(name).name
    broken.write_text(text.replace(right, wrong, 1), "utf-8")
    assert look(broken) != ""


def test_each_stage_of_the_image_begins_with_the_same_base() -> None:
    bases = {line.split()[1] for line in DOCKERFILE.splitlines() if line.startswith("FROM ")}
    assert len(bases) == 1
