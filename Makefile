# Leadlight. `make help` lists what can be made; nothing but Python >= 3.11 and make is needed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.ready
CODE := features models pipeline leadlight.py tests benchmarks
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
# Any Python from 3.11 on; `make setup PYTHON=/path/to/python` picks another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
UV ?= uv
# Modules are compiled when first imported: compiling all 200 packages up front doubles the time.
PIP_QUIET := --quiet --no-compile --disable-pip-version-check --no-input
WORKERS ?= 2
# Two workers with one thread each beat one worker whose threads wait for each other.
TEST_ENV := OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 MPLBACKEND=Agg
# What to hand to pytest or to the command: `make quick ARGS="-k moments"`.
ARGS ?=

.PHONY: help
help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## *' '{printf "  make %-9s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(STAMP)  ## Create .venv with the locked packages and Leadlight itself

# An install that was cut short can leave half a package that looks whole: then start anew.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Leadlight needs Python 3.11 or newer, and found none." >&2; \
		echo "Hint: install it, or name one: make setup PYTHON=/path/to/python3.11" >&2; exit 2; }
	@if [ -e $(VENV)/.unfinished ] || ! $(PY) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv --clear $(VENV) || { \
		echo "Hint: Debian and Ubuntu keep venv apart: apt-get install python3-venv" >&2; exit 2; }; fi
	@touch $(VENV)/.unfinished
	@echo "Installing the locked packages into $(VENV) (some minutes the first time) ..."
	@$(PY) -m pip install $(PIP_QUIET) --require-hashes -r requirements.lock
	@$(PY) -m pip install $(PIP_QUIET) --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.unfinished
	@$(PY) -c 'import lightgbm' || { \
		echo "LightGBM cannot load, most likely for want of the OpenMP runtime (libgomp)." >&2; \
		echo "Hint: apt-get install libgomp1 (Debian, Ubuntu), dnf install libgomp (Fedora)," \
		"brew install libomp (macOS); then run make again." >&2; exit 2; }
	@touch $@

.PHONY: demo
demo: setup  ## Run the main job on real shop data and show the ranked leads (ARGS="--shop synthetic")
	@$(VENV)/bin/leadlight demo $(ARGS)

.PHONY: test
test: check  ## Everything that must hold: checks, then the whole suite against the built wheel
	@$(TEST_ENV) $(PY) tests/wheel/suite.py -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: quick
quick: setup  ## Run the tests on the checkout, without the slow ones
	@$(TEST_ENV) $(PY) -m pytest -m "not slow" $(ARGS)

.PHONY: check
check: lint types layers deps spelling notebooks  ## Lint, types, layers, dependencies, spelling, notebooks

.PHONY: lint
lint: setup  ## Format and lint as ruff sees it
	@$(PY) -m ruff format --check --quiet . || { $(PY) -m ruff format --diff . || true; exit 1; }
	@$(PY) -m ruff check .

.PHONY: types
types: setup  ## Types, as strict as mypy gets
	@$(PY) -m mypy

.PHONY: layers
layers: setup  ## Imports point down: pipeline, models, features
	@$(VENV)/bin/lint-imports --no-cache

.PHONY: deps
deps: setup  ## Every import is declared, every declared package is used
	@$(PY) -m deptry .

.PHONY: spelling
spelling: setup  ## Spelling in code and docs
	@$(VENV)/bin/codespell $(CODE) docs configs *.md Makefile

.PHONY: notebooks
notebooks: setup  ## Notebooks are stored without their outputs
	@$(VENV)/bin/nbstripout --verify $(NOTEBOOKS)

.PHONY: fix
fix: setup  ## Format, mend what ruff can mend, strip the notebooks
	@$(PY) -m ruff format . && $(PY) -m ruff check --fix . ; $(VENV)/bin/nbstripout $(NOTEBOOKS)

.PHONY: bench
bench: setup  ## Run the benchmarks in full (ARGS=--quick for the small form)
	@for name in features explain train_score tuning quality leaks gate coverage sum_laws app crm crm_postgres; do $(PY) -m benchmarks.$$name $(ARGS); done

.PHONY: crm-kills
crm-kills: setup  ## Kill publishing 100 times in each place, at any moment, and print what came of it (2 hours)
	@LEADLIGHT_KILLS=100 $(TEST_ENV) $(PY) -m pytest -q -n $(WORKERS) tests/pipeline/crm/test_kills.py $(ARGS)

.PHONY: coverage
coverage: setup  ## Which branches the tests leave out
	@$(TEST_ENV) $(PY) -m pytest -n $(WORKERS) --cov --cov-report=term --cov-report=html $(ARGS)

.PHONY: wheel
wheel: setup  ## Build the wheel into dist/
	@$(PY) -m hatchling build -t wheel

.PHONY: docs
docs: setup  ## Write docs/settings.md anew from the settings
	@$(PY) -m pipeline.settings_page > docs/settings.new && mv docs/settings.new docs/settings.md

.PHONY: messages
messages: setup  ## Gather what there is to translate into the .po files
	@$(PY) -m pipeline.messages

.PHONY: lock
lock:  ## Write requirements.lock anew (needs uv)
	@$(UV) pip compile --universal --generate-hashes --no-emit-index-url --all-extras --quiet \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock

.PHONY: clean
clean:  ## Remove the environment and everything built
	@rm -rf $(VENV) build dist htmlcov .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
