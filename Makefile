# Two commands for a machine with Python and nothing else: `make run` and `make test`.
#
# Packages come from requirements/*.txt, locked with hashes. What was installed is remembered as a
# copy of that file inside .venv, so a second start compares two files and calls nobody.

VENV := .venv
PY   := $(VENV)/bin/python

# The first Python that is new enough; `make PYTHON=/path/to/python run` names another.
NEW_ENOUGH := import sys; raise SystemExit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c '$(NEW_ENOUGH)' 2>/dev/null && { echo "$$name"; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help run test soak test-database specs check fmt bench assets clean run-packages dev-packages venv

help:
	@echo 'make run      start Insula with its database, and say where to look'
	@echo 'make test     run the tests; ARGS="-k name" chooses some'
	@echo 'make soak     repeat at length what chance decides: crossings, made-up calls'
	@echo 'make test-database URL=postgresql://superuser:...@host/postgres'
	@echo '              the database tests on another PostgreSQL, 15 or newer'
	@echo 'make specs    write docs/specs.md: what is tested, by requirement'
	@echo 'make check    lint, format, types, import contracts and the Helm chart'
	@echo 'make fmt      format, and repair what can be repaired'
	@echo 'make bench    measure'
	@echo 'make assets   fetch fonts and icons'
	@echo 'make clean    remove everything that was made here, the development database too'

run: run-packages
	@$(PY) -m insula.ui.build
	@exec $(PY) -m insula.platform.cli dev

# Three at a time on two cores: a quarter of a test's time is waiting, for disks, browsers and clocks.
test: dev-packages
	@$(PY) -m insula.ui.build
	@exec $(PY) -m pytest -n 3 $(ARGS)

soak: dev-packages
	@$(PY) -m insula.ui.build
	@exec $(PY) -m pytest -n 2 --soak tests/providers/test_interleavings.py tests/management_api/test_description.py $(ARGS)

test-database: dev-packages
	@test -n "$(URL)" || { echo 'name the server: make test-database URL=postgresql://...' >&2; exit 2; }
	@TEST_DATABASE_URL="$(URL)" exec $(PY) -m pytest -n 2 tests/rls tests/stores tests/tenancy tests/keys $(ARGS)

specs: dev-packages
	@said=$$($(PY) -m pytest --collect-only -qq --specs=docs/specs.md 2>&1) || { \
		echo "$$said" | tail -n 30 >&2; exit 1; }

check: dev-packages
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) -m tools.chart

fmt: dev-packages
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

bench: dev-packages
	@$(PY) -m insula.ui.build
	@exec $(PY) -m bench $(ARGS)

assets: run-packages
	@$(PY) -m insula.ui.build

clean:
	@if [ -e .insula/run.lock ] && ! flock --nonblock .insula/run.lock true; then \
		echo 'Insula runs in this folder: stop it first' >&2; exit 1; fi
	rm -rf $(VENV) .insula insula/ui/static/vendor build *.egg-info .coverage* .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

run-packages: venv
	$(call install,run)

dev-packages: venv
	$(call install,dev)

# $(1) names a locked set. Without --no-deps pip would resolve again what the lock has settled.
define install
	@cmp -s requirements/$(1).txt $(VENV)/installed-$(1).txt || { \
		echo 'Installing the packages of requirements/$(1).txt ...'; \
		$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
			-r requirements/$(1).txt && \
		cp requirements/$(1).txt $(VENV)/installed-$(1).txt; }
endef

# A path file makes the project importable from anywhere without building it. Its line leads from
# .venv/lib/pythonX.Y/site-packages to this folder; it is written last, and says that all is done.
venv:
	@$(PY) -I -c 'import insula' 2>/dev/null || { \
		$(or $(PYTHON),false) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
			echo 'Insula needs Python 3.11 or newer; there is none on the PATH' >&2; exit 1; }; \
		$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
			echo 'Python cannot make virtual environments here: apt-get install python3-venv' >&2; \
			exit 1; }; \
		$(PYTHON) -m venv --clear $(VENV) && \
		printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m insula.platform.cli "$$@"\n' > $(VENV)/bin/insula && \
		chmod +x $(VENV)/bin/insula && \
		echo ../../../.. > "$$(echo $(VENV)/lib/python3.*/site-packages)/insula.pth"; }
