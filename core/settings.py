"""All settings of the house: environment variables CLOUDBURST_* and `.env`; every default works without a network."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.domain.report import REPORT_FORMATS
from core.errors import ConfigurationError
from core.words import LANGUAGES

PREFIX = "CLOUDBURST_"
PROJECT_ROOT = Path(__file__).resolve().parent.parent

#: Fewer days of history hold too few events for its first version.
LEAST_HISTORY_DAYS = 14
#: Characters from which the path of a webhook is a secret: shorter ones are words that stand elsewhere too.
SECRET_PATH = 12


class Settings(BaseSettings):
    """Settings of one running house."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=PROJECT_ROOT / ".env", env_file_encoding="utf-8-sig", extra="ignore", frozen=True
    )

    home: Path = Field(
        PROJECT_ROOT, description="State root: `models/` and `data/` live below it; relative to the project."
    )
    source: str = Field(
        "simulator:", description="Where weather comes from: `simulator:`, `gauges:FOLDER` or `open-meteo:`."
    )
    fields: str = Field(
        "",
        description="Forecast fields for models of the set `observed+model`: none, `simulator:` with or without a"
        " number of members, `archive:` with or without the id of the region whose stored forecasts are taken, or"
        " `ensemble:` with or without the name of an ensemble of Open-Meteo.",
    )
    region: str = Field(
        "uttarakhand-himachal", description="Regions served, separated by commas; the first is shown first."
    )
    language: Literal["en", "hi"] = Field(
        "en", description="Language of the pages until a reader chooses another one: `en` or `hi`."
    )
    open_meteo_url: str = Field("", description="A self-hosted Open-Meteo; empty means the public service.")
    cache_url: str = Field(
        "memory:",
        description="Cache service: `memory:`, or behind memory `redis://`, `rediss://`, `unix://`,"
        " `redis+cluster://HOST:PORT,HOST:PORT` or `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE`.",
    )
    cache_entries: int = Field(512, ge=1, description="Most values in the memory of the process.")
    cache_megabytes: float = Field(256, gt=0, description="Most megabytes of values in the memory of the process.")
    cache_stale_factor: float = Field(
        6.0, ge=1, le=1000, description="A value is of use in need for so many times as long as it is fresh."
    )
    cache_weather_s: float = Field(300, gt=0, description="Cached weather is fresh for so long, seconds.")
    cache_predictions_s: float = Field(600, gt=0, description="Cached predictions are fresh for so long, seconds.")
    cache_images_s: float = Field(1800, gt=0, description="Cached satellite images are fresh for so long, seconds.")
    cache_historical_s: float = Field(3600, gt=0, description="Cached history is fresh for so long, seconds.")
    cache_api_s: float = Field(60, gt=0, description="Cached answers of the API are fresh for so long, seconds.")
    database_url: str = Field("", description="Ledger; empty means SQLite in `data/ledger.sqlite` below the home.")
    dask: str = Field(
        "local:",
        description="Who shares the long work of the command line: `local:` (processes of this machine; `local:N`: so"
        " many), `tcp://HOST:PORT` or `tls://HOST:PORT` (a Dask cluster, for retraining too), or `none:`.",
    )
    grid_spacing_deg: float = Field(0.25, ge=0.05, le=1.0, description="Spacing of the simulator's grid, degrees.")
    simulator_seed: int = Field(7, ge=0, description="Seed of the simulated weather.")
    refresh_minutes: float = Field(5.0, gt=0, le=180, description="How often the scheduler looks for new data.")
    observation_amber_minutes: float = Field(
        90, gt=0, le=10_000, description="Age from which observations are STALE, minutes."
    )
    observation_no_data_hours: float = Field(6, gt=0, le=240, description="Age from which there is NO DATA, hours.")
    forecast_amber_hours: float = Field(
        9, gt=0, le=240, description="Age from which a weather model's run is STALE, hours since it came out."
    )
    forecast_no_data_hours: float = Field(
        24, gt=0, le=240, description="Age from which a weather model's run is NO DATA, hours since it came out."
    )
    level_rule: Literal["lift", "probability", "cost-loss"] = Field(
        "lift",
        description="Rule of the levels: `lift` over climatology, `probability` as it stands, or ratio of `cost-loss`.",
    )
    level_yellow: float = Field(
        0.05, gt=0, lt=1, description="Probability of ≥ 15 mm/h that makes it yellow (`lift`: at a base rate of 1 %)."
    )
    level_orange: float = Field(
        0.15, gt=0, lt=1, description="Probability of ≥ 15 mm/h that makes it orange (`lift`: at a base rate of 1 %)."
    )
    level_red: float = Field(
        0.40, gt=0, lt=1, description="Probability of ≥ 15 mm/h that makes it red (`lift`: at a base rate of 1 %)."
    )
    cost_loss_yellow: float = Field(
        0.05, gt=0, lt=1, description="Cost of yellow's measures as a share of the loss they avoid (rule `cost-loss`)."
    )
    cost_loss_orange: float = Field(
        0.15, gt=0, lt=1, description="Cost of orange's measures as a share of the loss they avoid (rule `cost-loss`)."
    )
    cost_loss_red: float = Field(
        0.40, gt=0, lt=1, description="Cost of red's measures as a share of the loss they avoid (rule `cost-loss`)."
    )
    level_margin: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="A level ends only when the probability is below its threshold by this share of it; 0: at once.",
    )
    replay_folder: Path = Field(
        Path("data/replay"),
        description="Folder of stored weather that the dashboard offers for replay; relative to the home.",
    )
    quality_z: Literal["robust", "plain"] = Field(
        "robust", description="z-score of the quality checks: `robust`, or `plain` (mean and deviation) to compare."
    )
    admin_token: str = Field(
        "",
        description="What admin actions ask for; empty: one made at the first start, in `data/admin.token`.",
    )
    admin_failures_per_minute: int = Field(
        5, ge=1, description="Wrong admin tokens that one address may send in a minute."
    )
    predict_per_minute: int = Field(
        600, ge=0, description="Requests below `/api/predict` that one address may send in a minute; 0: no limit."
    )
    cors_origins: str = Field(
        "", description="Origins whose pages may use the API from a browser, separated by commas; empty: none."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of reverse proxies, separated by commas, whose `X-Forwarded-For` is"
        " believed.",
    )
    webhook_urls: str = Field(
        "", description="Addresses, separated by commas, that notices of alerts are posted to; empty: none."
    )
    webhook_secret: str = Field(
        "", description="Shared with the receivers of webhooks: notices are signed with it; empty: they are not."
    )
    smtp_url: str = Field(
        "", description="Mail service: `smtp://USER:PASSWORD@HOST:587` (STARTTLS) or `smtps://`; empty: no e-mail."
    )
    email_from: str = Field("", description="Address that notices of alerts are mailed from.")
    email_to: str = Field(
        "", description="Addresses, separated by commas, that notices of alerts are mailed to; empty: none."
    )
    retrain_every_days: float = Field(
        7, ge=0, le=3650, description="How often the scheduler challenges every champion, days; 0: never."
    )
    retrain_days_back: int = Field(365, ge=7, le=36500, description="Days that a scheduled retraining looks back.")
    retrain_algorithm: str = Field("random_forest", description="Algorithm of scheduled retraining.")
    retrain_holdout: float = Field(
        0.25, gt=0, lt=0.9, description="Share of the period, its newest part, that judges and is not learned from."
    )
    retrain_min_events: int = Field(50, ge=20, description="Fewer events are not learned from.")
    retrain_min_quality: float = Field(
        0.5, ge=0, le=1, description="Share of good values that an archive needs to be learned from."
    )
    retrain_optional: str = Field(
        "", description="Variables, separated by commas, that an archive may lack or that may be constant in it."
    )
    retrain_memory_gb: float = Field(6, ge=1, description="Memory of the training process; more ends it.")
    retrain_minutes: float = Field(60, gt=0, description="Time of the training process; longer ends it.")
    gate_accuracy: float = Field(0.75, ge=0, le=1, description="Gate: least accuracy at a probability of 50 %.")
    gate_measure: Literal["brier", "auc", "average_precision", "best_csi"] = Field(
        "brier", description="Gate: the measure that must improve."
    )
    gate_gain_percent: float = Field(1, ge=0, description="Gate: more than this relative improvement, percent.")
    gate_confidence: float = Field(
        90, ge=50, lt=100, description="Gate: the interval whose lower bound must lie above 0, percent."
    )
    gate_pod_points: float = Field(2, ge=0, le=100, description="Gate: the POD may fall by so many points at the most.")
    gate_slope_low: float = Field(0.8, gt=0, le=1, description="Gate: least calibration slope.")
    gate_slope_high: float = Field(1.2, ge=1, description="Gate: largest calibration slope.")
    gate_min_events: int = Field(20, ge=1, description="Gate: fewer events among the judged cases promote nobody.")
    challengers: int = Field(2, ge=0, le=10, description="How many versions forecast beside the champion, unseen.")
    drift_every_hours: float = Field(24, gt=0, description="How often drift is looked for, hours.")
    drift_retrains: bool = Field(True, description="Whether drift challenges the champion at once.")
    simulated_history_days: int = Field(
        90, ge=0, le=366, description="Days of simulated history that a first start makes; 0: none. 14 at the least."
    )
    report_every_hours: float = Field(
        0,
        ge=0,
        le=720,
        description="How often reports of every region are written to `data/reports/`, hours; 0: never.",
    )
    report_formats: str = Field(
        "pdf,xlsx", description="Formats of these reports, separated by commas: pdf, xlsx, cap, geojson, csv."
    )
    report_language: str = Field("en", description="Language of these reports: `en` or `hi`.")
    report_keep_days: float = Field(30, gt=0, description="Days after which these reports are removed.")
    tiles: str = Field(
        "",
        description="Base map below the risk map: template of the addresses of its raster tiles with `{z}`, `{x}` and"
        " `{y}`; empty: none, and no page asks another host.",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_folder: str = Field(
        "logs", description="Folder of the server's log, relative to the home; empty: on standard error alone."
    )
    log_megabytes: float = Field(10, gt=0, description="Size from which a new log file is begun, megabytes.")
    log_files: int = Field(5, ge=0, le=1000, description="How many older log files are kept.")

    @field_validator("home", mode="before")
    @classmethod
    def _absolute_home(cls, value: object) -> Path:
        path = Path(str(value)).expanduser() if str(value).strip() else PROJECT_ROOT
        return path if path.is_absolute() else PROJECT_ROOT / path

    @field_validator("replay_folder", mode="before")
    @classmethod
    def _own_replay_folder(cls, value: object) -> Path:
        return Path(str(value)).expanduser() if str(value).strip() else Path("data/replay")

    @field_validator("report_formats")
    @classmethod
    def _known_formats(cls, value: str) -> str:
        strange = sorted(set(listed(value)) - set(REPORT_FORMATS))
        if strange or not listed(value):
            raise ValueError(f"must be some of {', '.join(REPORT_FORMATS)}")
        return value

    @field_validator("report_language")
    @classmethod
    def _known_language(cls, value: str) -> str:
        if value not in LANGUAGES:
            raise ValueError(f"must be one of {', '.join(LANGUAGES)}")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_log_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("cors_origins")
    @classmethod
    def _whole_origins(cls, value: str) -> str:
        for origin in listed(value):
            if not re.fullmatch(r"https?://[a-z0-9.\[\]:-]+", origin):
                raise ValueError("every origin must look like https://met.example, in lower case, without a path")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _real_networks(cls, value: str) -> str:
        for network in listed(value):
            ipaddress.ip_network(network)  # its ValueError says what is wrong
        return value

    @model_validator(mode="after")
    def _tiers_rise(self) -> Settings:
        if not self.level_yellow < self.level_orange < self.level_red:
            raise ValueError("level_yellow < level_orange < level_red must hold")
        if not self.cost_loss_yellow < self.cost_loss_orange < self.cost_loss_red:
            raise ValueError("cost_loss_yellow < cost_loss_orange < cost_loss_red must hold")
        if 0 < self.simulated_history_days < LEAST_HISTORY_DAYS:
            raise ValueError(f"simulated_history_days must be 0, or {LEAST_HISTORY_DAYS} at the least")
        if self.observation_amber_minutes >= self.observation_no_data_hours * 60:
            raise ValueError("observation_amber_minutes must be shorter than observation_no_data_hours")
        if self.forecast_amber_hours >= self.forecast_no_data_hours:
            raise ValueError("forecast_amber_hours must be shorter than forecast_no_data_hours")
        return self

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins whose pages may use the API from a browser."""
        return listed(self.cors_origins)

    @property
    def proxies(self) -> tuple[str, ...]:
        """Reverse proxies that are believed when they say for whom they ask."""
        return listed(self.trusted_proxies)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no line of the log may hold: tokens, passwords of services, and webhooks, which are secrets whole."""
        webhooks = listed(self.webhook_urls)
        urls = (self.cache_url, self.database_url, self.open_meteo_url, self.smtp_url, *webhooks)
        accounts = (url.partition("://")[2].rpartition("@")[0] for url in urls)
        options = parse_qsl(self.cache_url.partition("?")[2])
        passwords = [account.partition(":")[2] for account in accounts]
        passwords += [form for name, one in options if name == "sentinel_password" for form in (one, quote(one))]
        paths = [path for url in webhooks if len(path := url.partition("://")[2].partition("/")[2]) >= SECRET_PATH]
        unquoted = map(unquote, passwords)
        return self.admin_token, self.webhook_secret, *passwords, *unquoted, *webhooks, *paths

    @property
    def retraining_folder(self) -> Path:
        """Where the state of trainings lies."""
        return self.home / "data" / "retraining"

    @property
    def ledger_url(self) -> str:
        """URL of the ledger's database."""
        return self.database_url or f"sqlite:///{self.home / 'data' / 'ledger.sqlite'}"


def listed(text: str) -> tuple[str, ...]:
    """Return the parts of a setting that lists them with commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def load_settings() -> Settings:
    """Read the settings from the environment and `.env`.

    Raises
    ------
    ConfigurationError
        If a CLOUDBURST_* name is unknown or a value does not fit; the hint names the nearest known name.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name in _given_names():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]}?" if near else "The settings table in README.md lists all names."
            raise ConfigurationError(f"Unknown setting {name}.", hint=hint, setting=name)
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper() if first["loc"] else "The settings"
        raise ConfigurationError(f"{name}: {first['msg']}.", hint="See the settings table in README.md.") from None


def _given_names() -> list[str]:
    """Names of all CLOUDBURST_* settings given in the environment or in `.env`, upper case."""
    names = [name.upper() for name in os.environ]
    env_file = PROJECT_ROOT / ".env"
    if env_file.is_file():
        try:
            text = env_file.read_text("utf-8-sig")
        except (UnicodeDecodeError, OSError):
            raise ConfigurationError("The file .env cannot be read.", hint="Save it as UTF-8 text.") from None
        lines = (line.strip().removeprefix("export ") for line in text.splitlines())
        names += [line.split("=", 1)[0].strip().upper() for line in lines if line and not line.startswith("#")]
    return sorted({name for name in names if name.startswith(PREFIX)})
