"""Who may change what serves: whoever knows the token, and does not guess."""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass, field
from pathlib import Path

from core.adapters import keys, log_secrets
from core.bootstrap.allowance import Allowance
from core.errors import TooManyAttempts


@dataclass(frozen=True)
class Admin:
    """The token of admin actions: that of the settings, else one made at the first question, in a file of its own."""

    configured: str = field(repr=False)
    file: Path
    #: Wrong tokens that an address may send, over HTTP and on a page together.
    wrong: Allowance = field(repr=False)
    _one_by_one: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def knows(self, token: str, address: str) -> bool:
        """Say whether this is the token, in a time that does not tell how much of it is right.

        Parameters
        ----------
        address
            From where it was sent; only wrong tokens count against it.

        Raises
        ------
        TooManyAttempts
            If too many wrong ones came from this address. A right one is then refused too: an answer would tell.
        ConfigurationError
            If no token is set and none can be made, or its file can be read by others.
        """
        with self._one_by_one:  # guesses sent at the same moment must not all be looked at before one is counted
            seen = self.wrong.look(address)
            if not seen.granted:
                raise TooManyAttempts(
                    "Too many wrong tokens came from this address.",
                    hint=f"Wait {seen.retry_after_s:.0f} s.",
                    retry_after_s=seen.retry_after_s,
                )
            right = hmac.compare_digest(token.encode(), self._token().encode())
            if not right:
                self.wrong.draw(address)
            return right

    def _token(self) -> str:
        if self.configured:
            return self.configured
        token = keys.secret(self.file).hex()
        log_secrets.hide(token)
        return token
