# Shared by the peer scripts, which source it. Each script takes one verb:
#
#   PEER.sh install                       put the peer on this machine, from its package source
#   PEER.sh start --data DIR --port N     start it on the loopback; prints `pid=N` and `version=...`, then returns
#           [--durability no-flush|flush] flush: an acknowledged record has been flushed to disk
#   PEER.sh stop --data DIR               stop what `start` started in DIR (by process id), and wait for its end
#
# Exit status 3 says that the peer, or the durability asked of it, cannot be had here, with the reason on standard error.

UNAVAILABLE=3
verb=${1:-}; shift || true
data='' port='' durability=no-flush

while [ $# -gt 0 ]; do
    case $1 in
        --data) data=$2 ;;
        --port) port=$2 ;;
        --durability) durability=$2 ;;
        *) echo "$0: unknown option $1" >&2; exit 2 ;;
    esac
    shift 2
done

case $durability in
    no-flush | flush) ;;
    *) echo "$0: --durability is no-flush or flush, not '$durability'" >&2; exit 2 ;;
esac

unavailable() { echo "$(basename "$0" .sh) cannot be had: $*" >&2; exit $UNAVAILABLE; }

need_for_start() {
    [ -n "$data" ] && [ -n "$port" ] || { echo "usage: $0 start --data DIR --port N [--durability flush]" >&2; exit 2; }
    mkdir -p "$data"
    data=$(cd "$data" && pwd)
}

apt_install() {
    command -v apt-get >/dev/null || unavailable "no apt-get here; install $* by other means"
    local as_root=''
    [ "$(id -u)" = 0 ] || as_root=sudo
    # A policy that denies every service start: the packages must not start a broker of their own on the default ports.
    local policy=/usr/sbin/policy-rc.d made_policy=''
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
        $as_root chmod +x $policy
        made_policy=yes
    fi
    local status=0
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" || status=$?
    [ -z "$made_policy" ] || $as_root rm -f $policy
    [ $status = 0 ] || unavailable "apt-get install $* failed (has 'apt-get update' been run?)"
}

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_for_port PORT PID LOG: until it listens, or the process is gone, or a minute has passed.
wait_for_port() {
    local tries=0
    until is_open "$1"; do
        kill -0 "$2" 2>/dev/null || { tail -20 "$3" >&2; echo "$0: the process ended while starting; its log: $3" >&2; exit 1; }
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || { echo "$0: port $1 not open after a minute; its log: $3" >&2; exit 1; }
        sleep 0.05
    done
}

# launch NAME COMMAND...: starts it detached, its output in DATA/NAME.log, its id in DATA/NAME.pid and in $pid.
launch() {
    local name=$1; shift
    ! is_open "$port" || { echo "$0: port $port is in use; choose another with --port" >&2; exit 1; }
    setsid "$@" >"$data/$name.log" 2>&1 </dev/null &
    pid=$!
    echo "$pid" >"$data/$name.pid"
}

# stop_process FILE [SIGNAL]: ends the process whose id FILE holds; kills it if it has not ended within 20 s.
stop_process() {
    [ -f "$1" ] || return 0
    local id; id=$(cat "$1")
    kill "-${2:-TERM}" "$id" 2>/dev/null || true
    local tries=0
    while kill -0 "$id" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -ne 400 ] || kill -KILL "$id" 2>/dev/null || true
        sleep 0.05
    done
    rm -f "$1"
}

dispatch() {
    case $verb in
        install) install_peer ;;
        start)
            need_for_start
            trap 'stop_peer; exit 130' INT TERM # an interrupted start leaves nothing behind
            start_peer
            ;;
        stop) [ -n "$data" ] || { echo "usage: $0 stop --data DIR" >&2; exit 2; }; stop_peer ;;
        *) echo "usage: $0 install | start --data DIR --port N [--durability no-flush|flush] | stop --data DIR" >&2; exit 2 ;;
    esac
}
