# The README's two commands, and those of the people who work on lucidgrad. Each sets up all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PARITY_VENV := .venv-parity
BENCH_VENV := .venv-bench
STAMP := $(VENV)/.installed
PARITY_STAMP := $(PARITY_VENV)/.installed
BENCH_STAMP := $(BENCH_VENV)/.installed
# scikit-learn's checks of estimators look at other array libraries only where this is set.
PYTEST := SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q

.PHONY: help demo test check test-long parity bench docs clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 14

demo: $(STAMP)  ## the main job: train the MNIST lab (or the embedded digits where there is no MNIST) and report
	$(BIN)/lucidgrad lab --output lab-report

test: check $(STAMP)  ## all checks and tests
	$(PYTEST) --ignore=tests/parity

check: $(STAMP)  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test-long: $(STAMP)  ## the long fuzzing and repetition that `make test` leaves out
	$(PYTEST) --ignore=tests/parity -m long

parity: $(PARITY_STAMP)  ## compare with PyTorch
	$(PARITY_VENV)/bin/python -m pytest -q --ignore=src tests/parity

bench: $(BENCH_STAMP)  ## measure against every peer and write docs/benchmarks.md (MNIST from $$LUCIDGRAD_DATA)
	$(BENCH_VENV)/bin/python -m benchmarks.page

docs: $(STAMP)  ## build the documentation site in both languages, without the network: build/docs/index.html
	$(BIN)/python -m docs.site.build

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@

$(PARITY_STAMP): pyproject.toml
	$(PYTHON) -m venv $(PARITY_VENV)
	$(PARITY_VENV)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(PARITY_VENV)/bin/pip install --quiet --editable . --group dev --group parity
	touch $@

$(BENCH_STAMP): pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --upgrade "pip>=25.1"
	$(BENCH_VENV)/bin/pip install --quiet --editable . --group bench
	touch $@

clean:  ## remove the environments and what tools have left
	rm -rf $(VENV) $(PARITY_VENV) $(BENCH_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache lab-report build
