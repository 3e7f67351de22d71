# make run: the main job on embedded real data.  make test: all tests.  make install: the environment alone.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test check format bench docs house install lock clean

run: install
	@$(BIN)/synth run specs/quickstart.yaml

# with the browser and the database that some tests start, where they can be had
test: install
	@env $$(.ci/system) $(BIN)/python -m pytest -n auto $(ARGS)

check: install
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: install
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: install
	@$(BIN)/python -m tests.benchmarks $(if $(DATA),--data "$(DATA)") $(if $(ENGINES),--engines "$(ENGINES)") $(if $(JUDGE),--judge "$(JUDGE)") $(ARGS)

docs: install
	@$(BIN)/python -c 'from synthcli.report.reference import markdown; print(markdown(), end="")' > docs/reference.md

house: install
	@$(BIN)/python -m tests.contracts.house

install: $(READY)

# torch first and by its exact version, so that the build that is at hand is taken
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "synthcli needs Python 3.11 or newer; set PYTHON=")'
	@echo "installing into $(VENV) (some minutes the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements.lock)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[all,dev]'
	@touch $(READY)

# the lock again, from what pyproject.toml admits today
lock:
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet "$$(grep '^torch==' requirements.lock)"
	$(VENV)-lock/bin/pip install --quiet '.[all,dev]'
	$(VENV)-lock/bin/pip freeze --exclude synthcli | sed 's/+cpu$$//' > requirements.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) artifacts .pytest_cache .mypy_cache .ruff_cache
