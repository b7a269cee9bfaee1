"""What stands in deploy/, read once for the tests of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
DOCUMENT = (ROOT / "docs" / "PRODUCTION_DEPLOYMENT.md").read_text("utf-8")
UNITS = sorted([*(DEPLOY / "systemd").glob("*.service"), *(DEPLOY / "systemd").glob("*.timer")])
#: No object of Kubernetes, but the list of them.
LIST = "kustomization.yaml"


def compose() -> dict[str, Any]:
    """Return the stack of one machine."""
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8")))


def objects() -> dict[str, dict[str, Any]]:
    """Return the objects of Kubernetes by kind; there is one of each."""
    made = [
        one
        for path in sorted(KUBERNETES.glob("*.yaml"))
        if path.name != LIST
        for one in yaml.safe_load_all(path.read_text("utf-8"))
    ]
    kinds = {one["kind"]: one for one in made}
    assert len(kinds) == len(made)
    return kinds


def container() -> dict[str, Any]:
    """Return the one container of the deployment."""
    (only,) = objects()["Deployment"]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def variables_of_image() -> dict[str, str]:
    """Return what ENV sets in the image."""
    text = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    pairs = (pair for line in re.findall(r"^ENV (.*)$", text, re.MULTILINE) for pair in line.split())
    return {name: value.strip('"') for name, _, value in (pair.partition("=") for pair in pairs)}


def copied() -> list[str]:
    """Return what of the project is copied into the image."""
    return [source.removeprefix("./") for source in re.findall(r"^COPY (?!--)(\S+) ", DOCKERFILE, re.MULTILINE)]
