# Kindling's everyday commands. `make help` lists them.

PORT ?= 8000
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SCALE ?= small
NAMES ?=
export PORT
ifdef STATE_DIR
export STATE_DIR
endif

.DEFAULT_GOAL := help

.PHONY: help
help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8
	@echo
	@echo "PORT=8000 and STATE_DIR=var can be set for each: make demo PORT=8011"

.PHONY: demo
demo: $(VENV)/installed ## run the site with sample data on http://127.0.0.1:8000/
	@exec $(BIN)/python manage.py serve --demo

.PHONY: up
up: $(VENV)/installed ## run the site as it is, without sample data
	@exec $(BIN)/python manage.py serve

MEASURED = -m slipcover --skip-covered --source crm,customers,marketing,analytics --omit '*/migrations/*'

.PHONY: test
test: $(VENV)/installed-dev ## run the tests, on as many processes as there are cores; REQUIRE_FAULTS=1 for the fault tests, too; COVERAGE=1 for a report
	@$(BIN)/python $(if $(COVERAGE),$(MEASURED)) -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: fuzz
fuzz: $(VENV)/installed-dev ## ask every endpoint what its description allows, and what not: FUZZ_EXAMPLES=50 make fuzz
	@REQUIRE_FAULTS=1 $(BIN)/python -m pytest -n auto tests/crm/test_api_fuzzing.py

SCHEMA = SITE_NAME=Kindling $(BIN)/python manage.py spectacular --validate --fail-on-warn --file

.PHONY: schema
schema: $(VENV)/installed-dev ## write docs/openapi.yaml, docs/postman.json and docs/schema.md anew, after a change of the API or the models
	@$(SCHEMA) docs/openapi.yaml
	@SITE_NAME=Kindling $(BIN)/python manage.py postman --file docs/postman.json
	@SITE_NAME=Kindling $(BIN)/python manage.py describe_schema --file docs/schema.md

.PHONY: lint
lint: $(VENV)/installed-dev ## style, types, layers, weaknesses, deployment settings, missing migrations, and whether docs/openapi.yaml, postman.json and schema.md are true
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --severity-level medium --recursive --configfile pyproject.toml crm customers marketing analytics
	SITE_URL=https://kindling.example PROXIES=1 $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(SCHEMA) $(VENV)/openapi.yaml
	SITE_NAME=Kindling $(BIN)/python manage.py postman --file $(VENV)/postman.json
	SITE_NAME=Kindling $(BIN)/python manage.py describe_schema --file $(VENV)/schema.md
	@for file in openapi.yaml postman.json schema.md; do \
		diff -u docs/$$file $(VENV)/$$file || { echo "docs/$$file is not what the code says: run make schema, and commit it."; exit 1; }; done

.PHONY: audit
audit: $(VENV)/installed-dev ## compare the pinned packages with PyPI's advisories, or say that they could not be asked for
	@$(BIN)/pip-audit --requirement requirements.txt --no-deps --disable-pip >$(VENV)/audit.txt 2>&1; status=$$?; \
		if grep -qE "could not be audited|ConnectionError|Max retries" $(VENV)/audit.txt; then \
			echo "NOT AUDITED: PyPI's advisories could not be asked for $$(grep -c "could not be audited" $(VENV)/audit.txt) packages. Run make audit where they can."; \
			grep -E -A99 "^Found [1-9]" $(VENV)/audit.txt; exit $$((!$$?)); \
		fi; cat $(VENV)/audit.txt; exit $$status

.PHONY: bench
bench: $(VENV)/installed-dev ## measure against references in the same run: make bench SCALE=full NAMES="import"
	@$(BIN)/python -m benchmarks --scale $(SCALE) $(NAMES)

.PHONY: lock
lock: $(VENV)/installed-dev ## pin what requirements*.in ask for, at the newest versions that fit
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links requirements.in
	$(BIN)/pip-compile --quiet --upgrade --strip-extras --no-header --no-emit-index-url --no-emit-find-links requirements-dev.in

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Kindling needs Python 3.11 or newer: make demo PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "This Python has no venv: install it first (Debian and Ubuntu: apt-get install python3-venv)."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(BIN)/python
	@echo "Installing what Kindling needs into $(VENV)…"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
