# Every target sets up .venv by itself. PYTHON=python3.12 chooses another Python; pip's own PIP_* settings apply.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup lab grade test soak release bench moved

BIN := .venv/bin
READY := .venv/.ready
RELEASE ?= build/backprop-to-alexnet
# JupyterLab refuses to run as root unless it is told to.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

# An environment that we made in another place has that place's paths in it: it is made afresh.
MOVED := $(shell [ -e $(READY) ] && [ "$$(cat $(READY))" != "$$(pwd -P)" ] && echo moved)

help:
	@echo "make setup    installs everything into .venv (the other targets do this by themselves)"
	@echo "make lab      copies missing notebooks to work/ and opens JupyterLab there"
	@echo "make grade    builds the release and grades the class in sample_class/"
	@echo "make test     runs the whole test suite"
	@echo "make soak     runs the tests that take long: large classes, hundreds of regrades, thousands of damaged notebooks, the bank on 20 seeds"
	@echo "make release  makes the students' folder and zip: $(RELEASE)"
	@echo "make bench    measures how fast grading is"

setup: $(READY)
	@echo "Ready: $(BIN)/autograder and the targets of 'make help'."

$(READY): pyproject.toml requirements.txt $(MOVED)
	@set -euo pipefail; python=; \
	for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "This course needs Python 3.11 or newer, and none was found: install one, or name it with PYTHON=/path/to/python3." >&2; \
	    exit 1; \
	fi; \
	if [ -n "$(MOVED)" ]; then rm -rf .venv; fi; \
	if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	    if ! "$$python" -m venv --clear .venv >/dev/null 2>&1; then \
	        echo "$$python cannot make a virtual environment: install its venv module (on Debian and Ubuntu: apt-get install python3-venv)." >&2; \
	        exit 1; \
	    fi; \
	fi; \
	count=$$(grep -c '==' requirements.txt); log=.venv/setup.log; \
	echo "Installing $$count packages into .venv: a few minutes the first time, most of it for PyTorch."; \
	if ! { $(BIN)/python -m pip install -r requirements.txt \
	       && $(BIN)/python -m pip install --no-deps --no-build-isolation -e .; } 2>&1 | tee $$log | awk -v total=$$count \
	    '/^(Collecting|Processing|Requirement already satisfied: [^ ]*==)/ { if (++n % 30 == 0) { print "  " n " of " total " found"; fflush() } } \
	     /^Installing collected/ && !installing++ { print "  installing"; fflush() } \
	     /^ERROR/ { print; fflush() }'; then \
	    echo "The installation failed; the last lines of $$log:" >&2; tail -n 5 $$log >&2; \
	    exit 1; \
	fi; \
	pwd -P > $(READY)

lab: $(READY)
	@$(BIN)/python -m autograder.build.workspace notebooks work
	@cd work && ../$(BIN)/jupyter lab $(AS_ROOT)

grade: $(READY)
	@$(BIN)/autograder build
	@$(BIN)/autograder grade --course-dir sample_class
	@$(BIN)/autograder feedback --course-dir sample_class
	@$(BIN)/autograder report --course-dir sample_class

test: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

soak: $(READY)
	@SOAK=1 $(BIN)/python -m pytest tests/test_soak.py tests/test_fuzz.py tests/test_journal.py tests/test_bank.py

release: $(READY)
	@$(BIN)/autograder build
	@$(BIN)/autograder release $(RELEASE)

bench: $(READY)
	@$(BIN)/python -m benchmarks
