"""GET /health: is everything well, and if not, what."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter

from api.schemas import HealthAnswer
from core import open_core

router = APIRouter(tags=["health"])


@router.get("/health", response_model=HealthAnswer)
def health() -> dict[str, object]:
    """Return status, version, champion, source, age of data, cache mode and scheduler heartbeat."""
    return asdict(open_core().health())
