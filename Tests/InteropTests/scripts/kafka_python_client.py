"""Drives a broker with kafka-python, the pure Python client."""
import json
import sys

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition


def produce_lines(bootstrap, topic, path):
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=1 << 18)
    futures = []
    with open(path, "rb") as lines:
        for line in lines:
            futures.append(producer.send(topic, line.rstrip(b"\n")))
    producer.flush()
    offsets = [future.get(10).offset for future in futures]
    assert offsets == sorted(offsets), "acknowledged out of order"
    producer.close()


def consume_lines(bootstrap, topic, path, count):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    expected = 0
    with open(path, "wb") as out:
        while expected < int(count):
            batches = consumer.poll(30000, max_records=10000)
            assert batches, "nothing came for 30 s"
            for message in batches[partition]:
                assert message.offset == expected, (message.offset, expected)
                expected += 1
                out.write(message.value + b"\n")
    consumer.close()


def consume_keyed(bootstrap, topic):
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    table, offset = {}, -1
    while "last" not in table:
        batches = consumer.poll(30000)
        assert batches, "nothing came for 30 s"
        for message in batches[partition]:
            assert message.offset > offset, (message.offset, offset)
            offset = message.offset
            table[message.key.decode()] = message.value.decode() if message.value is not None else None
    consumer.close()
    print(json.dumps({key: value for key, value in sorted(table.items()) if value is not None}, separators=(",", ":")))


def group_round(bootstrap, topic, group, count):
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest",
                             enable_auto_commit=False, consumer_timeout_ms=30000)
    for _ in range(int(count)):
        next(consumer)
    consumer.commit()
    consumer.close()
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    offsets = admin.list_consumer_group_offsets(group)
    print(json.dumps(sorted([part.partition, found.offset] for part, found in offsets.items())))
    admin.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
