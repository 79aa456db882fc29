#!/usr/bin/env bash
# Stop the daemons that start_local_cluster.sh started (munged, which others may use, stays).
set -euo pipefail

for pid_file in /var/lib/duovox-slurm/slurm{d,ctld}.pid; do
  if [ -f "$pid_file" ] && kill "$(cat "$pid_file")" 2>/dev/null; then
    echo "slurm: stopped $(basename "$pid_file" .pid)"
  fi
done
