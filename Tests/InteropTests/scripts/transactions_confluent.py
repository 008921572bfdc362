"""Copies records from one topic to another in transactions, the offsets it has read among them.

fill BOOTSTRAP IN COUNT PARTITIONS      writes the values 0 to COUNT - 1
transform BOOTSTRAP IN OUT ID LOG    copies until it is killed; one line of LOG for each transaction that was committed
check BOOTSTRAP OUT COUNT            waits until the values 0 to COUNT - 1 are there and each is there once
"""
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

BATCH = 20


def fill(bootstrap, source, count, partitions):
    producer = Producer({'bootstrap.servers': bootstrap, 'enable.idempotence': True, 'linger.ms': 5})
    for number in range(int(count)):
        producer.produce(source, value=b'%d' % number, partition=number % int(partitions))
        producer.poll(0)
    assert producer.flush(30) == 0


def new_consumer(bootstrap, group):
    return Consumer({
        'bootstrap.servers': bootstrap, 'group.id': group, 'enable.auto.commit': False, 'auto.offset.reset': 'earliest',
        'isolation.level': 'read_committed', 'session.timeout.ms': 6000, 'reconnect.backoff.max.ms': 500,
    })


def new_producer(bootstrap, transactional_id):
    producer = Producer({
        'bootstrap.servers': bootstrap, 'transactional.id': transactional_id, 'transaction.timeout.ms': 8000,
        'reconnect.backoff.max.ms': 500, 'linger.ms': 1,
    })
    producer.init_transactions()
    return producer


def copy(producer, consumer, messages, target):
    producer.begin_transaction()
    for message in messages:
        producer.produce(target, value=message.value(), partition=message.partition())
    producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata())
    producer.commit_transaction()


def rewind(consumer):
    for partition in consumer.committed(consumer.assignment(), timeout=30):
        consumer.seek(TopicPartition(partition.topic, partition.partition, max(partition.offset, 0)))


def transform(bootstrap, source, target, transactional_id, log):
    consumer = new_consumer(bootstrap, 'copiers')
    consumer.subscribe([source])
    producer = new_producer(bootstrap, transactional_id)
    while True:
        messages = [message for message in consumer.consume(BATCH, timeout=0.5) if message.error() is None]
        if not messages:
            continue
        try:
            copy(producer, consumer, messages, target)
        except KafkaException as failed:
            error = failed.args[0]
            print(error, file=sys.stderr, flush=True)
            if error.txn_requires_abort():
                producer.abort_transaction()
            else:
                producer = new_producer(bootstrap, transactional_id)
            rewind(consumer)
            continue
        with open(log, 'a') as lines:
            lines.write(f'{len(messages)}\n')


def check(bootstrap, target, count):
    consumer = new_consumer(bootstrap, f'checker-{time.time()}')
    consumer.subscribe([target])
    seen = {}
    deadline = time.time() + 60
    while len(seen) < int(count) and time.time() < deadline:
        for message in consumer.consume(500, timeout=1.0):
            if message.error() is None:
                value = int(message.value())
                assert value not in seen, f'{value} at {message.partition()}-{message.offset()} and {seen[value]}'
                seen[value] = (message.partition(), message.offset())
    missing = set(range(int(count))) - set(seen)
    assert not missing, f'{len(missing)} of {count} are missing, {sorted(missing)[:5]} among them'


globals()[sys.argv[1]](*sys.argv[2:])
