# `make demo` shows Sanmiao, `make test` proves it. Needs Python 3.11 or newer, make and git; everything else goes into .venv.

VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
# uv resolves the locks; who only installs from them does not need it.
UV := uv==0.13.9
LOCK := $(VENV)/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11

# The first interpreter that is new enough; `make PYTHON=/path/to/python …` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

# Test processes: half as many again as cores, because stories wait for other processes; no more than six.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(6, (os.cpu_count() or 1) * 3 // 2))')

.PHONY: help setup demo test check format lock clean

help:
	@echo 'make demo    the company on your machine: phones on a web page, and the bot (Ctrl-C ends it)'
	@echo 'make test    all tests'
	@echo 'make check   format, lint, types, import rules, all tests: what CI runs'
	@echo 'make format  put the code into shape'
	@echo 'make setup   only install what the others need into .venv'
	@echo 'make lock    resolve the dependencies of pyproject.toml anew (maintainers)'

setup: $(VENV)/.dev

demo: $(VENV)/.runtime
	@$(VENV)/bin/python run.py demo

test: $(VENV)/.dev
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal

check: $(VENV)/.dev
	@$(VENV)/bin/ruff format --check
	@$(VENV)/bin/ruff check
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache
	@$(MAKE) --no-print-directory test

format: $(VENV)/.dev
	@$(VENV)/bin/ruff format
	@$(VENV)/bin/ruff check --fix

lock:
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip --disable-pip-version-check --quiet install $(UV)
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --extra s3 -c requirements.lock -o requirements-s3.lock
	$(LOCK) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .demo

# The stamps remember that a lock is installed; a changed lock is installed again.
$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo 'Installing the development tools into $(VENV) …'
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/.runtime: requirements.lock | $(VENV)/bin/python
	@echo 'Installing Sanmiao into $(VENV) …'
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(VENV)/bin/python:
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is needed; install it, or say where it is: make PYTHON=/path/to/python' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
