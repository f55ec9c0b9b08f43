# Everything runs in .venv, which these targets build by themselves. Needs Python 3.11 or newer.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test check lint types contracts docs test-trainers bench torture clean

demo: .venv/.run
	$(BIN)/labelkit tour

test: .venv/.dev
	$(BIN)/python -m pytest -q

# The same harnesses as in `make test`, for hours instead of minutes. KILLS is for each job.
KILLS ?= 2000
torture: .venv/.dev
	@for job in ranking importing exporting migrating restoring; do \
	(cd tests && ../$(BIN)/python -m torture.kills $$job --kills $(KILLS)) || exit 1; done
	cd tests && ../$(BIN)/python -m torture.power --labels 40

check: lint types contracts test

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(BIN)/mypy

contracts: .venv/.dev
	$(BIN)/lint-imports

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "labelkit needs Python 3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: .venv/bin/python pyproject.toml
	$(PIP) install -e .
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml
	$(PIP) install -e '.[dev]'
	@touch $@ .venv/.run

# torch first, and alone: what asks for it later is then content with the CPU build.
.venv-trainers/trl/.stamp: .venv/bin/python pyproject.toml
	.venv/bin/python -m venv .venv-trainers/trl
	.venv-trainers/trl/bin/python -m pip --quiet --disable-pip-version-check install torch==2.13.0
	.venv-trainers/trl/bin/python -m pip --quiet --disable-pip-version-check install \
		trl==1.16.0 pytest pytest-asyncio hypothesis -e .
	@touch $@

test-trainers: .venv-trainers/trl/.stamp
	.venv-trainers/trl/bin/python -m pytest -q tests/trainers

bench: .venv/.dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist *.egg-info
