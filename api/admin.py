"""Who may use the admin routes: whoever sends the token, from wherever."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.addresses import address_of
from api.problems import TOO_MANY
from core import open_core

#: A form on a foreign page can send a cookie, but never this header. Nothing is open because it came from loopback:
#: behind a reverse proxy everybody does.
_BEARER = HTTPBearer(auto_error=False, description="The admin token: CLOUDBURST_ADMIN_TOKEN, or data/admin.token.")
_Sent = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
UNAUTHORISED = 401
REFUSALS: dict[int | str, dict[str, str]] = {
    UNAUTHORISED: {"description": "No or a wrong token (problem document)"},
    TOO_MANY: {"description": "Too many wrong tokens from this address; wait Retry-After (problem document)"},
}


def admin(request: Request, sent: _Sent) -> str:
    """Return who asks, in words.

    Raises
    ------
    HTTPException
        401 where the token is missing or wrong.
    TooManyAttempts
        429 where too many wrong ones came from this address.
    """
    if sent is None or not open_core().admin.knows(sent.credentials, address_of(request)):
        raise HTTPException(
            UNAUTHORISED,
            "This needs the header Authorization: Bearer with the admin token.",
            {"WWW-Authenticate": "Bearer"},
        )
    return "admin (API)"


Who = Annotated[str, Depends(admin)]
