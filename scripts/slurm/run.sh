#!/usr/bin/env bash
# A run as a job of Slurm, without submitit. From the repository's root, with any option of sbatch:
#
#   sbatch scripts/slurm/run.sh python run_speech.py +experiment=baseline_speech optim.algo.lr=5.62E-5
#   sbatch --gpus-per-node=4 --ntasks-per-node=4 scripts/slurm/run.sh python run_ssl.py train.devices=4
#   sbatch --array=1-13%4 scripts/slurm/run.sh --line-of jobs.txt     # job n of the array types line n
#
# The run saves the step in hand and leaves when the time is nearly up or the job is pre-empted; then
# the job is queued again, and the run goes on. A cancelled job stays cancelled: submit it again.
#SBATCH --job-name=duovox
#SBATCH --time=7-00:00:00
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=6
#SBATCH --mem=20G
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

fail() {
  printf 'run.sh: %s\n' "$@" >&2
  exit 2
}

[ -n "${SLURM_JOB_ID:-}" ] || fail "this is a job: sbatch $0 python run_speech.py ..."
[ $# -gt 0 ] || fail "usage: sbatch run.sh COMMAND..., or sbatch --array=1-N run.sh --line-of FILE"
cd "$SLURM_SUBMIT_DIR"
export PATH="$PWD/.venv/bin:$PWD/.poetry/bin:$PATH"
# The first task of an array shares its number with the array: name the task.
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
job=${job:-$SLURM_JOB_ID}

if [ "$1" = --line-of ]; then
  line=$(sed -n "${SLURM_ARRAY_TASK_ID:?--line-of is for arrays: sbatch --array=1-N}p" "$2")
  [ -n "$line" ] || fail "$2 has no line $SLURM_ARRAY_TASK_ID"
  set -- bash -c "exec $line"
fi

is_warned=
warn() {
  is_warned=1
  scancel --signal=TERM "$job" # the step alone, not this script
}
trap warn USR1

is_preempted() { scontrol show job --oneliner "$job" | grep -q 'JobState=RUNNING .*PreemptTime=[0-9]'; }

srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" "$@" &
code=0
wait $! || code=$?
if [ -n "$is_warned" ]; then # that ended the waiting, not the run
  code=0
  wait $! || code=$?
fi
if [ "$code" = 143 ] && { [ -n "$is_warned" ] || is_preempted; }; then
  echo "run.sh: job $job is queued again"
  scontrol requeue "$job"
fi
exit "$code"
