// The same as history_confluent.py, with kafkajs.
const fs = require('fs');
const { Kafka, logLevel } = require('kafkajs');

const PARTITIONS = 3;
const [action, bootstrap, topic, out, stop] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'history', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING });
const told = fs.openSync(out, 'w');
const ends = () => new Map(fs.readFileSync(stop, 'utf8').trim().split('\n').map((line) => line.split(' ').map(Number)));

const actions = {
  async produce() {
    const producer = kafka.producer({ maxInFlightRequests: 1, retry: { retries: 1000, maxRetryTime: 1000 } });
    await producer.connect();
    for (let number = 0; !fs.existsSync(stop); number += 1) {
      const value = `kafkajs-${number}`;
      const [answer] = await producer.send({ topic, acks: -1, messages: [{ value, partition: number % PARTITIONS }] });
      fs.writeSync(told, `${answer.partition} ${answer.baseOffset} ${value} ${Date.now()}\n`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await producer.disconnect();
  },

  async consume() {
    const consumer = kafka.consumer({ groupId: 'history-kafkajs', retry: { retries: 1000, maxRetryTime: 1000 } });
    const read = new Map();
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        fs.writeSync(told, `${partition} ${message.offset} ${message.value}\n`);
        read.set(partition, Math.max(read.get(partition) ?? 0, Number(message.offset) + 1));
      },
    });
    const isDone = () => fs.existsSync(stop) && [...ends()].every(([partition, end]) => (read.get(partition) ?? 0) >= end);
    while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 100));
    await consumer.disconnect();
  },
};

actions[action]().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
