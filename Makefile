# The two doors of the project: `make scorecard` (judge the agent) and `make test` (test the harness).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help scorecard test lint types check lock clean bench quality

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "harness needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

scorecard: $(READY)  ## run suites/ against the reference agent, print the verdict, write reports/runs/<id>/scorecard.html
	$(BIN)/python -m pytest suites

test: $(READY)  ## the tests of the harness itself
	$(BIN)/python -m pytest tests -n auto --ignore=tests/guardrails
	$(BIN)/python -m pytest tests/guardrails -n auto

lint: $(READY)  ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

check: test lint types  ## everything CI runs

lock: $(READY)  ## resolve the dependencies again into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --group dev --extra all --upgrade pyproject.toml -o requirements.lock

bench: $(READY)  ## speed of the harness itself, side by side with a bare client
	$(BIN)/python -m benchmarks

MEASURED := reports/quality/measured
quality: $(READY)  ## measure the five rooms with working specs and judge them; at night, the mutants take hours
	rm -rf $(MEASURED) mutants && mkdir -p $(MEASURED)
	-$(BIN)/python -m coverage run --branch --source=harness/core,harness/stats,harness/gates,harness/rewards,harness/guardrails \
	  -m pytest tests -q --junitxml=$(MEASURED)/tests.xml
	$(BIN)/python -m coverage json -q -o $(MEASURED)/coverage.json
	-$(BIN)/ruff check --output-format json --output-file $(MEASURED)/ruff.json harness
	-$(BIN)/mypy --junit-xml $(MEASURED)/mypy.xml --junit-format per_file
	for room in stats gates core rewards guardrails; do \
	  $(BIN)/python -m benchmarks.mutants $$room $(MEASURED)/$$room || true; \
	done
	$(BIN)/harness quality --out $(MEASURED)/readiness.html; $(BIN)/harness quality

clean:  ## remove the virtual environment and every run
	rm -rf $(VENV) reports/runs
