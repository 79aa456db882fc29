#!/usr/bin/env bash
# Install what is missing, then run the tests; further arguments go to pytest.
#
#   ./scripts/run_tests.sh                       # the default suite: minutes on two cores
#   ./scripts/run_tests.sh --all                 # with the slow ones, and with those that need a GPU
#                                                # or Slurm where the machine has them
#   ./scripts/run_tests.sh tests/metric -k eer   # some of them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE # compiling torch anew at every start costs 8 s

left_out() { # the marks this machine cannot serve
  .venv/bin/python -c "import sys, torch; sys.exit(not torch.cuda.is_available())" || echo "not gpu"
  sinfo >/dev/null 2>&1 || echo "not slurm"
}

all=${DUOVOX_ALL_TESTS:-}
if [ "${1:-}" = "--all" ]; then
  all=1
  shift
fi

./scripts/setup_dependencies.sh
if [ -n "$all" ]; then
  marks=$(left_out | sed '2,$s/^/ and /' | tr -d '\n')
  set -- -m "$marks" "$@"
fi
# Two processes of one thread each: more threads would only get in each other's way.
OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} exec .venv/bin/python -m pytest -n 2 "$@"
