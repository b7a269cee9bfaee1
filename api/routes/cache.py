"""The cache: how it does, and forgetting it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.admin import REFUSALS, Who
from api.schemas_live import CacheAnswer
from core import open_core

router = APIRouter(prefix="/monitoring/cache", tags=["monitoring"])


@router.get("/stats", response_model=CacheAnswer)
def stats() -> dict[str, Any]:
    """Return how the cache works now, and what it has done since the start."""
    cache = open_core().cache
    return {"mode": cache.mode, "stats": cache.stats()}


@router.post("/clear", response_model=CacheAnswer, responses=REFUSALS)
def clear(who: Who) -> dict[str, Any]:  # noqa: ARG001 - whoever asks must know the token
    """Forget everything that is cached, here and in every other program; it is made anew when it is asked for."""
    core = open_core()
    core.lifecycle.changed()
    return {"mode": core.cache.mode, "stats": core.cache.stats()}
