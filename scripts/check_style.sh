#!/usr/bin/env bash
# Format, lint and types: what `make check`, the commit hooks and CI all call.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/python -m mypy
