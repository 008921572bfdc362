"""
Writes down what librdkafka is told and shown while brokers come and go. Usage:
  produce BOOTSTRAP TOPIC OUT STOP   a line "PARTITION OFFSET VALUE MS" for each acknowledged record, until STOP exists
  consume BOOTSTRAP TOPIC OUT STOP   a line "PARTITION OFFSET VALUE" for each record read, until all is read that STOP,
                                     once it exists, says there is: "PARTITION END" a line
"""
import os
import sys
import time

from confluent_kafka import Consumer, Producer

PARTITIONS = 3


def produce(bootstrap, topic, out, stop):
    # One request at a time: without idempotence, retries of several would change their order.
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "max.in.flight.requests.per.connection": 1,
                         "message.timeout.ms": 300000, "log_level": 0})
    with open(out, "w", buffering=1) as acknowledged:
        def on_delivery(error, message):
            if error is None:
                acknowledged.write(f"{message.partition()} {message.offset()} {message.value().decode()} {time.time() * 1000:.0f}\n")

        number = 0
        while not os.path.exists(stop):
            producer.produce(topic, value=f"librdkafka-{number}", partition=number % PARTITIONS, on_delivery=on_delivery)
            number += 1
            producer.poll(0.005)
        producer.flush()


def ends(stop):
    with open(stop) as lines:
        return {int(partition): int(end) for partition, end in (line.split() for line in lines)}


def consume(bootstrap, topic, out, stop):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "history-librdkafka", "auto.offset.reset": "earliest", "log_level": 0})
    consumer.subscribe([topic])
    read = {}
    with open(out, "w") as shown:
        while not os.path.exists(stop) or any(read.get(partition, 0) < end for partition, end in ends(stop).items()):
            for message in consumer.consume(1000, timeout=0.2):
                if message.error():
                    continue
                shown.write(f"{message.partition()} {message.offset()} {message.value().decode()}\n")
                read[message.partition()] = max(read.get(message.partition(), 0), message.offset() + 1)
    consumer.close()


{"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:])
