"""The parts of a model as a skops archive, opened with a constant list of types and never unpickled."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

from core.errors import ModelError, ModelUntrusted

#: Types beyond skops' own list that our estimators need. A constant: a model file never says what to trust.
TRUSTED_TYPES = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
#: The forest is bounded below 10 MB, and deflates to a tenth at the most.
INFLATED_LIMIT_BYTES = 400 * 1024 * 1024
#: Characters of foreign names in a refusal.
MOST_TOLD = 200
NEVER = "It was not loaded. Models are written by `python -m core train` only."


def packed(parts: Mapping[str, Any]) -> bytes:
    """Return the archive of the parts of a model."""
    from skops import io

    return bytes(io.dumps(dict(parts), compression=zipfile.ZIP_DEFLATED, compresslevel=9))


@lru_cache(maxsize=2)
def opened(data: bytes, version: str) -> Mapping[str, Any]:
    """Return the parts in a verified archive; opened once in a process, for it takes a second.

    Raises
    ------
    ModelUntrusted
        If it is no skops archive of ours, holds a type that is not on the list, would inflate beyond measure, or was
        made with another scikit-learn.
    """
    from sklearn.exceptions import InconsistentVersionWarning
    from skops import io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > INFLATED_LIMIT_BYTES:
                raise ModelUntrusted(f"Model {version} would inflate beyond any of ours.", hint=NEVER)
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            parts = io.loads(data, trusted=list(TRUSTED_TYPES))
    except InconsistentVersionWarning:
        raise ModelUntrusted(
            f"Model {version} was made with another scikit-learn.",
            hint="Install the pinned one and move the folder back from models/quarantine/, or train again.",
        ) from None
    except UntrustedTypesFoundException as error:  # raised before anything is made of the archive
        foreign = str(error).partition("\n")[0].rpartition(": ")[2][:MOST_TOLD].rstrip(".")
        raise ModelUntrusted(f"Model {version} holds types that are not on the list: {foreign}.", hint=NEVER) from None
    except ModelError:
        raise
    except Exception:  # skops raises whatever its parser meets in a foreign file; the file is refused all the same
        raise ModelUntrusted(f"The file of model {version} is no skops archive.", hint=NEVER) from None
    if not isinstance(parts, dict):
        raise ModelUntrusted(f"Model {version} holds no parts of ours.", hint=NEVER)
    return parts
