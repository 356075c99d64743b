# The commands of CONTRIBUTING.md. Everything runs in .venv, which `make install` makes.
PYTHON ?= .venv/bin/python

.PHONY: install test lint types docs coverage benchmarks

install:
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --editable ".[test,docs,dev]"

test:
	$(PYTHON) -m pytest

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

types:
	$(PYTHON) -m mypy

docs:
	$(PYTHON) -m sphinx -W --keep-going -q -b html docs docs/_build

coverage:
	$(PYTHON) -m coverage run -m pytest
	$(PYTHON) -m coverage report

benchmarks:
	.venv/bin/python -m pip install --quiet ".[bench]"
	for script in $(filter-out benchmarks/timing.py benchmarks/refinement.py, $(wildcard benchmarks/*.py)); do $(PYTHON) $$script; done
