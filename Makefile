# The commands of this checkout. Only Python 3.11 or newer with pip is needed: no root, no Docker, no installed server.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# Processes of the test run; 0 for one process with readable output.
TEST_PROCESSES ?= 2
PYTEST := $(PY) -m pytest
# Cases of the year that ends the proof.
PROCEDURES ?= 10000
# Each of these commands starts dozens of processes of our own code: Python compiles it once and keeps it, wherever it was told not to.
export PYTHONDONTWRITEBYTECODE :=
SERVERS := $(PY) -m clinic.embedded_servers run --

.PHONY: run test proof check bench vendor screenshots lock clean venv-run venv-test venv-dev venv-bench

run: export DEMO ?= 1
run: export DEBUG ?= 0
run: venv-run
	@exec $(PY) -m clinic.supervisor --end-with-parent

test: venv-test
	$(PYTEST) -m "not proof" -n $(TEST_PROCESSES) --dist worksteal $(ARGS)

proof: venv-test
	$(PYTEST) -m proof $(ARGS)
	$(PY) manage.py simulate --procedures $(PROCEDURES) --look 15

check: venv-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) manage.py check --fail-level WARNING
	env $$(cat deploy/check.env) $(PY) manage.py check --deploy --fail-level WARNING
	$(SERVERS) $(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py clinical_content --check
	$(PY) manage.py follow_ups --check
	$(PY) scripts/vendor.py --check
	$(PY) -m scripts.translations --check
	$(PY) -m djlint --lint --quiet templates

bench: venv-bench
	$(PY) -m bench $(ARGS)

vendor: venv-run
	$(PY) scripts/vendor.py

screenshots: venv-test
	$(PY) -m scripts.screenshots $(ARGS)

# The same versions in all four; uv is needed here only.
lock: venv-dev
	sh scripts/lock.sh

clean:
	rm -rf var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

venv-run venv-test venv-dev venv-bench: venv-%:
	@$(PYTHON) scripts/bootstrap.py $*
