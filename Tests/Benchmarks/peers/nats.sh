#!/usr/bin/env bash
# NATS JetStream with file storage. no-flush: its default (the system decides, a flush every two minutes).
# flush: sync_interval "always", which servers from 2.10 on have; an older one cannot flush before it acknowledges.
set -euo pipefail
. "$(dirname "$0")/common.sh"

install_peer() { command -v nats-server >/dev/null || apt_install nats-server; }

start_peer() {
    command -v nats-server >/dev/null || unavailable "nats-server is not installed; run '$0 install'"
    local version; version=$(nats-server --version | sed 's/.*v//')
    local sync=''
    if [ "$durability" = flush ]; then
        [ "$(printf '2.10.0\n%s\n' "$version" | sort -V | head -1)" = 2.10.0 ] ||
            unavailable "nats-server $version has no sync_interval: always (2.10 has), so no flush before its acknowledgement"
        sync='sync_interval: always'
    fi
    cat >"$data/nats.conf" <<CONF
host: 127.0.0.1
port: $port
max_payload: 8MB
max_pending: 256MB
jetstream { store_dir: "$data/store", max_memory_store: 64MB, max_file_store: 200GB, $sync }
CONF
    launch nats nats-server -c "$data/nats.conf"
    wait_for_port "$port" "$pid" "$data/nats.log"
    echo "pid=$pid"
    echo "version=$version"
}

stop_peer() { stop_process "$data/nats.pid"; }

dispatch
