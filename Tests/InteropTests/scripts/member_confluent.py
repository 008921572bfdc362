"""One member of a group by librdkafka: says what it is given and what it gives up, until its input ends.
Usage: member_confluent.py BOOTSTRAP TOPIC GROUP [KEY=VALUE...]; TOPIC may be an expression that begins with ^.
With the single argument 'version' it says which librdkafka this is."""
import json
import sys
import threading

import confluent_kafka


def say(what, partitions):
    print(json.dumps({what: sorted(f"{part.topic}-{part.partition}" for part in partitions)}), flush=True)


def main(bootstrap, topic, group, *settings):
    config = {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"}
    config.update(setting.split("=", 1) for setting in settings)
    consumer = confluent_kafka.Consumer(config)
    consumer.subscribe([topic], on_assign=lambda _, parts: say("assigned", parts),
                       on_revoke=lambda _, parts: say("revoked", parts), on_lost=lambda _, parts: say("revoked", parts))
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        message = consumer.poll(0.1)
        assert message is None or not message.error() or message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
    consumer.close()


if sys.argv[1:] == ["version"]:
    print(confluent_kafka.libversion()[0])
else:
    main(*sys.argv[1:])
