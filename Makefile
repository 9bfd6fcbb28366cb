# Everything a newcomer, a developer and CI run. `make demo` and `make test` need nothing but python3, make and a registry.
PYTHON := .venv/bin/python
READY := .venv/.ready
# Compiled tests are worth their files: collection takes a fifth less.
unexport PYTHONDONTWRITEBYTECODE
# Files in their order, the long ones first; three at once keep two cores busy, since many tests wait for processes.
AT_ONCE := -n 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check format lint types imports lock bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## build .venv from requirements.lock

$(READY): requirements.lock pyproject.toml tools/setup.sh
	@tools/setup.sh

demo: $(READY) ## train the included plan on the local engine and show the score before and after
	@$(PYTHON) -m tcao_tui demo

test: $(READY) ## the tests of every change (< 10 minutes on 2 cores)
	@$(PYTHON) -m pytest $(AT_ONCE) -m "not slow"

test-slow: $(READY) ## the cookbook's own loops against the engine, every crash point twice, long inputs
	@$(PYTHON) -m pytest $(AT_ONCE) -m slow --timeout 1800

check: format lint types imports test ## what CI runs

format: $(READY)
	@$(PYTHON) -m ruff format --no-cache --check .

lint: $(READY)
	@$(PYTHON) -m ruff check --no-cache .

types: $(READY)
	@.venv/bin/basedpyright --level error

imports: $(READY)
	@.venv/bin/lint-imports --no-cache

lock: ## resolve anew into requirements.lock
	@$$(tools/setup.sh uv) pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --generate-hashes --python-version 3.12 --group dev --output-file requirements.lock pyproject.toml

bench: $(READY) ## the numbers of bench/README.md (about 9 minutes on an idle machine)
	@for name in first_paint engine_step sft_loop worker_overhead open_runs console data; do echo "== $$name"; $(PYTHON) bench/$$name.py; done

clean: ## remove the environment
	rm -rf .venv
