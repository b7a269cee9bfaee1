"""Numbers of every version as models/metrics/<version>.json, for people and scripts; the ledger has them too."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.adapters.files import write_text
from core.errors import ConfigurationError


class JsonMetrics:
    """Port `MetricFiles` in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, version: str, numbers: Mapping[str, Any]) -> None:
        """Write the numbers of one version; what is not finite becomes null."""
        try:
            write_text(self._folder / f"{version}.json", json.dumps(_plain(numbers), indent=1, allow_nan=False) + "\n")
        except OSError as error:
            hint = "Check that models/ can be written and its disk is not full."
            raise ConfigurationError(
                f"The metrics of {version} cannot be written: {error.strerror}.", hint=hint
            ) from None


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
