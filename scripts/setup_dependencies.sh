#!/usr/bin/env bash
# Install everything duovox needs into .venv, from nothing but a python3 that has venv.
#
# No root, no apt, GPU or not. Poetry comes into a private environment (.poetry); whatever poetry
# the machine has stays as it is. A second run sees that nothing changed and stops at once.
#
#   ./scripts/setup_dependencies.sh
#   PYTHON=/path/to/python3.12 ./scripts/setup_dependencies.sh    # with an interpreter of your choice
set -euo pipefail

POETRY_VERSION=2.5.1        # wrote poetry.lock
MIRROR_PLUGIN_VERSION=0.6.5 # reads package indexes that have no JSON API
NEEDED_GB=10                # measured: 5.5 GB installed, 2.9 GB in poetry's cache

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
poetry="$root/.poetry/bin/poetry"
stamp="$root/.venv/duovox-setup.txt"
log="$root/.poetry/install.log"

# An active environment would become poetry's target; its target is .venv.
unset VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV PYTHONHOME
export POETRY_VIRTUALENVS_IN_PROJECT=true POETRY_VIRTUALENVS_CREATE=true

say() { printf 'setup: %s\n' "$*"; }

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# --- which Python ---------------------------------------------------------------------------------

complaint() { # why interpreter $1 does not suit; silent when it does
  if ! command -v "$1" >/dev/null; then
    echo "not found"
  elif ! "$1" -c "" >/dev/null 2>&1; then
    echo "does not start" # a pyenv shim without its version, for example
  else
    "$1" -c 'if 1:
      import sys
      if not (3, 11) <= sys.version_info[:2] <= (3, 13):
          print("is version %d.%d" % sys.version_info[:2])
          sys.exit()
      try:
          import ensurepip, venv
      except ImportError:
          print("has no venv module; Debian and Ubuntu ship it as python3-venv")'
  fi
}

choose_python() { # print the first interpreter that suits
  local candidate reason reasons=()
  for candidate in ${PYTHON:+"$PYTHON"} ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    reason=$(complaint "$candidate")
    [ -n "$reason" ] || { command -v "$candidate" && return; }
    reasons+=("  $candidate $reason")
  done
  fail "no suitable Python: 3.11, 3.12 or 3.13 with its venv module is needed" "${reasons[@]}" \
    "  install one, or name one: PYTHON=/path/to/python ./scripts/setup_dependencies.sh"
}

# --- is there anything to do ----------------------------------------------------------------------

fingerprint() { # of all that decides what .venv holds; fails where .venv does not run
  .venv/bin/python - "$root" <<'PY' 2>/dev/null
import hashlib, pathlib, sys
names = ("poetry.lock", "pyproject.toml", "scripts/setup_dependencies.sh")
facts = [pathlib.Path(name).read_bytes() for name in names]
facts += [sys.version.encode(), sys.argv[1].encode()]
print(hashlib.sha256(b"".join(facts)).hexdigest())
PY
}

is_up_to_date() {
  [ -f "$stamp" ] && [ "$(fingerprint)" = "$(cat "$stamp")" ] && .venv/bin/python -c "import duovox"
}

# --- the two environments -------------------------------------------------------------------------

is_usable() { # .venv runs with the version of interpreter $1, and was made in this very folder
  local version='import sys; print(sys.version_info[:2])'
  [ "$(.venv/bin/python -c "$version" 2>/dev/null)" = "$("$1" -c "$version")" ] &&
    grep -qF -- "$root/.venv" .venv/pyvenv.cfg # the starters in .venv/bin hold full paths
}

make_environment() {
  is_usable "$1" && return
  say "making .venv with $("$1" --version)"
  rm -rf .venv
  "$1" -m venv .venv || fail "python -m venv failed; its message stands above"
}

get_poetry() {
  if [ "$("$poetry" --version 2>/dev/null)" != "Poetry (version $POETRY_VERSION)" ]; then
    say "getting poetry $POETRY_VERSION into .poetry"
    rm -rf .poetry
    "$1" -m venv .poetry || fail "python -m venv failed; its message stands above"
    pip_install "poetry==$POETRY_VERSION"
  fi
}

pip_install() { # into poetry's environment
  .poetry/bin/python -m pip install -qq --disable-pip-version-check "$1" || fail \
    "pip could not install $1; its message stands above" \
    "  is the network up? behind a proxy set https_proxy; with an index of your own: pip config set global.index-url URL"
}

# --- the packages ---------------------------------------------------------------------------------

index_url() { # the package index as pip knows it
  local pip=(.poetry/bin/python -m pip --disable-pip-version-check)
  [ -z "${PIP_INDEX_URL:-}" ] || { echo "$PIP_INDEX_URL" && return; }
  "${pip[@]}" config get global.index-url 2>/dev/null ||
    "${pip[@]}" config get install.index-url 2>/dev/null ||
    .poetry/bin/python -c "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
}

poetry_install() { # all groups; the reasons of failures go to the log alone
  "$poetry" install --no-interaction --no-ansi 2>&1 | tee "$log" |
    awk '!/^ *(\||$)/ { print; fflush() }'
}

install_packages() {
  say "installing the packages of poetry.lock (a few GB the first time)"
  poetry_install && return
  # Without PyPI's JSON API poetry finds nothing; the file hashes in poetry.lock hold either way.
  if grep -qE "Expecting value|Unable to find installation candidates|All attempts to connect" "$log"; then
    say "poetry cannot read this package index; reading the simple pages that pip reads"
    pip_install "poetry-plugin-pypi-mirror==$MIRROR_PLUGIN_VERSION"
    POETRY_PYPI_MIRROR_URL=$(index_url)
    export POETRY_PYPI_MIRROR_URL
    poetry_install && return
  fi
  explain_failure
}

explain_failure() {
  if grep -q "No space left" "$log"; then
    fail "the disk is full: about $NEEDED_GB GB are needed ($(free_gb) GB are free here)" \
      "  poetry's cache moves with POETRY_CACHE_DIR=/somewhere/else"
  fi
  grep -E "^ *\|" "$log" | head -20 >&2 || true
  fail "poetry could not install the packages; all it said is in $log" \
    "  if it speaks of connections, mend the network or set https_proxy" \
    "  then run this again: it goes on where it stopped"
}

free_gb() { df -Pk "$root" | awk 'NR == 2 { print int($4 / 1024 / 1024) }'; }

write_starter() { # poetry's own begins with `#!PATH`, which fails when PATH holds a space or is long
  cat >.venv/bin/duovox <<SH
#!/bin/sh
exec "$root/.venv/bin/python" -c "from duovox.cli import main; main()" "\$@"
SH
  chmod +x .venv/bin/duovox
}

tell_how_to_run() {
  say "ready: $(.venv/bin/python --version) in .venv"
  command -v poetry >/dev/null || cat <<TEXT
setup: poetry is not on your PATH; this project's own serves \`poetry run ...\`:
  export PATH="$root/.poetry/bin:\$PATH"
TEXT
}

main() {
  if [ -z "${PYTHON:-}" ] && is_up_to_date; then
    say "up to date"
    return
  fi
  local python
  python=$(choose_python)
  [ -d .venv ] || [ "$(free_gb)" -ge "$NEEDED_GB" ] ||
    say "only $(free_gb) GB are free here; a first installation needs about $NEEDED_GB GB"
  make_environment "$python"
  get_poetry "$python"
  install_packages
  write_starter
  fingerprint >"$stamp"
  tell_how_to_run
}

main
