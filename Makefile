# Everything runs in .venv, which is made on first use from pyproject.toml and constraints.txt.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
PACKAGES := simulator models channels scenarios

# A stamp is written last, so an interrupted install leaves none and the next call starts over.
RUNTIME := .venv/.runtime-installed
DEV := .venv/.dev-installed

.DEFAULT_GOAL := help
.PHONY: help demo test quick coverage lint links bench tables notebooks architecture clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(RUNTIME) ## the main job: STAE against DeepISC over a Rayleigh channel
	$(BIN)/fadeline run rayleigh --out runs/demo --force

test: lint ## lint, check types and run all tests
	$(BIN)/pytest -n 2

quick: $(DEV) ## run the tests that are not marked slow
	$(BIN)/pytest -n 2 -m 'not slow' tests

coverage: $(DEV) ## run the tests that are not marked slow and print what they cover
	$(BIN)/pytest -n 2 -m 'not slow' --cov --cov-report=term:skip-covered tests

lint: $(DEV) links ## check style, formatting, types and the import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(PACKAGES:%=-p fadeline.%)
	$(BIN)/mypy tests benchmarks docs
	$(BIN)/lint-imports

# Static tools do not see an editable install; these links show them the packages by name.
links:
	@mkdir -p build/links/fadeline
	@for package in $(PACKAGES); do \
		ln -sfn "../../../$$package" "build/links/fadeline/$$package" || exit 1; \
	done

bench: $(DEV) ## measure the speed of channels, engine, clips, classifier and codecs
	$(PIP) -e '.[bench]'
	$(BIN)/python benchmarks/bench_channels.py
	$(BIN)/python benchmarks/bench_engine.py
	$(BIN)/python benchmarks/bench_engine.py --memory
	$(BIN)/python benchmarks/bench_sweep.py
	$(BIN)/python benchmarks/bench_models.py
	$(BIN)/python benchmarks/bench_codecs.py

tables: $(DEV) ## measure the shipped outcome tables again, in about half an hour
	@mkdir -p models/tables
	for split in val test; do \
		$(BIN)/fadeline evaluate --codec stae --codec deepisc --codec deepisc-task \
			--data actions/$$split --out build/tables/$$split --force && \
		cp build/tables/$$split/outcomes.parquet models/tables/actions-$$split.parquet || exit 1; \
	done

notebooks: $(DEV) ## run the notebooks in full and keep their output
	FADELINE_NOTEBOOKS=full $(BIN)/pytest --nbmake --overwrite notebooks

# Needs nothing but Python, so it makes and changes no environment.
architecture: ## draw the rooms and their imports into docs/architecture.md
	$(PYTHON) docs/draw_architecture.py

clean: ## remove the environment, build products, caches and runs
	rm -rf .venv build dist runs *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Fadeline needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@rm -f $(RUNTIME) $(DEV)
	@echo "Installing Fadeline into .venv; the first time this takes some minutes."
	@{ test -x $(BIN)/python && test -f $(BIN)/activate; } || $(PYTHON) -m venv --clear .venv
	$(PIP) torch
	$(PIP) -e .
	@touch $@

$(DEV): $(RUNTIME)
	$(PIP) -e '.[dev]'
	@touch $@
