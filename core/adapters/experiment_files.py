"""Definitions of experiments in models/experiments, a JSON file each, and exports in models/experiment_results."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from core.adapters.files import locked, write_text
from core.domain.experiment import Experiment
from core.errors import ConfigurationError, ExperimentExists

log = structlog.get_logger()
_DEFINITION = TypeAdapter(Experiment)
#: How long another process that writes a definition is waited for, seconds.
PATIENCE_S = 5.0
HINT = "Check that models/ can be written and its disk is not full."


class JsonExperiments:
    """Port `ExperimentFiles` in two folders."""

    def __init__(self, definitions: Path, results: Path) -> None:
        self._definitions, self._results = definitions, results
        self._read: dict[tuple[str, int], Experiment] = {}  # by name and time of the file: a definition never changes

    def store(self, experiment: Experiment) -> None:
        """Write a definition, whole or not at all; one that is there is never written again."""
        path = self._definitions / f"{experiment.id}.json"
        with locked(self._definitions / ".lock", PATIENCE_S, "experiments"):  # of two of one name one is the first
            if path.exists():
                raise ExperimentExists(
                    f"There is an experiment {experiment.id} already.",
                    hint="A definition never changes: choose a new name.",
                )
            try:
                write_text(path, _DEFINITION.dump_json(experiment, indent=1).decode() + "\n")
            except OSError as error:
                raise ConfigurationError(
                    f"Experiment {experiment.id} cannot be written: {error.strerror}.", hint=HINT
                ) from None

    def experiments(self) -> tuple[Experiment, ...]:
        """Return all definitions, the oldest first; a file that is none is left out, with a line in the log."""
        found = []
        for path in sorted(self._definitions.glob("*.json")):
            try:
                key = path.name, path.stat().st_mtime_ns
                experiment = self._read.get(key) or _DEFINITION.validate_json(path.read_bytes())
            except (OSError, ValidationError) as error:
                log.error("not a definition of an experiment", file=path.name, reason=type(error).__name__)
                continue
            if f"{experiment.id}.json" == path.name:
                self._read[key] = experiment
                found.append(experiment)
        return tuple(sorted(found, key=lambda one: (one.created_at, one.id)))

    def export(self, experiment_id: str, rows: Iterable[Mapping[str, Any]]) -> str:
        """Write results as CSV and return the path; times are ISO 8601 in UTC, what is missing is empty."""
        out = io.StringIO()
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(out, list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow({k: v.isoformat() if isinstance(v, datetime) else v for k, v in row.items()})
        path = self._results / f"{experiment_id}.csv"
        try:
            write_text(path, out.getvalue())
        except OSError as error:
            raise ConfigurationError(
                f"The results of {experiment_id} cannot be written: {error.strerror}.", hint=HINT
            ) from None
        return str(path)
