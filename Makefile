# Everything a newcomer, a developer and CI call. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo up test oracles check bench requirements clean

help: ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

setup: $(VENV)/.ready ## the virtual environment in .venv, pinned, bytecode compiled

$(VENV)/.ready: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib hub contracts access assets api || true
	@touch $@

demo: setup ## the main job on the invented district, end to end
	$(BIN)/hub demo $(ARGS)

up: setup ## Dagster's daemon and UI and the API together
	$(BIN)/hub up

test: setup ## every test
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

oracles: setup ## our verdicts and decisions against those of other engines, in environments of their own
	$(BIN)/python -m bench.peers datacontract cedar
	$(BIN)/python -m pytest -m oracle $(ARGS)

check: setup ## format, lint, types, layers: what CI runs before the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## the table of bench/, each row a ratio against a peer in the same run
	$(BIN)/python -m bench $(ARGS)

requirements: setup ## pin requirements.txt anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --python-version 3.11 \
		--universal --group dev pyproject.toml -o requirements.txt
	for peer in bench/peers/*/requirements.in; do \
		$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header \
			--python-version 3.11 --universal $$peer -o $${peer%.in}.txt; done

clean: ## remove what the commands above made, data included
	rm -rf $(VENV) var build *.egg-info .mypy_cache .ruff_cache .pytest_cache
