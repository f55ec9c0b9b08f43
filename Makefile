# Everything runs in .venv, which these targets build by themselves. Needs Python 3.11 or newer.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

TRAINERS := trl,llamafactory
ENVIRONMENTS := .venv-trainers
# Where a CPU build of torch comes from, if the usual index would send one with CUDA, for instance
# TRAINERS_PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
TRAINERS_PIP_ARGS ?=
comma := ,
space := $(subst ,, )
EVERY_TRAINER := $(filter-out %.nodeps,$(patsubst tests/trainers/environments/%.txt,%,\
	$(wildcard tests/trainers/environments/*.txt)))

.PHONY: demo test check lint types contracts docs test-trainers test-trainers-all bench torture seek fuzz mutants lock audit \
	clean

demo: .venv/.run
	$(BIN)/labelkit tour

test: .venv/.dev
	$(BIN)/python -m pytest -q -n auto --dist worksteal

# The same harnesses as in `make test`, planted faults included, to their ends: hours. KILLS is for
# each job. SECONDS=600 make torture shares ten minutes among them, in another order each time.
KILLS ?= 2000
torture: .venv/.dev
	cd tests && ../$(BIN)/python -m torture --kills $(KILLS) $(if $(SECONDS),--seconds $(SECONDS))

# The properties, with other examples each time. A failure is kept in .hypothesis, and tried first.
seek: .venv/.dev
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m hypothesis --hypothesis-profile=seek

# The readers, with inputs that nobody would write. FUZZ_SECONDS is for each; it follows coverage if
# atheris is there (pip install atheris), and mutates blindly if not.
FUZZ_SECONDS ?= 60
READERS := records files guidelines config grammar gold answers bundles
fuzz: .venv/.dev
	@how=$$($(BIN)/python -c 'import atheris' 2>/dev/null && echo --atheris || true); \
	for reader in $(READERS); do \
	(cd tests && ../$(BIN)/python -m fuzz $$reader --seconds $(FUZZ_SECONDS) $$how) || exit 1; done

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

# pip compiles what it installs, but not what it only links to: that would be done at a first start,
# and at every start where PYTHONDONTWRITEBYTECODE is set.
COMPILE := $(BIN)/python -m compileall -q labelkit

.venv/.run: .venv/bin/python pyproject.toml
	$(PIP) install -e .
	$(COMPILE)
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml
	$(PIP) install -e '.[dev]'
	$(COMPILE)
	@touch $@ .venv/.run

# Run real trainers, or at least their loaders, on real exports, each in an environment of its own.
test-trainers: .venv/.dev $(patsubst %,$(ENVIRONMENTS)/%/.done,$(subst $(comma), ,$(TRAINERS)))
	$(BIN)/python -m pytest -q tests/trainers --trainers $(TRAINERS)

# Every trainer that has an environment; takes its time.
test-trainers-all:
	$(MAKE) test-trainers TRAINERS=$(subst $(space),$(comma),$(EVERY_TRAINER))

$(ENVIRONMENTS)/%/.done: tests/trainers/environments/%.txt
	@test -n "$(PYTHON)" || { echo "labelkit needs Python 3.11 or newer" >&2; exit 1; }
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install $(TRAINERS_PIP_ARGS) torch==2.13.0
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install $(TRAINERS_PIP_ARGS) -r $<
	@if test -f $(<:.txt=.nodeps.txt); then \
		$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps -r $(<:.txt=.nodeps.txt); fi
	@touch $@

# Every dependency at one version, with hashes. Indexes come from the settings of pip and uv.
lock: .venv-ci/.done
	.venv-ci/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --native-tls --quiet --output-file .ci/requirements.lock

audit: .venv-ci/.done
	.venv-ci/bin/python .ci/dependencies.py check
	.venv-ci/bin/python .ci/dependencies.py audit

.venv-ci/.done:
	@test -n "$(PYTHON)" || { echo "labelkit needs Python 3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip --disable-pip-version-check --quiet install uv pip-audit packaging
	@touch $@

# Peers live in an environment of their own; ours stays as users have it.
bench: .venv/.dev .venv-peers/.done
	$(BIN)/python -m benchmarks

.venv-peers/.done: benchmarks/peers.txt benchmarks/peers.nodeps.txt
	@test -n "$(PYTHON)" || { echo "labelkit needs Python 3.11 or newer" >&2; exit 1; }
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(PYTHON) -m benchmarks._peers
	@touch $@

# Change the statistics and the domain a little, everywhere, and see whether one of their own tests
# notices. What survives is listed; MUTANTS="labelkit.agreement.gwet*" takes a slice, and a second
# run goes on where one ended.
MUTANTS ?= labelkit.agreement.* labelkit.consensus.* labelkit.domain.*
mutants: .venv/.dev
	$(PIP) install mutmut==3.8.1
	set -f; $(BIN)/mutmut run $(MUTANTS)
	$(BIN)/mutmut results

clean:
	rm -rf .venv .venv-ci .venv-peers $(ENVIRONMENTS) mutants build dist *.egg-info
