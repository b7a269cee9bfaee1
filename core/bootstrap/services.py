"""Services chosen by setting: where weather comes from, which regions are served, what caches."""

from __future__ import annotations

from pathlib import Path

from core.adapters.archived_forecasts import ArchivedForecasts
from core.adapters.gauges.folder import GaugeFolder
from core.adapters.maps import load_region
from core.adapters.open_meteo.budget import Budget
from core.adapters.open_meteo.ensembles import DEFAULT_ENSEMBLE, ENSEMBLES, EnsembleForecasts
from core.adapters.open_meteo.products import PRODUCTS
from core.adapters.open_meteo.source import OpenMeteo
from core.adapters.simulator.forecasts import SimulatedEnsemble, SimulatedForecasts
from core.adapters.simulator.source import Simulator
from core.caching.cluster import second_level
from core.caching.memory import MemoryLevel
from core.caching.two_level import Policy, TwoLevelCache
from core.domain.weather import Region
from core.errors import ConfigurationError
from core.ports import Archive, Clock, FieldSource, WeatherSource
from core.settings import PROJECT_ROOT, Settings, listed

#: What `ingest open-meteo` can ask for, the default first.
PAST_PRODUCTS = tuple(PRODUCTS)
#: How many members a simulated ensemble may have.
MEMBERS = [str(number) for number in range(2, 51)]
BUDGET_FILE = "open_meteo_budget.json"


def weather_source(settings: Settings, clock: Clock) -> WeatherSource:
    """Return the source that the settings name.

    Raises
    ------
    ConfigurationError
        If the setting is not understood.
    """
    kind, _, rest = settings.source.partition(":")
    if kind == "simulator" and not rest:
        return simulator(settings, clock)
    if kind == "gauges" and rest:
        return GaugeFolder(Path(rest).expanduser())
    if kind == "open-meteo" and not rest:
        return open_meteo(settings, regions_named(settings.region, settings.grid_spacing_deg), clock)
    raise ConfigurationError(
        f"CLOUDBURST_SOURCE={settings.source!r} is not understood.",
        hint="Use simulator:, gauges:FOLDER or open-meteo:.",
    )


def field_source(settings: Settings, source: WeatherSource, archive: Archive, clock: Clock) -> FieldSource | None:
    """Return where the settings take forecast fields from, None where from nowhere.

    Raises
    ------
    ConfigurationError
        If the setting is not understood, or simulated fields would be put beside real weather or the reverse.
    """
    wrong = "is not understood."
    if not settings.fields:
        return None
    kind, colon, rest = settings.fields.partition(":")
    fit = {"simulator": not rest or rest in MEMBERS, "archive": bool(colon), "ensemble": rest in ("", *ENSEMBLES)}
    if fit.get(kind, False):
        if isinstance(source, Simulator) and kind == "simulator":
            control = SimulatedForecasts(source, clock, calendar=False)
            return SimulatedEnsemble(control, int(rest)) if rest else control
        if not isinstance(source, Simulator) and kind == "archive":
            return ArchivedForecasts(archive, regions_named(rest, settings.grid_spacing_deg)[0] if rest else None)
        if not isinstance(source, Simulator) and kind == "ensemble":
            client = source if isinstance(source, OpenMeteo) else open_meteo(settings, (), clock)
            return EnsembleForecasts(client.client, clock, rest or DEFAULT_ENSEMBLE)
        wrong = f"does not go with CLOUDBURST_SOURCE={settings.source!r}."
    raise ConfigurationError(
        f"CLOUDBURST_FIELDS={settings.fields!r} {wrong}",
        hint="Use simulator: or simulator:MEMBERS (2 to 50) with the simulator; archive:, archive:REGION, ensemble: or "
        "ensemble:MODEL with real weather; or nothing.",
    )


def open_meteo(settings: Settings, regions: tuple[Region, ...], clock: Clock) -> OpenMeteo:
    """Return the live source; all processes of one home share its budget of calls."""
    budget = Budget(clock, path=settings.home / "data" / BUDGET_FILE)
    return OpenMeteo(regions, clock, base_url=settings.open_meteo_url, budget=budget)


def regions_named(names: str, spacing_deg: float) -> tuple[Region, ...]:
    """Return the regions of a setting (ids separated by commas), in its order."""
    packs, maps = PROJECT_ROOT / "data" / "regions", PROJECT_ROOT / "data" / "maps"
    known = sorted(path.stem for path in packs.glob("*.toml"))
    wanted = listed(names)
    strange = [name for name in wanted if name not in known]
    if strange or not wanted or len(set(wanted)) < len(wanted):
        what = f"names {strange[0]!r}" if strange else "names no region, or one twice"
        raise ConfigurationError(f"CLOUDBURST_REGION {what}.", hint=f"Known are {', '.join(known)}.")
    return tuple(load_region(packs / f"{name}.toml", maps, spacing_deg) for name in wanted)


def simulator(settings: Settings, clock: Clock) -> Simulator:
    """Return the simulator of the settings' regions."""
    return Simulator(regions_named(settings.region, settings.grid_spacing_deg), settings.simulator_seed, clock)


def cache_of(settings: Settings) -> TwoLevelCache:
    """Return the cache of the settings: memory, and behind it the service that the URL names.

    Raises
    ------
    ConfigurationError
        If the URL is not understood. A service that does not answer is none: it may come.
    """
    ttl_s = {
        "weather_data": settings.cache_weather_s,
        "predictions": settings.cache_predictions_s,
        "satellite_images": settings.cache_images_s,
        "historical": settings.cache_historical_s,
        "api": settings.cache_api_s,
    }
    remote = None if settings.cache_url == "memory:" else second_level(settings.cache_url)
    memory = MemoryLevel(settings.cache_entries, int(settings.cache_megabytes * 2**20))
    return TwoLevelCache(memory, remote, Policy(ttl_s, settings.cache_stale_factor))
