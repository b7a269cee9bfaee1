# `make run` and `make test` are all a new user needs; both want Python 3.11+ and make, nothing else.
PORT ?= 8501
VENV := .venv
PY := $(VENV)/bin/python
# The first that runs and is new enough; a name on the PATH alone may be a shim of a version manager.
BASE_PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
GAUGES ?= ../shared/data/gauges
# uv installs in seconds what takes pip most of a minute; where it cannot be had, pip does it. It trusts what the system
# trusts, as pip does.
INSTALL = ( $(PY) -m uv --version >/dev/null 2>&1 || $(PY) -m pip install -q --disable-pip-version-check uv ) ; \
  if $(PY) -m uv --version >/dev/null 2>&1 ; \
  then UV_SYSTEM_CERTS=1 $(PY) -m uv pip install -q --python $(PY) -r $(1) || $(PY) -m pip install -q -r $(1) ; \
  else $(PY) -m pip install -q -r $(1) ; fi

# The program is started again and again: it is compiled once, also where the system keeps no bytecode.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run smoke test check slow browser format seed-model clean lock audit \
  faults faults-full faults-model fuzz-source fuzz-api fuzz-parsers mutation load soak \
  bench-simulator bench-quality bench-skill bench-curve bench-gate bench-drift bench-retrain bench-experiments bench-cache bench-day bench-pages bench-map bench-map-drawing bench-exports bench-dask

# A dozen threads share two heaps, and Arrow uses the same: a day's work otherwise leaves a quarter more memory held. Arrays
# above a quarter of a megabyte go back to the system: what grows day by day would never fit the hole it left.
HEAPS = MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144 ARROW_DEFAULT_MEMORY_POOL=system
run: $(VENV)/.run
	$(HEAPS) $(PY) -m streamlit run app.py --server.port $(PORT)

# Asks the instance that runs at URL to do a little of everything, and prints a line for each.
URL ?= http://127.0.0.1:$(PORT)
smoke: $(VENV)/.run
	$(PY) -m deploy.smoke --url $(URL)

# Three files of tests at once on two cores, since browsers, servers and clocks are waited for a third of the time; each in
# one thread: numerical libraries that spin beside one another take ten times as long.
PYTEST = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.dev
	$(PYTEST)

check: $(VENV)/.dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-logo
	$(PYTEST)

# What `make check` leaves out: tests that guard little for their minutes.
slow: $(VENV)/.dev
	$(PYTEST) -m slow

# Every page in every language, light and dark, at four widths, beside the journeys that `make check` runs (some minutes).
browser: $(VENV)/.dev
	$(PYTEST) -m browser tests/browser

format: $(VENV)/.dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

# Trains on real gauges (about 4 minutes) and pins the result; see deploy/seed_model.py.
seed-model: $(VENV)/.run
	$(PY) deploy/seed_model.py $(GAUGES)

# How predictable the simulated weather is at best (AUC of a classifier that knows the hidden state).
bench-simulator: $(VENV)/.dev
	$(PY) -m benchmarks.simulator_hardness

# Which planted faults the checks find, beside ioos_qc and the plain z > 3, and how fast they are beside pydantic and
# pandera (about 6 minutes).
bench-quality: $(VENV)/.bench
	$(PY) -m benchmarks.quality_detection --gauges $(GAUGES)
	$(PY) -m benchmarks.quality_speed

# How good the forecast is beside the reference, plain statistics and the naive recipe, trained on 2020-2022 and tested
# on 2023 (about 20 minutes); the tables go into docs/skill.md.
bench-skill: $(VENV)/.run
	$(PY) -m benchmarks.skill --gauges $(GAUGES) --out docs/skill.md

# The same learning with less to learn from, by time and by stations, tested on 2022.
bench-curve: $(VENV)/.run
	$(PY) -m benchmarks.skill_curve --gauges $(GAUGES) --out docs/skill.md

# How often the gate promotes a challenger that is no better, beside the bare "more than 1 % better".
bench-gate: $(VENV)/.run
	$(PY) -m benchmarks.gate_simulation

# How often drift is seen where there is none, and how soon where it was planted.
bench-drift: $(VENV)/.run
	$(PY) -m benchmarks.drift_alarms --gauges $(GAUGES)

# A year of 119 stations is learned from while pages are drawn; models are exchanged while forecasts are asked for.
bench-retrain: $(VENV)/.run
	$(PY) -m benchmarks.retraining_speed --gauges $(GAUGES)

# How often experiments find what is not there and what is (about 10 minutes), and how fast they record and analyse.
bench-experiments: $(VENV)/.run
	$(PY) -m benchmarks.experiments
	$(PY) -m benchmarks.experiment_scale

# The cache beside bare redis-py, cachetools, cashews, dogpile.cache, diskcache and st.cache_data, who computes how often,
# and how fast the API answers (about 15 minutes).
bench-cache: $(VENV)/.bench
	$(PY) -m benchmarks.cache_speed
	$(PY) -m benchmarks.api_speed

# How much of what a day of the dashboard asks for is found in the cache (24 minutes).
bench-day: $(VENV)/.dev
	$(PY) -m benchmarks.dashboard_day

# How fast the first map is there in a real browser, and how fast pages change (about 2 minutes).
bench-pages: $(VENV)/.dev
	$(PY) -m benchmarks.page_speed

# How long the levels of 10,000, 40,000 and 110,000 cells take, stage by stage, and how fast trees are scored beside
# scikit-learn (about 20 minutes, nearly all of it features).
bench-map: $(VENV)/.dev
	$(PY) -m benchmarks.map_speed

# How fast 40,000 cells are drawn, at first, of another layer and of a new issue, beside a bare heatmap.
bench-map-drawing: $(VENV)/.dev
	$(PY) -m benchmarks.map_drawing

# Twenty pages as PDF beside fpdf2's own tables, and a workbook of 100,000 rows beside openpyxl.
bench-exports: $(VENV)/.dev
	$(PY) -m benchmarks.exports_speed
	$(PY) -m benchmarks.workbook_speed

# Hindcast, features and training in one process, with one worker of Dask and with two (some minutes).
bench-dask: $(VENV)/.run
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m benchmarks.dask_speed --gauges $(GAUGES)

# The promises of docs/RELIABILITY.md on real processes: each gate passes, and fails a broken variant (below 10 minutes);
# the full form tries as often as a release asks for (hours).
faults: $(VENV)/.dev
	$(PY) -m tests.faults --out docs/RELIABILITY.md

faults-full: $(VENV)/.dev
	$(PY) -m tests.faults --full --out docs/RELIABILITY.md
	$(PY) -m tests.faults.source.fuzz --runs 100000 --out docs/RELIABILITY.md
	$(FUZZ_API) --runs 1000000 --cases 3000 --out docs/RELIABILITY.md

# Of these the model store alone: kills, failing disks, flipped bits, canaries and races.
faults-model: $(VENV)/.dev
	$(PY) -m tests.faults.model

# 10,000 wrong answers of the live source: none may reach a number, none may raise anything but a SourceError.
fuzz-source: $(VENV)/.dev
	$(PY) -m tests.faults.source.fuzz --runs 10000 --out docs/RELIABILITY.md

# 100,000 requests that should not be, and 3,000 of schemathesis: no server error, no echo, nothing but strict JSON and
# problem documents; broken applications must be found.
FUZZ_API = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m tests.faults.api.fuzz
fuzz-api: $(VENV)/.dev
	$(FUZZ_API) --runs 100000 --cases 3000 --out docs/RELIABILITY.md

# Ten minutes of atheris on each parser of foreign bytes (about 55 minutes); what reaches new code stays in the corpus,
# which tests replay.
fuzz-parsers: $(VENV)/.faults
	$(PY) -m tests.faults.parsers.fuzz --seconds 600 --keep --out docs/RELIABILITY.md

# How many changes of the code no test notices, by group of modules (about two hours).
mutation: $(VENV)/.faults
	$(PY) -m tests.faults.mutation --out docs/RELIABILITY.md

# A hundred open dashboards beside programs that use the API, then two hundred, beside a naive page (about 45 minutes).
load: $(VENV)/.dev
	$(PY) -m benchmarks.load --out docs/RELIABILITY.md

# 25 days in an hour: what the ledger says is counted again from outside, and nothing grows without bound.
soak: $(VENV)/.dev
	$(PY) -m benchmarks.soak --out docs/RELIABILITY.md

# Known vulnerabilities of what is installed (asks PyPI, so it needs the internet), and secrets in what is committed.
audit: $(VENV)/.faults
	$(PY) -m pip_audit --strict --require-hashes --disable-pip -r requirements.lock
	git ls-files -z | xargs -0 $(VENV)/bin/detect-secrets-hook --baseline .secrets.baseline

# What a release installs: every requirement with all that it brings along, by their digests.
lock: $(VENV)/bin/python
	( sed -n '/^#/!q;p' requirements.lock ; $(PY) -m uv pip compile -q --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header requirements.txt ) > requirements.lock.new
	mv requirements.lock.new requirements.lock

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	@echo "Installing what runs ..."
	@$(call INSTALL,requirements.txt)
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing what develops ..."
	@$(call INSTALL,requirements-dev.txt)
	@touch $@ $(VENV)/.run

$(VENV)/.faults: requirements.txt requirements-dev.txt requirements-faults.txt | $(VENV)/bin/python
	@echo "Installing what breaks things on purpose ..."
	@$(call INSTALL,requirements-faults.txt)
	@touch $@ $(VENV)/.dev $(VENV)/.run

$(VENV)/.bench: requirements.txt requirements-dev.txt requirements-bench.txt | $(VENV)/bin/python
	@echo "Installing what benchmarks compare with ..."
	@$(call INSTALL,requirements-bench.txt)
	@touch $@ $(VENV)/.dev $(VENV)/.run

$(VENV)/bin/python:
	@test -n "$(BASE_PYTHON)" || \
	  { echo "Python 3.11 or newer is needed; name one with BASE_PYTHON=/path/to/python" ; exit 1 ; }
	@$(BASE_PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV) ; echo "venv failed; Debian and Ubuntu keep it in the package python3-venv" ; exit 1 ; }

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache
