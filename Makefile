# Every target sets up .venv first, from the hashed packages in constraints.txt; see tools/setup.sh.
# PYTHON=/path/to/python3 chooses the interpreter to set it up with.

BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup verdicts test test-more test-all slow lint types layering format check-all
.PHONY: import-cost bench bench-compare bench-pages mutants proofs docs constraints clean

help:  ## list the targets
	@awk -F ':.*## *' '/^[a-z-]+:.*## /{ printf "  make %-13s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## create or mend .venv; does nothing where it is up to date
	@PYTHON="$(PYTHON)" sh tools/setup.sh

verdicts: setup  ## the verdicts on all that ships with gradlab, each against the one it states
	@$(BIN)/gradlab check --shipped --profile quick

test: setup  ## the first tier of the tests, on two processes: a whole run of each implementation, and all that is short
	@$(BIN)/pytest -q -n 2 --dist worksteal

test-more: setup  ## the second tier: whole runs in the other dtype, with other seeds, and what takes long
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "more and not slow"

test-all: setup  ## both tiers
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow"

slow: setup  ## the tests marked slow, which `make test-all` leaves out
	@$(BIN)/pytest -q -m slow

lint: setup  ## ruff: rules and layout
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: setup  ## mypy --strict
	@$(BIN)/mypy

layering: setup  ## imports go one way
	@$(BIN)/pytest -q tests/test_layering.py

format: setup  ## rewrite the files as ruff lays them out
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

check-all: lint types test-all  ## lint, types and both tiers of the tests

import-cost: setup  ## `import gradlab` over `import numpy`, in time
	@$(BIN)/python benchmarks/import_cost.py

bench: setup  ## asv: time, memory and accuracy of the present commit, once each, some 10 minutes
	@$(BIN)/asv machine --yes >/dev/null
	@$(BIN)/asv run --quick --show-stderr --environment existing:$(BIN)/python --set-commit-hash "$$(git rev-parse HEAD)"

bench-compare: setup  ## asv: BASE=commit against the present one, each built in an environment of its own
	@$(BIN)/asv machine --yes >/dev/null
	@$(BIN)/asv continuous $(or $(BASE),main~1) HEAD

bench-pages: setup  ## asv: what it measured, of two commits at least, as pages in .asv/html; their scripts come from public networks
	@$(BIN)/asv publish
	@echo "to look at them: $(BIN)/python -m http.server --bind 127.0.0.1 --directory .asv/html 8000, then http://localhost:8000"

mutants: setup  ## mutation testing of implementations/, judged by gradlab; docs/mutation.md has the rest
	@$(BIN)/python -m tools.mutation.mutants --part implementations

proofs: setup  ## the proofs by machine, some minutes; needs gappa and sollya; proofs/README.md has the rest
	@$(BIN)/python -m tools.proofs

docs: setup  ## the documentation as a site, in docs/_build/html; warnings are errors
	@sh tools/docs.sh

constraints:  ## resolve the newest packages that pyproject.toml allows, and write constraints.txt and constraints-docs.txt
	@PYTHON="$(PYTHON)" sh tools/constraints.sh

clean:  ## remove everything that can be made again
	@rm -rf .venv build dist docs/_build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .asv .gradlab
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
