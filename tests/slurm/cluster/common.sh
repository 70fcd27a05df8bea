# shellcheck shell=bash
# What the scripts of this folder share; they source it. It knows processes and folders, and no settings.

export LC_ALL=C.UTF-8
# Daemons lie in sbin, which is not on every user's path.
export PATH=$PATH:/usr/sbin:/sbin
lock_file=/run/lock/runyard-slurm.lock

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

# A zombie still has its number: where process 1 reaps late, `kill -0` would succeed on it.
running() { [ -e "/proc/$1" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

# Is process $1 the program $2, and of the cluster in $dir? The numbers in pid files may be of others by now.
# No `grep -q`: it would end the pipe early, and `pipefail` would make a failure of that.
ours() {
    running "$1" && [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] &&
        cat "/proc/$1/cmdline" "/proc/$1/environ" 2>/dev/null | grep -aF "$dir/" >/dev/null
}

# Ends the program $2 whose number stands in the file $1: SIGTERM, and SIGKILL after $3 seconds.
end() {
    local pid tick
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && ours "$pid" "$2" || return 0
    kill -TERM "$pid" 2>/dev/null
    for ((tick = 0; tick < $3 * 20; tick++)); do
        running "$pid" || return 0
        sleep 0.05
    done
    say "$2 ($pid) did not heed SIGTERM for $3 s: SIGKILL"
    kill -KILL "$pid" 2>/dev/null
}

# Ends a slurmstepd with the processes of its step, which lead sessions of their own.
kill_step() {
    local children child
    children=$(ps --ppid "$1" -o pid= 2>/dev/null)
    kill -KILL "$1" 2>/dev/null
    for child in $children; do kill -KILL -- "-$child" 2>/dev/null || kill -KILL "$child" 2>/dev/null; done
}

# Sets $dir to the folder $1, or to that of the cluster that SLURM_CONF names; and SLURM_CONF to its config.
find_cluster() {
    dir=${1:-}
    [ -n "$dir" ] || dir=$(dirname "$(dirname "${SLURM_CONF:-/none/etc/slurm.conf}")")
    dir=$(realpath -m "$dir")
    export SLURM_CONF=$dir/etc/slurm.conf
    [ -f "$dir/.slurm-up" ]
}

# Waits at most $1 seconds for $2, which is there when the rest of the arguments, a command, succeeds.
wait_for() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $until ]; then
            tail -n 5 "$dir"/log/*.log >&2
            die "$what did not come up; see $dir/log"
        fi
        sleep 0.05
    done
}
