"""The same as history_confluent.py, with kafka-python."""
import os
import sys
import time

from kafka import KafkaConsumer, KafkaProducer

PARTITIONS = 3


def produce(bootstrap, topic, out, stop):
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", retries=1000000, max_in_flight_requests_per_connection=1)
    with open(out, "w", buffering=1) as acknowledged:
        def on_delivery(value):
            return lambda told: acknowledged.write(f"{told.partition} {told.offset} {value} {time.time() * 1000:.0f}\n")

        number = 0
        while not os.path.exists(stop):
            value = f"kafka-python-{number}"
            producer.send(topic, value.encode(), partition=number % PARTITIONS).add_callback(on_delivery(value))
            number += 1
            time.sleep(0.005)
        producer.flush(120)
        producer.close()


def ends(stop):
    with open(stop) as lines:
        return {int(partition): int(end) for partition, end in (line.split() for line in lines)}


def consume(bootstrap, topic, out, stop):
    consumer = KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id="history-kafka-python", auto_offset_reset="earliest")
    read = {}
    with open(out, "w") as shown:
        while not os.path.exists(stop) or any(read.get(partition, 0) < end for partition, end in ends(stop).items()):
            for messages in consumer.poll(200).values():
                for message in messages:
                    shown.write(f"{message.partition} {message.offset} {message.value.decode()}\n")
                    read[message.partition] = max(read.get(message.partition, 0), message.offset + 1)
    consumer.close()


{"produce": produce, "consume": consume}[sys.argv[1]](*sys.argv[2:])
