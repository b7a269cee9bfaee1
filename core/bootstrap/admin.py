"""Who may change what serves: whoever knows the token."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from pathlib import Path

from core.adapters import keys


@dataclass(frozen=True)
class Admin:
    """The token of admin actions: that of the settings, else one made at the first question, in a file of its own."""

    configured: str = field(repr=False)
    file: Path

    def knows(self, token: str) -> bool:
        """Say whether this is the token, in a time that does not tell how much of it is right.

        Raises
        ------
        ConfigurationError
            If no token is set and none can be made, or its file can be read by others.
        """
        return hmac.compare_digest(token.encode(), self._token().encode())

    def _token(self) -> str:
        return self.configured or keys.secret(self.file).hex()
