"""Several programs on one ledger: one does the jobs, and what one changes the others forget."""

from __future__ import annotations

import hashlib

from sqlalchemy import make_url

from core.adapters.ledger import SqlLedger
from core.adapters.ledger_generations import Generations
from core.caching.two_level import TwoLevelCache
from core.settings import Settings
from core.workflows.forecasting import Forecasting
from core.workflows.sharing import SHARED, Sharing

#: Settings that programs have in common where they can make the same issue.
COMMON = ("source", "fields", "grid_spacing_deg", "simulator_seed")
#: What changes when another version serves; all other names are those of regions.
MODELS = "models"


def sharing_of(settings: Settings, cache: TwoLevelCache) -> Sharing:
    """Return what shares weather among the programs on one ledger, whoever else uses the same Redis."""
    ledger = make_url(settings.ledger_url).render_as_string(hide_password=True)
    common = [ledger, *(str(getattr(settings, name)) for name in COMMON)]
    return Sharing(cache, hashlib.sha256("\n".join(common).encode()).hexdigest()[:12])


class Memories:
    """What this program keeps in its memory of what others can change.

    Parameters
    ----------
    ledger
        By which all tell one another.
    """

    def __init__(self, ledger: SqlLedger, forecasting: Forecasting, cache: TwoLevelCache) -> None:
        self._forecasting, self._cache = forecasting, cache
        self.generations = Generations(ledger, self._forget)

    def issue_changed(self, region_id: str) -> None:
        """Forget the issue of a region, here and everywhere: other levels are shown from now on."""
        self._forecasting.forget(region_id)
        self.generations.changed(region_id)

    def models_changed(self) -> None:
        """Forget all that was made with the model before, here and everywhere."""
        self._cache.clear()
        self.generations.changed(MODELS)

    def _forget(self, name: str) -> None:
        """Forget what another program has changed."""
        if name == MODELS:
            self._cache.clear_memory()
        else:
            self._forecasting.forget(name)
            self._cache.clear_memory(f"{SHARED}:*:{name}")  # made again from what Redis has now
