#!/usr/bin/env bash
# RabbitMQ streams (the plugin rabbitmq_stream; its own port is --port, AMQP listens on the next one). no-flush only:
# a stream is never flushed before its confirm, by design.
set -euo pipefail
. "$(dirname "$0")/common.sh"

install_peer() { command -v rabbitmq-server >/dev/null || [ -x /usr/sbin/rabbitmq-server ] || apt_install rabbitmq-server; }

start_peer() {
    local server; server=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v rabbitmq-server) ||
        unavailable "rabbitmq-server is not installed; run '$0 install'"
    [ "$durability" = no-flush ] || unavailable "a RabbitMQ stream is never flushed before its confirm"
    # Debian's wrapper changes to the rabbitmq user; the script behind it runs as whoever calls it.
    local direct=/usr/lib/rabbitmq/bin/rabbitmq-server
    [ ! -x $direct ] || server=$direct
    echo '[rabbitmq_stream].' >"$data/enabled_plugins"
    cat >"$data/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$((port + 1))
stream.listeners.tcp.1 = 127.0.0.1:$port
stream.advertised_host = 127.0.0.1
stream.advertised_port = $port
loopback_users = none
log.console = true
log.console.level = warning
disk_free_limit.absolute = 100MB
CONF
    # Erlang starts a name daemon and leaves it behind: one on a port of our own, that `stop` ends too.
    echo $((port + 3)) >"$data/epmd.port"
    export RABBITMQ_CONF_ENV_FILE="$data/none" HOME="$data"
    export RABBITMQ_NODENAME="olog-bench-$port@localhost" RABBITMQ_NODE_PORT=$((port + 1)) RABBITMQ_DIST_PORT=$((port + 2))
    export RABBITMQ_MNESIA_BASE="$data/mnesia" RABBITMQ_LOG_BASE="$data/log" RABBITMQ_LOGS=-
    export RABBITMQ_CONFIG_FILE="$data/rabbitmq.conf" RABBITMQ_ENABLED_PLUGINS_FILE="$data/enabled_plugins"
    export RABBITMQ_PID_FILE="$data/erlang.pid" ERL_CRASH_DUMP="$data/erl_crash.dump" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT=$((port + 3))
    launch rabbitmq "$server"
    wait_for_port "$port" "$pid" "$data/rabbitmq.log"
    # The launcher may replace itself by the Erlang machine or wait for it: what counts is the machine.
    local machine; machine=$(pgrep -P "$pid" -f beam.smp | head -1 || true)
    [ -n "$machine" ] || machine=$pid
    echo "$machine" >"$data/rabbitmq.pid"
    echo "pid=$machine"
    echo "version=$(ls -d /usr/lib/rabbitmq/lib/rabbitmq_server-* 2>/dev/null | sed 's/.*-//' | head -1)"
}

stop_peer() {
    stop_process "$data/rabbitmq.pid"
    [ ! -f "$data/epmd.port" ] || ERL_EPMD_ADDRESS=127.0.0.1 epmd -port "$(cat "$data/epmd.port")" -kill >/dev/null || true
}

dispatch
