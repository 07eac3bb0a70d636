# setup · demo · quick · test · check · full · site · release · audit · version · fuzz · bench · kit · corpora · repair-matrix:
# everything lives in .venv, build/ and dist/, nothing else is touched.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
PACKAGES := -p aiops_core $(foreach d,$(wildcard plugins/*/*/aiops_*),-p $(notdir $(d)))

.PHONY: setup demo quick test check full site release audit version fuzz bench kit corpora repair-matrix format docs clean

.venv/.run: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or run make PYTHON=/path/to/python"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) -e .
	@$(BIN)/python -m compileall -q aiops_core plugins
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt $(wildcard plugins/*/*/pyproject.toml)
	@$(PIP) -r requirements-dev.txt
	@touch $@

setup: .venv/.dev

demo: .venv/.run
	@$(BIN)/aiops demo

# The core alone, without what needs other programs: within a minute.
quick: .venv/.dev
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m "not full" $(addprefix tests/,text policy analysis draft store contract)

# Twice as many workers as two cores: half of the time a test waits for what it started.
test: .venv/.dev
	@scripts/install-test-tools
	@$(BIN)/python -m pytest -n 4 --dist loadfile -m "not full" -rs

full: .venv/.dev
	@scripts/install-test-tools
	@$(BIN)/python -m pytest -n 4 --dist loadfile -rs

check: .venv/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES)
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/docs.py --check
	@$(BIN)/python scripts/size.py

docs: .venv/.dev
	@$(BIN)/python scripts/docs.py

site: .venv/.dev
	@$(BIN)/python scripts/site.py

# Packages and a bill of materials in dist/: built, checked, each installed alone.
release: .venv/.dev
	@$(PIP) -r requirements-release.txt
	@$(BIN)/python scripts/release.py

# Is a weakness known in anything the packages in dist/ depend on?
audit: .venv/.dev
	@$(PIP) -r requirements-release.txt
	@$(BIN)/python scripts/release.py --audit

version: .venv/.dev
	@$(BIN)/python scripts/version.py $(VERSION)

format: .venv/.dev
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format -q .

fuzz: .venv/.dev
	@AIOPS_FUZZ=$${AIOPS_FUZZ:-2000} $(BIN)/python -m pytest -n 2 tests/fuzz

bench: .venv/.dev
	@$(BIN)/python benchmarks/run.py

# A plugin of each kind from nothing to its passing contract, in an environment of its own; every bundled plugin's contract.
kit: .venv/.dev
	@cd tests && ../$(BIN)/python -m kit $(KINDS)

corpora: .venv/.dev
	@$(BIN)/python scripts/corpora.py

# CASES=folder runs its cases instead of the project's own; GUARDS=1, ONLY='case/answer', JOBS=n, JSON=1: docs/repair-matrix.md
repair-matrix: .venv/.dev
	@cd tests && ../$(BIN)/python -m repair_matrix $(if $(CASES),--cases "$(abspath $(CASES))") \
	  $(if $(ONLY),--only '$(ONLY)') $(if $(JOBS),--jobs $(JOBS)) $(if $(JSON),--json) $(if $(GUARDS),--guards)

clean:
	rm -rf .venv build dist demo-output
