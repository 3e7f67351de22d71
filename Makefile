# make run: the main job on embedded real data.  make test: all tests.  make install: the environment alone.
#
# PYTHON is the interpreter, VENV the folder of the environment, EXTRAS the extras of pyproject.toml, and LOCK the file of exact versions; an empty LOCK
# takes the newest versions that pyproject.toml admits. Tests of the extras sdv and neural are skipped where these are not installed. For example:
#   make test PYTHON=python3.13 EXTRAS=dask,excel,sql,s3 LOCK= VENV=.venv313
# An environment that exists is kept as it is: other values need another VENV.
VENV ?= .venv
PYTHON ?= python3
EXTRAS ?= all
LOCK ?= requirements.lock
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

PIP := $(BIN)/pip install --quiet --disable-pip-version-check
comma := ,
torch := $(if $(filter all sdv neural,$(subst $(comma), ,$(EXTRAS))),torch)

# torch first where an extra needs it, and by its exact version, so that the build that is at hand is taken
$(READY): pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "synthcli needs Python 3.11 or newer; set PYTHON=")'
	@echo "installing into $(VENV) (some minutes the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(if $(and $(torch),$(LOCK)),$(PIP) "$$(grep '^torch==' $(LOCK))")
	@$(PIP) $(if $(LOCK),--constraint $(LOCK)) --editable '.[$(EXTRAS:%=%,)dev]'
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
