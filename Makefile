# make help lists the commands. Everything lands in .venv and trackrecord-data; make clean removes the first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
PORT ?=
MINUTES ?= 10
JOBS ?= 3
EXAMPLES ?= 300
SNIPPET := snippet
DASHBOARD := dashboard
NODE_FOLDERS := $(SNIPPET) $(DASHBOARD) tests/clients/node tests/browser examples/web
OLD_PYTHON := tests/clients/python
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

# Wherever this is set, each of the hundreds of processes that the tests start would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

# Expands to nothing, or ends with a sentence.
NUMBERS = $(foreach name,MINUTES COUNT SEED EXAMPLES,$(if $(shell printf '%s' '$($(name))' | grep -Evx '[0-9]*[.]?[0-9]+'),\
  $(error $(name) must be a number, not $($(name)))))

.DEFAULT_GOAL := help
.PHONY: help serve test lint demo demo-web screenshots bench torture model simulate fuzz explore audit lock wheel clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(VENV)/serve.stamp ## Start the server on 127.0.0.1:8080 over ./trackrecord-data; others: make serve PORT=8081 DATA=DIR
	@exec env TRACKRECORD_MAKE=1 $(BIN)/trackrecord serve $(if $(DATA),--data '$(DATA)') $(if $(PORT),--port '$(PORT)')

test: $(VENV)/test.stamp $(VENV)/python-3.stamp node-clients chromium lint ## Run linters, types and all tests, in JOBS (3) processes
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

lint: $(VENV)/test.stamp ## Run linters and the type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

demo: $(VENV)/serve.stamp ## Bring a stream of events in, kill the server on the way, and compare the record with the known answers
	@exec $(BIN)/python examples/demo.py

demo-web: $(VENV)/serve.stamp node-clients ## Start a server and two pages with its script, and show every event as it arrives
	@exec $(BIN)/python examples/demo_web.py

screenshots: $(VENV)/test.stamp chromium ## Fill a server with a made-up record, and take pictures of the dashboard's pages into docs/screenshots
	@exec $(BIN)/python examples/screenshots.py

bench: $(VENV)/test.stamp ## Measure everything against its bars, in forty minutes; less: python -m bench --quick, python -m bench growth
	@exec $(BIN)/python -m bench

torture: $(VENV)/test.stamp ## Kill, fill and damage a server under load for MINUTES (10), and judge its record
	@: $(NUMBERS)
	@exec $(BIN)/python -m torture --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

model: $(VENV)/test.stamp ## Walk at random through the whole API for MINUTES (10), and compare every answer with a model of the contract
	@: $(NUMBERS)
	@exec env MODEL_MINUTES=$(MINUTES) $(if $(SEED),MODEL_SEED=$(SEED)) $(BIN)/python -m pytest -q -s -o faulthandler_timeout=0 tests/model

simulate: $(VENV)/test.stamp ## Run journal and store on a simulated disk and clock, with faults: MINUTES (1) or COUNT schedules; SEED=N shows one
	@: $(NUMBERS)
	@exec $(BIN)/python -m simulator $(if $(COUNT),--count $(COUNT)) $(if $(filter-out file,$(origin MINUTES)),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

fuzz: $(VENV)/fuzz.stamp ## Feed all that reads what strangers send with made-up bytes for MINUTES (10), led by coverage
	@: $(NUMBERS)
	@exec $(BIN)/python -m fuzz --minutes $(MINUTES)

explore: $(VENV)/test.stamp ## Ask every operation of the API many times over, with Schemathesis: EXAMPLES (300) of each
	@: $(NUMBERS)
	@exec env TRACKRECORD_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -q tests/openapi/test_schemathesis.py

audit: $(BIN)/python ## Look up the packages of both lock files among the known holes; needs the network
	@test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/python -m pip install --quiet pip-audit; }
	@$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip -r requirements.lock -r requirements-dev.lock -r fuzz/requirements.lock || \
	  { echo "Either a hole is known of a package named above, or the lists could not be asked: a mirror of packages alone has none, and says that it does not know them."; exit 1; }

wheel: $(VENV)/test.stamp ## Build the wheel into dist/
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

lock: ## Choose new versions for the lock files
	rm -rf $(VENV)/lock
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet . "setuptools>=77"
	$(VENV)/lock/bin/python -m pip freeze --all --exclude trackrecord --exclude pip > requirements.lock
	$(VENV)/lock/bin/python -m pip install --quiet ".[dev]"
	$(VENV)/lock/bin/python -m pip freeze --all --exclude trackrecord --exclude pip > requirements-dev.lock
	rm -rf $(VENV)/lock
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet python-intercom==3.1.0
	$(VENV)/lock/bin/python -m pip freeze > $(OLD_PYTHON)/requirements.lock
	rm -rf $(VENV)/lock
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet "atheris>=3.0"
	$(VENV)/lock/bin/python -m pip freeze > fuzz/requirements.lock
	rm -rf $(VENV)/lock

clean: ## Remove what was built and installed; data stays
	rm -rf $(VENV) build dist *.egg-info $(NODE_FOLDERS:%=%/node_modules) trackrecord/messenger/static trackrecord/dashboard/static .pytest_cache .mypy_cache .ruff_cache .hypothesis bench/results torture/results fuzz/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Trackrecord needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making a Python environment in $(VENV); the first time this takes a minute ..."
	@$(PYTHON) -m venv $(VENV) || { echo "Could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/serve.stamp: $(BIN)/python requirements.lock pyproject.toml setup.py $(foreach folder,$(SNIPPET) $(DASHBOARD),$(wildcard $(folder)/src/*) $(folder)/build.mjs $(folder)/package-lock.json)
	@echo "Installing into $(VENV) ..."
	@$(PIP) install -r requirements.lock || \
	  { echo "Could not install the packages. Is there a network? A proxy or mirror is set by PIP_INDEX_URL. Then run this again."; exit 1; }
	@command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || $(PIP) install -r $(SNIPPET)/requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/serve.stamp requirements-dev.lock
	@echo "Installing what the tests need into $(VENV) ..."
	@$(PIP) install -r requirements-dev.lock
	@touch $@

$(VENV)/fuzz.stamp: $(VENV)/test.stamp fuzz/requirements.lock
	@$(PIP) install -r fuzz/requirements.lock || \
	  { echo "atheris could not be installed: it has wheels for Linux and some Pythons alone. make test replays its corpus without it."; exit 1; }
	@touch $@

# python-intercom 3 has the same module name as 5, so it stands apart, and its tests put it in the path of a process of their own.
$(VENV)/python-3.stamp: $(BIN)/python $(OLD_PYTHON)/requirements.lock
	@rm -rf $(VENV)/python-3
	@$(PIP) install --target $(VENV)/python-3 -r $(OLD_PYTHON)/requirements.lock
	@touch $@

# The Node clients and the pages' wrappers need npm; where it cannot be had, their tests skip and say so.
.PHONY: node-clients chromium
node-clients:
	@if ! command -v npm >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Node from the system's packages ..."; apt-get update -qq && apt-get install -y -qq nodejs npm >/dev/null; fi
	@if command -v npm >/dev/null; then for folder in $(NODE_FOLDERS); do \
	    cmp -s $$folder/package-lock.json $$folder/node_modules/.lock || \
	      { (cd $$folder && npm ci --silent --no-audit --no-fund) && cp $$folder/package-lock.json $$folder/node_modules/.lock; } || exit 1; done; \
	else echo "npm is not here: what runs in Node, and the wrappers of pages, will be skipped"; fi

# The tests in a browser take the system's Chromium, without windows where it comes so, and skip where there is none.
chromium:
	@if ! command -v chromium-headless-shell >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium from the system's packages ..."; apt-get update -qq && apt-get install -y -qq chromium-headless-shell >/dev/null || apt-get install -y -qq chromium >/dev/null || true; fi
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || echo "chromium is not here: the tests in a browser will be skipped"
