"""What a request asks for."""

from __future__ import annotations

from core import Core, UnknownPlace


def region_of(core: Core, asked: str | None) -> str:
    """Return the region asked for, the default one where none is named.

    Raises
    ------
    UnknownPlace
        If it is not served; the answer is 422.
    """
    served = [r.id for r in core.regions()]
    if asked is not None and asked not in served:
        raise UnknownPlace("This region is not served.", hint=f"Served are: {', '.join(served)}.")
    return asked or core.default_region
