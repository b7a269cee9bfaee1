"""Who served a region since when, and why: the rows of the ledger about deployments."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from core.adapters.ledger_tables import deployments
from core.domain.lifecycle import Deployment, Rule, Verdict

#: The columns that are fields of `Deployment` as they are; the verdict is JSON.
PLAIN = (
    "source",
    "region_id",
    "generation",
    "at",
    "action",
    "who",
    "why",
    "from_version",
    "to_version",
)


def row(made: Deployment) -> dict[str, Any]:
    """Return a deployment as a row."""
    return {**{name: getattr(made, name) for name in PLAIN}, "verdict": _text(made.verdict)}


def newest(connection: sa.Connection, source: str, region_id: str, limit: int) -> tuple[Deployment, ...]:
    """Return the deployments of a region, that of the highest generation first."""
    wanted = (deployments.c.source == source) & (deployments.c.region_id == region_id)
    query = sa.select(deployments).where(wanted).order_by(deployments.c.generation.desc()).limit(limit)
    found = connection.execute(query).mappings()
    return tuple(Deployment(**{name: row[name] for name in PLAIN}, verdict=_verdict(row["verdict"])) for row in found)


def _text(verdict: Verdict | None) -> str | None:
    """Return a verdict as JSON, None where there is none."""
    return None if verdict is None else json.dumps(asdict(verdict), ensure_ascii=False)


def _verdict(text: str | None) -> Verdict | None:
    """Return the verdict of a JSON text."""
    return None if text is None else Verdict(tuple(Rule(**rule) for rule in json.loads(text)["rules"]))
