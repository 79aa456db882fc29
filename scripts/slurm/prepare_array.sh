#!/usr/bin/env bash
# Prepare data sets on a cluster: an array of jobs writes their parts, one more job merges them.
#
#   scripts/slurm/prepare_array.sh PARTS OUT duovox prepare ... --out OUT [...]
#   PREPARE_SBATCH="--partition=cpu --time=4:00:00 --cpus-per-task=8" scripts/slurm/prepare_array.sh \
#     16 data/train duovox prepare kaldi data/kaldi/train --out data/train --workers 8
#
# All jobs see the same source and the same OUT, on a disk that they share. A part that was stopped
# goes on when this command is given again: finished shards are kept. The jobs' output lies in
# OUT/../prepare_logs. PREPARE_SBATCH holds options for sbatch.
set -euo pipefail

fail() {
  printf 'prepare_array: %s\n' "$@" >&2
  exit 2
}

[ $# -ge 4 ] || fail "usage: prepare_array.sh PARTS OUT duovox prepare ... --out OUT"
parts=$1 out=$2
shift 2
[[ $parts =~ ^[1-9][0-9]*$ ]] || fail "PARTS must be a whole number of at least 1, got '$parts'"
[[ " $* " == *" --out $out "* ]] || fail "the command must hold --out $out, got: $*"
[[ " $* " != *" --part "* ]] || fail "leave --part out: this script gives one to each job"
command -v sbatch >/dev/null || fail "there is no sbatch here: run this where Slurm is"

logs=$(dirname "$out")/prepare_logs
mkdir -p "$logs"
read -ra options <<<"${PREPARE_SBATCH:-}"
command=$(printf '%q ' "$@")
submit() { sbatch --parsable --requeue "${options[@]}" "$@"; }

array=$(submit --job-name=prepare --array="1-$parts" --output="$logs/%x-%A_%a.log" \
  --wrap="exec $command --part \$SLURM_ARRAY_TASK_ID/$parts")
merge=$(submit --job-name=merge --output="$logs/%x-%j.log" \
  --dependency="afterok:${array%%;*}" --kill-on-invalid-dep=yes \
  --wrap="exec $command") # finds all shards there, and makes the index
echo "prepare_array: job $array writes $parts parts of $out, job $merge merges them; output in $logs"
