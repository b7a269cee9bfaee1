"""Collecting: the archive of a region as labelled cases, or why they are not worth learning from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.domain.quality import FlaggedWeather
from core.errors import InsufficientData
from core.ports import FieldSource, Progress
from core.workflows.archived import ArchivedRegion
from core.workflows.fitness import EMPTY, Fitness, Needs
from core.workflows.gathering import Gathered, gather
from core.workflows.materialising import Materialising
from core.workflows.observing import Observing
from core.workflows.training import windows_of


@dataclass(frozen=True)
class Collecting:
    """Reads what a region's archive knew at a moment, and labels it with what then fell.

    Parameters
    ----------
    served
        Features as they were served, None where none are kept.
    """

    observing: Observing
    needs: Needs
    served: Materialising | None = None

    def fields(self, source: str) -> FieldSource | None:
        """Return the source of forecast fields where this house has one for these data."""
        return self.observing.fields if self.observing.source.name == source else None

    def cases(
        self, pointer: tuple[str, str], begin: datetime, now: datetime, told: Progress
    ) -> tuple[Gathered | None, Fitness]:
        """Return the labelled cases from `begin` on, as known at `now`, with counts; None where they are not fit.

        Parameters
        ----------
        pointer
            Source and region.

        Raises
        ------
        ConfigurationError, SourceError, DataError
            If the region is not known or its archive cannot be read.
        """
        source, region_id = pointer
        told(0.0, "reading the archive")
        archive = ArchivedRegion(self.observing.archive, source, self.observing.region(region_id), now)
        fit = EMPTY

        def examined(checked: FlaggedWeather) -> None:
            nonlocal fit
            fit = self.needs.of_weather(checked)
            if fit.reasons:
                raise InsufficientData(fit.reasons[0], have=0, need=1, hint="Look at the quality of the data.")

        fields = self.fields(source)
        try:
            cases = gather(
                archive,
                (begin, now),
                windows_of(fields),
                self.observing.check,
                told,
                fields=fields,
                served=self.served,
                examined=examined,
            )
        except InsufficientData as error:
            return None, Fitness(fit.reasons or (f"empty: {error.message}",), fit.counts)
        few = self.needs.of_cases(cases)
        return None if few.reasons else cases, Fitness(few.reasons, {**fit.counts, **few.counts})
