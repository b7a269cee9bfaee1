"""What scores a case: a classifier, and the normals that tell it what is usual at the place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.weather import Values
from core.learning.calibration import logit
from core.learning.flat_trees import FlatTrees, flat
from core.learning.normals import Normals, seen_names


@dataclass(frozen=True)
class Scorer:
    """A fitted classifier of the registry with the normals it was trained with; None: it sees the features alone."""

    classifier: Any
    normals: Normals | None = None

    def seen(self, rows: Values) -> Values:
        """Return the columns that the classifier sees of rows of features."""
        return rows if self.normals is None else self.normals.seen(rows)

    def seen_names(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the names of those columns, given the names of the features."""
        return tuple(names) if self.normals is None else seen_names(names)

    def score(self, rows: Values) -> NDArray[np.float64]:
        """Return the log-odds of the event for every row of features, shape (rows,)."""
        seen = self.seen(rows)
        if self._trees is None or seen.dtype != np.float32:
            return logit(self.classifier.predict_proba(seen)[:, 1].astype(float))
        return logit(self._trees.probability(seen))

    @cached_property
    def _trees(self) -> FlatTrees | None:
        """The classifier's trees as they are scored fast, made when the first rows are; None where it has none."""
        return flat(self.classifier)

    def to_parts(self) -> dict[str, Any]:
        """Return plain values and scikit-learn objects."""
        return {"classifier": self.classifier, "normals": None if self.normals is None else self.normals.to_parts()}

    @classmethod
    def from_parts(cls, parts: Mapping[str, Any]) -> Scorer:
        """Return the scorer of stored parts."""
        normals = parts["normals"]
        return cls(parts["classifier"], None if normals is None else Normals.from_parts(normals))
