# Everything here needs Python 3, make and git; the rest is installed below, inside the checkout.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

python_version := 3.13
root := $(CURDIR)
uv := .bootstrap/bin/uv
python := .venv/bin/python
environment := .venv/.installed
checks := .checks/.installed
# The newest Python on the machine need not be the one the project runs on: any Python 3 starts it.
PYTHON ?= python3

export PATH := $(root)/.venv/bin:$(PATH)
# Groups (tests that share an engine, a stack, a build) stay with one worker. A worker that crashes
# ends the run and names its test: started anew under groups, xdist 3.8 waits for ever.
parallel := --numprocesses=auto --maxprocesses=4 --dist=loadgroup --max-worker-restart=0

# What no secret can be told from by its looks is left to ruff and to readers; hashes and golden inputs (which are made
# up, or from AWS's documentation) are not looked at, nor what is made of samples.
scanned := -- ':!*requirements*.txt' ':!tests/formats' ':!docs/log-types'
not_secrets := $(foreach plugin,Base64HighEntropyString HexHighEntropyString IPPublicDetector,--disable-plugin $(plugin)) \
  --exclude-secrets '^(test|none|false)$$' --exclude-lines 'secretsmanager:' --no-verify

# A package address from a user's environment must not reach a checkout's Python.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV

.PHONY: help env up demo down test test-quick check format docs cases columns bench lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

env: $(environment) ## install everything into .venv (its command: .venv/bin/servicelogs)

up: $(environment) ## start the stack on this machine (SEARCH=opensearch: a real OpenSearch; ACCOUNTS=2: a member account too)
	@$(python) -m local up

demo: $(environment) ## send sample logs through the stack, wait for every record, search them (ACCOUNTS=2: a member account too)
	@$(python) -m local demo

down: $(environment) ## stop the stack and everything it started
	@$(python) -m local down

test: $(environment) ## run all tests (TESTS="tests/local -k ports": some of them)
	@$(python) -m pytest $(if $(TESTS),$(TESTS),$(parallel))

test-quick: $(environment) ## run the tests that need no real OpenSearch, stack, build or large input (a minute)
	@$(python) -m pytest $(parallel) --hypothesis-profile=quick -m "not (engine or end_to_end or build or slow)"

check: $(environment) $(checks) ## check format, lint, types, templates, panels, secrets and locked versions; change nothing
	$(python) -m ruff format --check --quiet .
	$(python) -m ruff check --quiet .
	$(python) -m mypy
	$(python) -m pytest -q tests/templates
	$(python) requirements/lock.py --check
	@PYTHONPATH=layers/service_logs $(python) -m servicelogs panels --check
	@PYTHONPATH=layers/service_logs:. $(python) -m docs.generate --check
	@rm -rf .checks/stacks && PYTHONPATH=layers/service_logs:. $(python) -m tests.templates.deployed .checks/stacks
	.checks/bin/checkov --config-file .checkov.yaml --directory .checks/stacks
	@git ls-files -z $(scanned) | xargs -0 .checks/bin/detect-secrets-hook $(not_secrets)
	.checks/bin/python requirements/audit.py

format: $(environment) ## write the code the way `make check` wants it
	$(python) -m ruff check --fix --quiet .
	$(python) -m ruff format --quiet .

docs: $(environment) ## write the parts of pages that follow from formats and templates
	@PYTHONPATH=layers/service_logs:. $(python) -m docs.generate

cases: $(environment) ## write what is expected of the golden inputs (CASES="waf/* alb/ipv6": of some)
	@PYTHONPATH=layers/service_logs:. $(python) -m tests.formats.make_cases $(foreach case,$(CASES),'$(case)')

columns: $(environment) ## publish new columns: append them to those of the lake's tables
	@PYTHONPATH=layers/service_logs:. $(python) -m tests.lake.publish_columns

bench: $(environment) ## measure records per CPU second (TYPES="alb waf"; BESIDE=../other: compare with it)
	@PYTHONPATH=layers/service_logs:. $(python) -m tests.benchmarks $(TYPES) $(if $(BESIDE),--beside $(BESIDE))

lock: $(environment) ## compile requirements (UPGRADE=1: to the newest versions)
	@$(python) requirements/lock.py $(if $(UPGRADE),--upgrade)

clean: ## stop the stack, then remove what was built and installed
	@if [ -x $(python) ] && [ -d .local ]; then $(python) -m local down; fi
	@rm -rf .venv .checks .bootstrap .aws-sam .local .pytest_cache .mypy_cache .ruff_cache .hypothesis

# uv, by its hashes, in an environment of its own.
$(uv): requirements/uv.txt
	@echo "installing uv"
	@rm -rf .bootstrap
	@$(PYTHON) -m venv .bootstrap || { rm -rf .bootstrap; \
	  echo "make: $(PYTHON) cannot make a virtual environment (on Debian: apt-get install python3-venv)"; exit 1; } >&2
	@.bootstrap/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --requirement requirements/uv.txt
	@touch $@

# A .venv whose Python has gone is made anew; else only what changed is installed.
$(environment): $(uv) requirements/dev.txt local/find_python.py Makefile
	@echo "installing the environment"
	@[ -x $(python) ] && $(python) -c '' 2>/dev/null || \
	  $(uv) venv --quiet --clear --python "$$($(PYTHON) local/find_python.py $(python_version))" .venv
	@$(uv) pip sync --quiet --require-hashes --python .venv requirements/dev.txt
	@printf '%s\n' '#!/bin/sh' \
	  "PYTHONPATH='$(root)/layers/service_logs' exec '$(root)/.venv/bin/python' -P -m servicelogs \"\$$@\"" \
	  > .venv/bin/servicelogs
	@chmod +x .venv/bin/servicelogs
	@touch $@

# What checkov wants of boto3 the project cannot have.
$(checks): $(uv) requirements/checks.txt local/find_python.py Makefile
	@echo "installing the checks"
	@$(uv) venv --quiet --clear --python "$$($(PYTHON) local/find_python.py $(python_version))" .checks
	@$(uv) pip sync --quiet --require-hashes --python .checks requirements/checks.txt
	@touch $@
