"""Ask a running instance to do a little of everything, over HTTP alone, and print a line for each.

    python -m deploy.smoke --url http://127.0.0.1:8501

Called by `make smoke`. The admin token is that of the settings, or the one in `data/admin.token` of the home. Nothing
stays changed: the cache is cleared, a training of one day is cancelled once it has been seen at work, and a draft of an
experiment is stopped. Exits with 1 where something fails, with 2 where nobody can be asked.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from core import CloudburstError
from core.settings import Settings, load_settings

#: What the shell sees where there was nobody to ask.
UNASKED = 2
#: Seconds that one answer may take: the first forecast after a start is made while it is asked for.
PATIENCE_S = 120.0
#: Seconds until a training that was begun must be seen at work or have ended, and how often it is looked at.
TRAINING_S, LOOK_S = 120.0, 0.5
RECORD = {
    "temperature_c": 24.0,
    "dew_point_c": 20.3,
    "relative_humidity_pct": 80.0,
    "surface_pressure_hpa": 946.0,
    "wind_speed_ms": 3.0,
    "wind_direction_deg": 200.0,
    "cloud_cover_pct": 90.0,
    "precipitation_mm": 2.0,
    "latitude": 30.3,
    "longitude": 78.0,
    "elevation_m": 560.0,
}
WHY = "smoke test"


class Failed(Exception):
    """Something answers, but not as it should."""


class Instance:
    """A running instance, asked over HTTP.

    Parameters
    ----------
    client
        Asks below the address of the instance.
    token
        Returns the admin token, or nothing where it is not known here.
    """

    def __init__(self, client: httpx.Client, token: Callable[[], str]) -> None:
        self.client, self._token = client, token

    def get(self, path: str, **asked: Any) -> Any:
        """Return what is answered to a GET below /api."""
        return _body(self.client.get(f"/api{path}", **asked))

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        """Return what is answered to a POST below /api."""
        return _body(self.client.post(f"/api{path}", json=body), status)

    def admin(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Return what an admin route answers."""
        answer = self.asked(method, path, body)
        return _body(answer, status)

    def asked(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Return the whole answer of an admin route."""
        token = self._token()
        if not token:
            raise Failed("the admin token is not known here: set CLOUDBURST_ADMIN_TOKEN, or CLOUDBURST_HOME")
        headers = {"Authorization": f"Bearer {token}"}
        return self.client.request(method, f"/api{path}", json=body, headers=headers)


def health(instance: Instance) -> str:
    """Ask whether it is well, and can answer."""
    said = instance.get("/health")
    if not instance.get("/ready")["ready"]:
        raise Failed("it is not ready")
    problems = f"; {len(said['problems'])} problems" if said["problems"] else ""
    return f"{said['status']}, version {said['version']}, {said['champion']} serves{problems}"


def freshness(instance: Instance) -> str:
    """Ask how old the data are."""
    said = instance.get("/freshness")
    age = "no data" if said["data_age_s"] is None else f"data of {said['data_age_s'] / 60:.0f} min ago"
    return f"{said['region']} is {said['freshness']}, {age}"


def forecast(instance: Instance) -> str:
    """Ask for a point."""
    longitude, latitude = _corner(_map(instance)["features"][0])
    said = instance.post("/predict/live", {"latitude": latitude, "longitude": longitude})
    if said["risk_level"] != "unknown" and not 0 <= said["probability"] <= 1:
        raise Failed(f"a probability of {said['probability']}")
    return f"{said['location_id']} is {said['risk_level']}, {said['source']}"


def region_map(instance: Instance) -> str:
    """Ask for every place of the region shown first."""
    said = _map(instance)
    levels = {place["properties"]["level"] for place in said["features"]}
    return f"{len(said['features'])} places of {said['region']}: {', '.join(sorted(levels))}"


def quality(instance: Instance) -> str:
    """Post a good record, a bad one and one that is none, and read the report."""
    path = "/monitoring/data-quality/check"
    good, bad = instance.post(path, RECORD), instance.post(path, RECORD | {"precipitation_mm": -1})
    if not good["passed"] or bad["passed"]:
        raise Failed(f"a good record passes: {good['passed']}, rain of -1 mm passes: {bad['passed']}")
    instance.post(path, {"temperature_c": "warm"}, 422)
    report = instance.get("/monitoring/data-quality/report")
    return f"rain of -1 mm is flagged, a record of words refused; report of {len(report['places'])} places"


def cache(instance: Instance) -> str:
    """Clear, and ask twice for a forecast: it is made anew, then found."""
    instance.admin("POST", "/monitoring/cache/clear", {})
    spent = []
    before = instance.get("/monitoring/cache/stats")
    for _ in range(2):
        begun = time.perf_counter()
        instance.get("/forecasts")
        spent.append(1000 * (time.perf_counter() - begun))
    after = instance.get("/monitoring/cache/stats")
    grown = after["stats"]["hits"] - before["stats"]["hits"]
    if grown < 1:
        raise Failed("a forecast that was asked for twice was not found the second time")
    return f"{after['mode']}; made in {spent[0]:.0f} ms, then found in {spent[1]:.0f} ms; hits +{grown:.0f}"


def retraining(instance: Instance) -> str:
    """Begin a training of one day and cancel it once it is seen at work; leave one that runs already alone."""
    answer = instance.asked("POST", "/admin/retrain", {"days_back": 1, "why": WHY})
    running = answer.status_code == 409
    run = {"run_id": answer.json()["run_id"]} if running else _body(answer, 202)
    path = f"/admin/retrain/{run['run_id']}"
    run = instance.admin("GET", path)
    if running:
        return f"{run['run_id']} runs already and is left alone: {run['done']:.0%}, {run['text']}"
    until = time.monotonic() + TRAINING_S
    while run["status"] == "running" and run["text"] == "starting":
        if time.monotonic() > until:
            raise Failed(f"{run['run_id']} does not get to work")
        time.sleep(LOOK_S)
        run = instance.admin("GET", path)
    seen = run["text"]
    instance.admin("POST", f"{path}/cancel", {}, 202)
    while run["status"] == "running":
        if time.monotonic() > until:
            raise Failed(f"{run['run_id']} does not end")
        time.sleep(LOOK_S)
        run = instance.admin("GET", path)
    if run["status"] in ("failed", "interrupted"):
        raise Failed(f"{run['run_id']} {run['status']}: {' '.join(run['reasons'])}")
    return f"{run['run_id']} was seen at work ({seen}) and ended {run['status']}: {' '.join(run['reasons'])}"


def experiments(instance: Instance) -> str:
    """Make a draft, read it and stop it: it never runs, and its line stays."""
    name = f"smoke-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    version = instance.get("/model/info")["version"]
    variants = [{"variant_id": v, "version": version, "traffic_percentage": 50} for v in ("control", "challenger")]
    asked = {"experiment_id": name, "variants": variants, "draft": True, "why": WHY}
    instance.admin("POST", "/admin/experiments", asked, 201)
    try:
        stage = instance.admin("GET", f"/admin/experiments/{name}")["stage"]
    finally:
        ended = instance.admin("POST", f"/admin/experiments/{name}/stop", {"why": WHY})["stage"]
    if (stage, ended) != ("draft", "stopped"):
        raise Failed(f"{name} was {stage}, then {ended}")
    return f"{name} was drafted, read and stopped"


def admin(instance: Instance) -> str:
    """Ask with a wrong token, then with ours. A new home makes its own at the first of these questions."""
    answer = instance.client.get("/api/admin/model/history", headers={"Authorization": "Bearer wrong"})
    if answer.status_code != 401 or not answer.headers.get("x-request-id"):
        raise Failed(f"with a wrong token: {answer.status_code}, id {answer.headers.get('x-request-id')}")
    history = instance.admin("GET", "/admin/model/history")
    return f"401 with a wrong token; with ours {len(history['versions'])} versions, {len(history['runs'])} trainings"


def metrics(instance: Instance) -> str:
    """Read what Prometheus reads."""
    answer = instance.client.get("/api/metrics")
    names = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE ")}
    if "cloudburst_up 1.0" not in answer.text.splitlines():
        raise Failed("cloudburst_up is not 1")
    return f"{len(names)} metrics"


def pages(instance: Instance) -> str:
    """Open the dashboard's frame, and the description of the API with a file that it wants."""
    for path, word in (("/", "<html"), ("/api/docs", "swagger"), ("/api/static/swagger/swagger-ui-bundle.js", "")):
        answer = instance.client.get(path)
        if answer.status_code != 200 or word not in answer.text:
            raise Failed(f"{path} answers {answer.status_code}")
    return f"the dashboard and /api/docs, {len(instance.get('/openapi.json')['paths'])} paths"


CHECKS: tuple[Callable[[Instance], str], ...] = (
    health, freshness, region_map, forecast, quality, admin, cache, experiments, retraining, metrics, pages,
)  # fmt: skip


def run(instance: Instance) -> Iterator[tuple[bool, str]]:
    """Yield of every check whether it went well, and its line."""
    for check in CHECKS:
        name = check.__name__.replace("region_", "")
        try:
            yield True, f"ok   {name}: {check(instance)}"
        except (Failed, httpx.HTTPError, ValueError) as error:
            yield False, f"FAIL {name}: {error}"
        except (KeyError, TypeError, IndexError) as error:
            yield False, f"FAIL {name}: the answer has another shape ({type(error).__name__}: {error})"


def main(arguments: list[str] | None = None) -> int:
    """Ask, print, and return what the shell sees."""
    parser = argparse.ArgumentParser(description="Smoke test of a running instance.")
    parser.add_argument("--url", default="http://127.0.0.1:8501", help="where it answers (default: %(default)s)")
    url = parser.parse_args(arguments).url.rstrip("/")
    try:
        settings = load_settings()
    except CloudburstError as error:
        print(f"{error.message} {error.hint}")
        return UNASKED
    with httpx.Client(base_url=url, timeout=PATIENCE_S, trust_env=False) as client:
        try:
            client.get("/api/health")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            print(f"Nothing answers at {url} ({type(error).__name__}): start it with `make run`, or name another URL.")
            return UNASKED
        well = True
        for went_well, line in run(Instance(client, lambda: _token(settings))):
            well = well and went_well
            print(line, flush=True)
    return 0 if well else 1


def _token(settings: Settings) -> str:
    """Return the token of the settings or of the home; a new home has none before an admin route is asked."""
    if settings.admin_token:
        return settings.admin_token
    try:
        return (settings.home / "data" / "admin.token").read_text("ascii").strip()
    except OSError:
        return ""


def _body(answer: httpx.Response, status: int = 200) -> Any:
    if answer.status_code != status:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise Failed(f"{asked} answers {answer.status_code} in place of {status}: {answer.text[:300]}")
    return answer.json()


def _map(instance: Instance) -> Any:
    return instance.get(f"/map/{instance.get('/health')['region']}")


def _corner(place: dict[str, Any]) -> list[float]:
    """Return longitude and latitude of a place, or the first corner of its cell."""
    coordinates = place["geometry"]["coordinates"]
    while isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    return coordinates  # type: ignore[no-any-return]


if __name__ == "__main__":
    sys.exit(main())
