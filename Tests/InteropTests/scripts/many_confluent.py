"""Many members of one group by librdkafka, in one process. Usage: many_confluent.py BOOTSTRAP TOPIC GROUP COUNT"""
import sys
import time

from confluent_kafka import Consumer

bootstrap, topic, group, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
PATIENCE_S = 240


def owned(members):
    return [(part.topic, part.partition) for member in members for part in member.assignment()]


def settle(members, partitions, share):
    """Polls until every partition has one reader and nobody has more than its share."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for member in members:
            message = member.poll(0.01)
            assert message is None or not message.error(), message.error()
        parts = owned(members)
        if len(parts) == partitions and len(set(parts)) == partitions and all(len(member.assignment()) <= share for member in members):
            return
    raise AssertionError(f"{len(parts)} partitions are read, {len(set(parts))} different ones, of {partitions}")


members = []
for _ in range(count):
    member = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "session.timeout.ms": 30000, "heartbeat.interval.ms": 1000,
                       "partition.assignment.strategy": "range", "log_level": 0})
    member.subscribe([topic])
    members.append(member)
settle(members, count, 1)
for member in members[count // 2:]:
    member.close()
members = members[:count // 2]
settle(members, count, 2)
for member in members:
    member.close()
