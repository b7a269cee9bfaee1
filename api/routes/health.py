"""GET /health: is everything well, and if not, what."""

from __future__ import annotations

from fastapi import APIRouter

from core import Health, open_core

router = APIRouter(tags=["health"])


@router.get("/health")
def health() -> Health:
    """Return status, version, champion, source, age of data, cache mode and scheduler heartbeat."""
    return open_core().health()
