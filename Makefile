# Regulars: `make demo` and `make test` work on a fresh machine with Python 3.11+ and make.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export RUNTIME__DLTHUB_TELEMETRY := false
export GX_ANALYTICS_ENABLED := false
export DAGSTER_DISABLE_TELEMETRY := 1

.PHONY: help install install-spark demo test quick faults dev lint format bench soak oracles spark lock clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv and install the hash-locked requirements into it

# uv leaves bytecode to the first import, and where Python may not write it every process compiles anew.
# pip before 24, which Python 3.11 and 3.12 bring, takes a wanted extra for a package without hashes.
$(STAMP): requirements.lock requirements-uv.lock requirements-pip.lock pyproject.toml
	@set -e; \
	python=$$(for p in python3 python3.13 python3.12 python3.11; do \
	  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))' 2>/dev/null && echo $$p && break; done; true); \
	if [ -z "$$python" ]; then echo "Regulars needs Python 3.11, 3.12 or 3.13; none was found on the PATH." >&2; exit 1; fi; \
	uv=$$(command -v uv || true); \
	echo "Making $(VENV) with $$($$python --version) ..."; \
	if [ ! -x $(PY) ]; then if [ -n "$$uv" ]; then $$uv venv -q --python "$$($$python -c 'import sys; print(sys.executable)')" $(VENV); else \
	  $$python -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }; fi; fi; \
	if [ -z "$$uv" ] && $(PY) -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes \
	  -r requirements-uv.lock 2>/dev/null; then uv=$(VENV)/bin/uv; fi; \
	if [ -n "$$uv" ]; then \
	  echo "Installing the hash-locked requirements with uv ..."; \
	  $$uv pip install -q --python $(PY) --compile-bytecode --require-hashes -r requirements.lock; \
	  $$uv pip install -q --python $(PY) --no-deps --no-build-isolation -e .; \
	else \
	  echo "Installing the hash-locked requirements with pip (uv is not to be had; this takes a few minutes) ..."; \
	  $(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-pip.lock; \
	  $(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock; \
	  $(PY) -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@touch $(STAMP)

demo: $(STAMP) ## Run the whole product on a pretend shop (home: ./demo)
	@$(VENV)/bin/regulars demo $(ARGS)

test: $(STAMP) ## Run every test but those of `make faults`
	@$(PY) -m pytest -n 2 -m "not faults" $(ARGS)

# What each function does: no whole run, no dbt, no browser, no server, nothing that reads files by the hundred.
QUICK := $(sort $(wildcard tests/test_*.py)) \
  $(addprefix tests/ingestion/,apis functions landing/test_fields.py redaction files/test_readers.py sources/test_expressions.py) \
  $(addprefix tests/orchestration/,activation commands destinations home words who) \
  $(filter-out %/test_held_rows.py %/test_consent_facts.py,$(sort $(wildcard tests/orchestration/ops/test_*.py)))

quick: $(STAMP) ## While writing: ruff, mypy and the tests of functions
	@$(VENV)/bin/ruff check -q . && $(VENV)/bin/ruff format -q --check .
	@$(VENV)/bin/mypy
	@REGULARS_QUICK=1 $(PY) -m pytest -n 2 -m "not slow and not faults and not browser" $(QUICK) $(ARGS)

faults: $(STAMP) ## Kills at random points, damaged files, whole runs and histories again, big real data (minutes)
	@$(PY) -m pytest -n 2 -m faults $(ARGS)

dev: $(STAMP) ## The pages, and Dagster with the whole lineage, at the addresses that are printed
	@$(VENV)/bin/regulars dev $(ARGS)

# Of vulture's findings those about code: fields and constants are read by name in templates and SQL.
DEAD := unused (function|method|property|class|import|argument)|unreachable code|unsatisfiable

lint: $(STAMP) ## ruff, mypy strict, the order of the folders, code that nothing calls, sqlfluff
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo >/dev/null || $(VENV)/bin/lint-imports --no-logo
	@told=$$($(VENV)/bin/vulture); code=$$?; \
	  [ $$code = 0 ] || [ $$code = 3 ] || { echo "vulture failed ($$code): $$told"; exit 1; }; \
	  ! echo "$$told" | grep -E "$(DEAD)"
	@cd dbt_project && ../$(VENV)/bin/sqlfluff lint --disable-progress-bar -q models tests

format: $(STAMP) ## Format Python
	@$(VENV)/bin/ruff check --fix -q . ; $(VENV)/bin/ruff format -q .

bench: $(STAMP) ## Measure speed against hand-written DuckDB SQL (minutes)
	@$(PY) -m tests.benchmarks.bench $(ARGS)
	@$(PY) -m tests.benchmarks.feed
	@$(PY) -m tests.benchmarks.identity $(if $(SPLINK),--splink-python $(SPLINK)) $(ARGS)

soak: $(STAMP) ## Long tests: hundreds of kills, thirty daily loads, a year of clean days, ten minutes of the daemon (an hour)
	@REGULARS_SOAK=1 $(PY) -m pytest tests/faults tests/orchestration/published tests/orchestration/quality/test_breaker.py tests/end_to_end/test_bad_days.py tests/end_to_end/test_online_retail.py tests/end_to_end/test_countries.py tests/end_to_end/test_offline.py tests/end_to_end/test_demo.py tests/end_to_end/test_daemon.py tests/ingestion/test_runs.py tests/dbt/marts/test_whole_project.py tests/dbt/models/test_identity_days.py tests/ingestion/sources $(ARGS)
	@REGULARS_SOAK=1 $(PY) -m pytest -n 2 -m hypothesis $(ARGS)

oracles: ## What other programs answer to the questions of the tests, in environments of their own
	@[ -x .oracles/bin/python ] || $(if $(wildcard $(PY)),$(PY),python3) -m venv .oracles
	@.oracles/bin/python -m pip install -q --disable-pip-version-check lifetimes==0.11.3 "pandas<2.2" "numpy<2" "scipy<1.13"
	@.oracles/bin/python -W ignore tests/orchestration/science/value/cdnow.py
	@[ -x .oracles/attribution/bin/python ] || $(if $(wildcard $(PY)),$(PY),python3) -m venv .oracles/attribution
	@.oracles/attribution/bin/python -m pip install -q --disable-pip-version-check channelattribution==2.2.5 matplotlib scipy
	@.oracles/attribution/bin/python -W ignore tests/orchestration/science/attribution/oracle.py

# An environment of its own: Spark is three times as large as all the rest.
install-spark: $(STAMP) ## Make .venv-spark, from whose bin/regulars runs can be on Spark (docs/scale.md)
	@[ -x .venv-spark/bin/python ] || $(PY) -m venv .venv-spark
	@set -e; uv=$$(command -v uv || command -v $(VENV)/bin/uv || true); \
	if [ -n "$$uv" ]; then \
	  $$uv pip install -q --python .venv-spark/bin/python --require-hashes -r requirements-spark.lock; \
	  $$uv pip install -q --python .venv-spark/bin/python --no-deps --no-build-isolation -e .; \
	else for lock in pip spark; do \
	  .venv-spark/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-$$lock.lock; done; \
	  .venv-spark/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi

# Its home stays, to be built on again.
spark: install-spark ## Build the pretend shop of 300 people on Spark too, and compare (needs Java 17; a quarter of an hour)
	@[ -f .spark-home/published.duckdb ] || $(VENV)/bin/regulars demo --people 300 --home .spark-home
	@.venv-spark/bin/python -m tests.spark.build .spark-home $(SELECT)
	@.venv-spark/bin/python -m tests.spark.build .spark-home --cluster $(SELECT)

lock: $(STAMP) ## Re-resolve requirements.lock from pyproject.toml, and the installers' locks (needs uv)
	@uv pip compile --universal --generate-hashes --group dev pyproject.toml -o requirements.lock --python-version 3.11 -q
	@uv pip compile --universal --generate-hashes --extra spark pyproject.toml -o requirements-spark.lock --python-version 3.11 -q \
	  --constraint requirements.lock --custom-compile-command "make lock"
	@for tool in uv pip; do echo $$tool | uv pip compile - --universal --generate-hashes -o requirements-$$tool.lock \
	  --python-version 3.11 -q --upgrade --custom-compile-command "make lock"; done

clean: ## Remove .venv and caches; never the shop's data
	@rm -rf $(VENV) .venv-spark .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
