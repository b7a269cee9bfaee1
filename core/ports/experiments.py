"""What is kept of experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.domain.experiment import CaseOutcome, Counts, Experiment, ExperimentResult, Matured, Step

#: From matured results to what is to be added to the sums of a variant (str) and a day (int, since 1970).
Fold = Callable[[Sequence[Matured]], Mapping[tuple[str, int], NDArray[np.float64]]]


class ExperimentRecords(Protocol):
    """Steps, results and outcomes of experiments, durable when a call returns, whoever else writes."""

    def record_step(self, step: Step, number: int) -> bool:
        """Keep a step as the one of this number, from 1 on; say whether nobody else has made one in between."""

    def steps(self, experiment_id: str) -> tuple[Step, ...]:
        """Return the steps of an experiment, oldest first."""

    def record_results(self, results: Sequence[ExperimentResult], steps: Mapping[str, int]) -> int:
        """Keep results, the first of a variant and case; return how many are new.

        Parameters
        ----------
        steps
            Number of the step by which the shares of each experiment stand.
        """

    def pending(self, experiment_id: str) -> tuple[tuple[str, datetime], ...]:
        """Return the cases (place, begin of the window) whose outcome is not known yet, oldest first."""

    def mature(self, experiment_id: str, outcomes: Sequence[CaseOutcome], fold: Fold) -> int:
        """Join outcomes and add the results of their cases to the sums, each once; return how many results matured.

        Of several outcomes of a case the first counts.
        """

    def expire(self, experiment_id: str, before: datetime) -> int:
        """Give up waiting for the outcome of results before a moment; return how many."""

    def sums(self, experiment_id: str) -> Mapping[str, Mapping[int, NDArray[np.float64]]]:
        """Return the sums by variant and day (since 1970)."""

    def counts(self, experiment_id: str, step: int) -> Mapping[str, Counts]:
        """Return by variant what became of its results, and the units that were shown it since a step."""

    def results(self, experiment_id: str) -> Iterator[Mapping[str, Any]]:
        """Yield every result with what became of it, in the order of recording, as plain values."""


class ExperimentFiles(Protocol):
    """Definitions of experiments, a file each, and the exports of their results."""

    def store(self, experiment: Experiment) -> None:
        """Write a definition, whole or not at all.

        Raises
        ------
        ExperimentError
            If there is one of this name.
        ConfigurationError
            If it cannot be written.
        """

    def experiments(self) -> tuple[Experiment, ...]:
        """Return all definitions, the oldest first; a file that is none is left out, with a line in the log."""

    def export(self, experiment_id: str, rows: Iterable[Mapping[str, Any]]) -> str:
        """Write results as CSV and return the path.

        Raises
        ------
        ConfigurationError
            If it cannot be written.
        """
