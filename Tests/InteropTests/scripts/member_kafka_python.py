"""One member of a group by kafka-python: says what it is given and what it gives up, until its input ends.
Usage: member_kafka_python.py BOOTSTRAP TOPIC GROUP"""
import json
import sys
import threading

from kafka import ConsumerRebalanceListener, KafkaConsumer


class Listener(ConsumerRebalanceListener):
    def on_partitions_revoked(self, revoked):
        self.say("revoked", revoked)

    def on_partitions_assigned(self, assigned):
        self.say("assigned", assigned)

    def say(self, what, partitions):
        print(json.dumps({what: sorted(f"{part.topic}-{part.partition}" for part in partitions)}), flush=True)


bootstrap, topic, group = sys.argv[1:4]
consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", session_timeout_ms=6000,
                         heartbeat_interval_ms=500, metadata_max_age_ms=2000)
consumer.subscribe([topic], listener=Listener())
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
while not ended.is_set():
    consumer.poll(100)
consumer.close()
