"""Errors of the house: broken promises, each with a hint that says what to do.

::

    CloudburstError (.hint, .context)
      ConfigurationError          a setting, a folder or a region that does not exist
      MissingExtraError           an optional library is not installed
      SourceError                 the weather source
        SourceUnavailable         does not answer, or is not there
        SourceRateLimited         says wait (.retry_after_s)
        SourceResponseInvalid     answers nonsense
      DataError                   the data
        SchemaMismatch            a column, unit, encoding or time zone is not what it must be
        InsufficientData          too little to learn from or to score (.have, .need)
        LeakSuspected             scores too good to be true
        UnfitInput                what was handed in cannot be used
      ModelError                  the model
        ModelNotFound             no such version
        ModelCorrupt              a file that is not what its manifest says
        ModelUntrusted            a file that is never loaded, or may not serve these data
        FeatureMismatch           other features than the model was trained on
        DeploymentLost            somebody else deployed in between (.generation)
      TrainingInProgress          somebody else trains (.run_id)
      LeadershipLost              another program does the jobs by now
      ExperimentError             an experiment
        UnknownExperiment         there is none of this name, or it has no such variant
        ExperimentExists          there is one of this name already
        ExperimentClosed          its stage does not allow that
      UnknownPlace                a place outside every region
      TooManyAttempts             wrong tokens, again and again (.retry_after_s)
      DeliveryFailed              a notice did not get through (.final, .retry_after_s)
      WorkersUnavailable          those who share long work: not there, lost, or with another program

Flags, UNKNOWN, NO DATA and verdicts are values, not errors: they are the ordinary news of weather.
"""

from __future__ import annotations

from typing import Any

from core.domain.told import Told, tell


class CloudburstError(Exception):
    """Root of all errors of the house.

    Parameters
    ----------
    message
        What is wrong, for people.
    hint
        What to do about it.
    context
        Facts for a log or an API answer; never raw input.
    """

    def __init__(self, message: str, *, hint: str = "", **context: Any) -> None:
        super().__init__(message)
        self.hint = hint
        self.context = context

    @property
    def message(self) -> str:
        """What is wrong, without the hint; one that is `Told` keeps its key and values."""
        message: str = self.args[0]
        return message

    @property
    def told(self) -> Told:
        """Message and hint as a value of another text."""
        return (
            tell("{message} {hint}", message=tell(self.message), hint=tell(self.hint))
            if self.hint
            else tell(self.message)
        )

    def __str__(self) -> str:
        """Message and hint in one text."""
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a copy in another process is made of; exceptions keep no arguments by keyword."""
        return _copied, (type(self), self.args, dict(self.__dict__))


class ConfigurationError(CloudburstError):
    """A setting, a folder or a region that does not exist or cannot be used."""


class MissingExtraError(CloudburstError):
    """An optional library is not installed."""


class SourceError(CloudburstError):
    """The weather source cannot be used."""


class SourceUnavailable(SourceError):
    """The source does not answer, or is not there."""


class SourceRateLimited(SourceError):
    """The source says wait."""

    def __init__(self, message: str, *, retry_after_s: float, hint: str = "", **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.retry_after_s = retry_after_s


class SourceResponseInvalid(SourceError):
    """The source answers nonsense."""


class DataError(CloudburstError):
    """The data cannot be used."""


class SchemaMismatch(DataError):
    """A column, unit, encoding or time zone is not what it must be."""


class InsufficientData(DataError):
    """Too little to learn from or to score."""

    def __init__(self, message: str, *, have: int, need: int, hint: str = "", **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.have = have
        self.need = need


class LeakSuspected(DataError):
    """Scores too good to be true: the forecast knew what it could not know."""


class UnfitInput(DataError):
    """What was handed in cannot be kept or forecast from; `errors` in the context names fields, never values."""


class ModelError(CloudburstError):
    """A model cannot be used."""


class ModelNotFound(ModelError):
    """No such version."""


class ModelCorrupt(ModelError):
    """A file is not what its manifest says."""


class ModelUntrusted(ModelError):
    """A file that is never loaded, or a model that may not serve these data."""


class FeatureMismatch(ModelError):
    """Other features than the model was trained on."""


class DeploymentLost(ModelError):
    """Somebody else deployed in between: what was decided on no longer serves."""

    def __init__(self, message: str, *, generation: int, hint: str = "", **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.generation = generation


class TrainingInProgress(CloudburstError):
    """Somebody else trains."""

    def __init__(self, message: str, *, run_id: str, hint: str = "", **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.run_id = run_id


class LeadershipLost(CloudburstError):
    """Another program does the jobs of this ledger by now: what a job of ours still wants to write is refused."""


class ExperimentError(CloudburstError):
    """An experiment cannot be used."""


class UnknownExperiment(ExperimentError):
    """There is no experiment of this name, or it has no such variant."""


class ExperimentExists(ExperimentError):
    """There is an experiment of this name already."""


class ExperimentClosed(ExperimentError):
    """The stage of an experiment does not allow that."""


class UnknownPlace(CloudburstError):
    """A place outside every region."""


class TooManyAttempts(CloudburstError):
    """Too many wrong tokens came from one address."""

    def __init__(self, message: str, *, retry_after_s: float, hint: str = "", **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.retry_after_s = retry_after_s


class DeliveryFailed(CloudburstError):
    """A notice did not get through; `final` where no later try can mend that."""

    def __init__(
        self, message: str, *, final: bool = False, retry_after_s: float = 0.0, hint: str = "", **context: Any
    ) -> None:
        super().__init__(message, hint=hint, **context)
        self.final = final
        self.retry_after_s = retry_after_s


class WorkersUnavailable(CloudburstError):
    """Those who share long work are not there, are lost, or run another program."""


def _copied(kind: type[CloudburstError], args: tuple[Any, ...], state: dict[str, Any]) -> CloudburstError:
    """Return an error with everything that one of another process carries."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error
