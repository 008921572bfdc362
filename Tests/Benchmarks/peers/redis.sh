#!/usr/bin/env bash
# Redis Streams. no-flush: append-only file, the system decides when it reaches the disk (appendfsync no);
# flush: appendfsync always, one flush for all commands of an event loop turn. Rewriting the file is turned off.
set -euo pipefail
. "$(dirname "$0")/common.sh"

install_peer() { command -v redis-server >/dev/null || apt_install redis-server; }

start_peer() {
    command -v redis-server >/dev/null || unavailable "redis-server is not installed; run '$0 install'"
    local fsync=no
    [ "$durability" = no-flush ] || fsync=always
    launch redis redis-server --bind 127.0.0.1 --port "$port" --dir "$data" --save '' --daemonize no \
        --appendonly yes --appendfsync "$fsync" --auto-aof-rewrite-percentage 0
    wait_for_port "$port" "$pid" "$data/redis.log"
    echo "pid=$pid"
    echo "version=$(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/')"
}

stop_peer() { stop_process "$data/redis.pid"; }

dispatch
