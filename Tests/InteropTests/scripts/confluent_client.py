"""Drives a broker with librdkafka through confluent-kafka: produce, consume, groups, administration."""
import json
import os
import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic


def produce_lines(bootstrap, topic, path, compression, idempotence="false"):
    failures = []
    # A partition for each record: sticking to one for a while can leave another without any.
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": compression, "linger.ms": 5,
                         "sticky.partitioning.linger.ms": 0, "enable.idempotence": idempotence == "true", "queue.buffering.max.messages": 1000000})
    on_delivery = lambda error, message: error and failures.append(str(error))
    with open(path, "rb") as lines:
        for line in lines:
            while True:
                try:
                    producer.produce(topic, value=line.rstrip(b"\n"), on_delivery=on_delivery)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
    producer.flush()
    assert not failures, failures[:3]


def consume_lines(bootstrap, topic, path, count):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    expected = 0
    with open(path, "wb") as out:
        while expected < int(count):
            for message in consumer.consume(10000, timeout=10):
                assert not message.error(), message.error()
                assert message.offset() == expected, (message.offset(), expected)
                expected += 1
                out.write(message.value() + b"\n")
    consumer.close()


def group_round(bootstrap, topic, group, count):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest",
                         "enable.auto.commit": False, "session.timeout.ms": 10000})
    consumer.subscribe([topic])
    seen = 0
    while seen < int(count):
        message = consumer.poll(30)
        assert message is not None, "nothing came for 30 s"
        assert not message.error(), message.error()
        seen += 1
    consumer.commit(asynchronous=False)
    committed = consumer.committed(consumer.assignment(), timeout=10)
    consumer.close()
    print(json.dumps(sorted([part.partition, part.offset] for part in committed)))


def produce_keyed(bootstrap, topic, compression):
    """Writes the same keys again and again, deletes some, and prints what a table of the topic holds in the end."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    config = {"cleanup.policy": "compact", "segment.ms": "1", "min.cleanable.dirty.ratio": "0"}
    admin.create_topics([NewTopic(topic, 1, 1, config=config)])[topic].result(30)
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": compression, "linger.ms": 1, "message.send.max.retries": 0})
    failures, table = [], {}
    try:
        producer.produce(topic, value=b"no key", on_delivery=lambda error, _: failures.append(error))
        producer.flush()
        assert failures[0] and failures[0].name() == "INVALID_RECORD", failures
        failures.clear()
        for number in range(3000):
            key = "k%03d" % (number * 7 % 97)
            table[key] = None if number % 11 == 0 else str(number)
            producer.produce(topic, key=key, value=table[key], on_delivery=lambda error, _: error and failures.append(str(error)))
            if number % 50 == 0:
                producer.flush()
        table["last"] = "end"
        producer.produce(topic, key="last", value="end")
    finally:
        producer.flush()
    assert not failures, failures[:3]
    print(to_json(table))


def to_json(table):
    return json.dumps({key: value for key, value in sorted(table.items()) if value is not None}, separators=(",", ":"))


def consume_keyed(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    table, offset, count = {}, -1, 0
    while "last" not in table:
        message = consumer.poll(30)
        assert message is not None, "nothing came for 30 s"
        assert not message.error(), message.error()
        assert message.offset() > offset, (message.offset(), offset)
        offset, count = message.offset(), count + 1
        table[message.key().decode()] = message.value().decode() if message.value() is not None else None
    consumer.close()
    assert count < 2500, "%d of 3001 records are left" % count
    print(to_json(table))


def commit_often(bootstrap, topic, group, times):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    for number in range(int(times)):
        consumer.commit(offsets=[TopicPartition(topic, 0, number)], asynchronous=False)
    consumer.close()
    committed(bootstrap, topic, group)


def committed(bootstrap, topic, group):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    print(consumer.committed([TopicPartition(topic, 0)], timeout=60)[0].offset)
    consumer.close()


def records_of_every_kind(bootstrap, topic):
    """Writes records with and without key, value and headers in each compression, and reads them back."""
    sent = []
    for compression in ["none", "gzip", "snappy", "lz4", "zstd"]:
        producer = Producer({"bootstrap.servers": bootstrap, "compression.type": compression})
        for key, value, headers in [(b"k", b"v" * 500, [("h", b"x"), ("empty", b""), ("null", None)]),
                                    (None, b"no key", []), (b"tombstone", None, []), (b"", b"", [])]:
            producer.produce(topic, key=key, value=value, headers=headers, timestamp=1700000000123)
            sent.append((key, value, headers or None))
        assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    got = []
    while len(got) < len(sent):
        message = consumer.poll(30)
        assert message is not None and not message.error(), message and message.error()
        assert message.timestamp()[1] == 1700000000123, message.timestamp()
        got.append((message.key(), message.value(), message.headers()))
    consumer.close()
    assert got == sent, (got, sent)


def administer(bootstrap, topic):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 2, 1, config={"retention.ms": "1234567"})])[topic].result(10)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    configs = admin.describe_configs([resource])[resource].result(10)
    assert configs["retention.ms"].value == "1234567", configs["retention.ms"]
    assert configs["segment.bytes"].is_default
    assert topic in admin.list_topics(timeout=10).topics
    assert len(admin.list_topics(timeout=10).topics[topic].partitions) == 2
    admin.delete_topics([topic])[topic].result(10)
    assert topic not in admin.list_topics(timeout=10).topics


def produce_until_killed(bootstrap, topic, acknowledged_path):
    """Writes numbered records as fast as it can and notes each acknowledgement, until the broker has been away."""
    acknowledged = open(acknowledged_path, "w")
    gone = []

    def on_delivery(error, message):
        if error:
            gone.append(error)
            return
        acknowledged.write("%d %s\n" % (message.offset(), message.value().decode()))
        if message.offset() == 1000:
            print("producing", flush=True)

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 1, "message.timeout.ms": 3000,
                         "retries": 0, "socket.timeout.ms": 2000})
    number = 0
    while not gone:
        try:
            producer.produce(topic, value=b"record %d" % number, on_delivery=on_delivery)
            number += 1
        except BufferError:
            pass
        producer.poll(0)
    producer.flush(10)
    acknowledged.close()


def produce_once_each(bootstrap, topic, acknowledged_path, stop_path):
    """
    Writes numbered records as an idempotent producer until there is a file at stop_path, none of which may fail, whatever
    happens to brokers meanwhile. A line is added to acknowledged_path with each hundred records acknowledged; prints how
    many were written.
    """
    failures = []
    acknowledged = 0
    progress = open(acknowledged_path, "w", buffering=1)

    def on_delivery(error, message):
        nonlocal acknowledged
        if error:
            failures.append(str(error))
            return
        acknowledged += 1
        if acknowledged % 100 == 0:
            progress.write("%d\n" % acknowledged)

    # While a broker is away its connection is tried again soon: the default of up to 10 s only makes the test longer.
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 1, "socket.timeout.ms": 2000,
                         "reconnect.backoff.max.ms": 500, "message.timeout.ms": 120000, "queue.buffering.max.messages": 20000})
    number = 0
    while not os.path.exists(stop_path):
        try:
            producer.produce(topic, value=b"%d" % number, partition=0, on_delivery=on_delivery)
            number += 1
        except BufferError:
            producer.poll(0.1)
        producer.poll(0)
        # Not as fast as it can: several batches are to be on their way at any moment, and not one large one.
        if number % 100 == 0:
            producer.poll(0.005)
    assert producer.flush(120) == 0
    assert not failures, failures[:3]
    print(number)


def consume_once_each(bootstrap, topic, count):
    """Reads them back: each once, in order."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    expected = 0
    while expected < int(count):
        for message in consumer.consume(10000, timeout=10):
            assert not message.error(), message.error()
            assert int(message.value()) == expected, (message.offset(), message.value(), expected)
            expected += 1
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10) == (0, expected)
    consumer.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
