# Set-up needs Python 3.11, git and make; everything else is installed into .venv by hash. Another Python has
# the current stack (docs/stacks.md), in a VENV of its own: make setup PYTHON=python3.13 VENV=.venv313
PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV ?= .venv
INTERPRETER = $(or $(wildcard $(VENV)/bin/python),$(PYTHON))
# That of .venv is 3.11: nobody gets other numbers without having asked for them.
PYTHONS = 3.11 $(if $(filter-out .venv,$(VENV)),3.12 3.13)
INSTALLED := $(VENV)/.installed
INSTALLED_SPARK := $(VENV)/.installed-spark
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export TF_CPP_MIN_LOG_LEVEL := 3
# DVC unpickles what it finds in its site cache, by default a directory that everybody may write to.
SITE_CACHE := .dvc/tmp/site_cache
export DVC_SITE_CACHE_DIR := $(CURDIR)/$(SITE_CACHE)
BUILD_TOOLS := setuptools\|wheel
# Tests write and read thousands of small files, and DuckDB waits for the disk at each: in memory, if there is room.
ROOM := $(shell df --output=avail /dev/shm 2>/dev/null | tail -n 1)
IN_MEMORY := $(shell test "$(ROOM)" -gt 4000000 2>/dev/null && test -w /dev/shm && echo /dev/shm)

.DEFAULT_GOAL := help
.PHONY: help clone setup data repro test test-pipeline test-slow test-spark test-all setup-spark cluster-demo lint format gate study prune benchmark scaling readme lock

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(INSTALLED): requirements.lock pyproject.toml
	@$(INTERPRETER) -c 'import sys, venv, ensurepip; sys.exit("%d.%d" % sys.version_info[:2] not in sys.argv)' \
	  $(PYTHONS) 2>/dev/null || { \
	  echo "offerbench needs Python 3.11 with its venv module; '$(INTERPRETER)' is not that." >&2; \
	  echo "Install it, or name it: make $(or $(MAKECMDGOALS),setup) PYTHON=/path/to/python3.11" >&2; \
	  echo "Python 3.12 and 3.13 have another stack, in a VENV of its own: see docs/stacks.md" >&2; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@# A package that is built here is built by the locked tools; left to itself, pip would fetch others for that.
	@sed -n '/^\($(BUILD_TOOLS)\)==/,/# via/p' requirements.lock > $(VENV)/build-tools.lock
	$(VENV)/bin/python -m pip install --quiet --require-hashes --no-deps --requirement $(VENV)/build-tools.lock
	$(VENV)/bin/python -m pip install --quiet --require-hashes --no-deps --no-build-isolation \
	  --requirement requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(VENV)/bin/python -c 'import lightgbm' 2>/dev/null || { \
	  echo "LightGBM can't be loaded without libgomp.so.1. Install it (Debian: libgomp1), then make again." >&2; exit 1; }
	@# For a shell with `source .venv/bin/activate`.
	@grep -q DVC_SITE_CACHE_DIR $(VENV)/bin/activate || \
	  echo 'export DVC_SITE_CACHE_DIR="$(DVC_SITE_CACHE_DIR)"' >> $(VENV)/bin/activate
	@touch $@

$(SITE_CACHE):
	@mkdir -p -m 700 $@

clone:
	@command -v git >/dev/null || { echo "offerbench needs git. Install it first." >&2; exit 1; }
	@git rev-parse --git-dir >/dev/null 2>&1 || { \
	  echo "This directory is in no git repository, and DVC needs one. Get offerbench by git clone, or make one" >&2; \
	  echo "of it: git init && git add --all && git commit --message Start" >&2; exit 1; }

$(INSTALLED_SPARK): $(INSTALLED) requirements-spark.lock
	$(VENV)/bin/python -m pip install --quiet --require-hashes --no-deps --no-build-isolation \
	  --requirement requirements-spark.lock
	@touch $@

setup-spark: setup $(INSTALLED_SPARK) ## Install PySpark too, half a gigabyte; it needs Java 17.

setup: clone $(INSTALLED) $(SITE_CACHE) ## Install the locked dependencies and offerbench into .venv (once).

data: setup ## Fetch the data set of params.yaml into data/raw; files that are there stay as they are.
	offerbench fetch
	@test ! -d data/raw/complete_journey || dvc commit --quiet --force data/raw/complete_journey.dvc

repro: data ## Run the whole pipeline, two stages at a time (JOBS), and print the tables.
	offerbench repro --jobs $(or $(JOBS),2)
	@cat reports/wauc.md reports/campaigns.md

test test-pipeline test-slow test-all: export TMPDIR := $(or $(IN_MEMORY),$(TMPDIR),/tmp)

test: setup ## Run the quick tests, in some minutes.
	python -m pytest -n 2 --dist loadfile -m "not slow and not pipeline and not spark"

test-pipeline: setup ## Run the tests of the pipeline that are not slow: DVC runs it on a small data set.
	python -m pytest -n 2 --dist loadgroup -m "pipeline and not slow and not spark"

test-slow: setup ## Run the slow tests: runs of the pipeline that are killed, experiments, long trainings.
	python -m pytest -n 2 --dist loadgroup -m "slow and not spark"

test-spark: setup-spark ## Run the tests that start Spark, which must not be missing; with QUICK=1 not the slow ones.
	@command -v java >/dev/null || { echo "Spark needs Java 17. Install it (Debian: default-jre-headless)." >&2; exit 1; }
	python -m pytest -m "spark$(if $(QUICK), and not slow)"

test-all: test ## Run all tests but those of Spark; the small pipeline runs once for the last two kinds.
	python -m pytest -n 2 --dist loadgroup -m "(pipeline or slow) and not spark"

lint: setup ## Check style (ruff) and types (mypy).
	ruff check .
	ruff format --check .
	mypy

format: setup ## Put the code in ruff's format.
	ruff check --fix .
	ruff format .

gate: setup ## Compare metrics/ with a revision (BASELINE, default main): fails when a wAUC fell.
	offerbench gate --baseline $(or $(BASELINE),main)

study: data ## Run several set-ups and tabulate them: make study NAME=seeds (a file of studies/).
	offerbench study $(NAME)

prune: setup ## Remove models of tasks that params.yaml no longer names.
	offerbench prune

benchmark: data ## Measure against plain twins; writes benchmarks/results.json and .md (after make repro).
	python -m benchmarks

scaling: setup ## Measure prepare and rebatch on 1 to 100 million synthetic rows.
	python -m benchmarks.scaling

cluster-demo: setup-spark ## Prepare and evaluate ROWS (300000) synthetic rows on a Spark cluster here and compare.
	python -m benchmarks.cluster_demo --rows $(or $(ROWS),300000)

readme: setup ## Put the committed results into README.md and docs/.
	offerbench readme

lock: setup ## Resolve pyproject.toml again, for all Pythons, and write requirements.lock.
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --extra peers --generate-hashes \
	  --no-emit-index-url --no-header --upgrade pyproject.toml --output-file requirements.lock
	@python -c 'import tomllib; of = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	  print(*of["optional-dependencies"]["spark"], sep="\n")' | \
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade --constraint requirements.lock - --output-file requirements-spark.lock
