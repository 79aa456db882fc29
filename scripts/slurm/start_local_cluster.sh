#!/usr/bin/env bash
# Start Slurm on this one machine, for tests of the launchers: Debian or Ubuntu, as root.
#
# Installs what is missing from the distribution's packages, writes /etc/slurm/slurm.conf (never over
# one that it did not write) and starts munged, slurmctld and slurmd. The node claims more cores and
# GPUs than there are, so that a launcher's request for a real node is granted.
set -euo pipefail

conf=/etc/slurm/slurm.conf
state=/var/lib/duovox-slurm
mark="# written by duovox's start_local_cluster.sh"
node=$(hostname -s)

fail() {
  printf 'slurm: %s\n' "$@" >&2
  exit 1
}

check_machine() {
  [ "$(id -u)" = 0 ] || fail "root is needed to start Slurm's daemons"
  [ ! -e "$conf" ] || grep -qF "$mark" "$conf" ||
    fail "$conf belongs to another cluster; it is left alone and nothing was started"
}

install_packages() {
  command -v slurmctld slurmd srun munged >/dev/null && return
  command -v apt-get >/dev/null || fail "slurmctld, slurmd and munged are missing, and so is apt-get to install them"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
}

write_configuration() {
  mkdir -p "$state" /etc/slurm
  touch "$state"/gpu{0..3} # slurmd counts the files that stand for the GPUs
  echo "Name=gpu File=$state/gpu[0-3]" >/etc/slurm/gres.conf
  cat >"$conf" <<TEXT
$mark
ClusterName=duovox
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
StateSaveLocation=$state
SlurmdSpoolDir=$state/slurmd
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
# No cgroups, no accounting: these work in a container too.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=$node NodeAddr=127.0.0.1 CPUs=64 RealMemory=128000 Gres=gpu:4 State=UNKNOWN
# What is submitted to urgent takes the node from local, whose jobs are warned, and queued again.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=local Nodes=ALL Default=YES MaxTime=INFINITE PriorityTier=1 GraceTime=60 State=UP
PartitionName=urgent Nodes=ALL MaxTime=INFINITE PriorityTier=2 PreemptMode=OFF State=UP
TEXT
}

start_daemons() {
  if ! munge -n >/dev/null 2>&1; then
    install -d -o munge -g munge /run/munge
    runuser -u munge -- munged
  fi
  # Without the previous cluster's jobs (-c); both daemons put themselves into the background.
  is_running "$state/slurmctld.pid" || slurmctld -c
  is_running "$state/slurmd.pid" || slurmd
}

is_running() { [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

wait_until_idle() {
  local second
  for second in $(seq 30); do
    [ "$(sinfo --noheader --format=%t 2>/dev/null | sort -u)" = idle ] && return
    sleep 1
  done
  fail "the node is not idle after $second s; see $state/slurmctld.log and $state/slurmd.log" "$(sinfo 2>&1)"
}

check_machine
install_packages
write_configuration
start_daemons
wait_until_idle
echo "slurm: $(sinfo --version) is up; one node, $node, in partitions local and urgent"
