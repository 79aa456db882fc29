# The chores of this repository; `make help` lists them.
.DEFAULT_GOAL := help
SHELL := bash
.PHONY: help install format style check test test-all bench

help: ## List these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Install everything into .venv (seconds when nothing changed)
	@./scripts/setup_dependencies.sh

format: install ## Format the code and mend what the linter can mend
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

style: install ## Check format, lint and types
	./scripts/check_style.sh

check: style test ## Do all that must pass before a commit

test: ## Run the default tests
	./scripts/run_tests.sh

test-all: ## Run the slow tests too, and those for a GPU or Slurm where there is one
	./scripts/run_tests.sh --all

bench: install ## Time ours against its peers: every benchmarks/bench_*.py
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; .venv/bin/python "$$file"; done
