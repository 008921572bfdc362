// Drives a broker with kafkajs, the pure JavaScript client. Usage: node kafkajs_client.js ACTION BOOTSTRAP TOPIC PATH [COUNT]
const fs = require('fs');
const { Kafka, logLevel } = require('kafkajs');

const [action, bootstrap, topic, path, count] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'interop', brokers: [bootstrap], logLevel: logLevel.ERROR });

const actions = {
  async produce() {
    const lines = fs.readFileSync(path, 'latin1').split('\n').slice(0, -1);
    const producer = kafka.producer();
    await producer.connect();
    for (let from = 0; from < lines.length; from += 5000) {
      const messages = lines.slice(from, from + 5000).map((line) => ({ value: Buffer.from(line, 'latin1') }));
      await producer.send({ topic, messages, acks: -1 });
    }
    await producer.disconnect();
  },

  async consume() {
    const consumer = kafka.consumer({ groupId: `kafkajs-${topic}` });
    const out = fs.openSync(path, 'w');
    let expected = 0;
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise((resolve, reject) => {
      consumer.run({
        eachBatch: async ({ batch }) => {
          for (const message of batch.messages) {
            if (Number(message.offset) !== expected) reject(new Error(`offset ${message.offset}, expected ${expected}`));
            fs.writeSync(out, Buffer.concat([message.value, Buffer.from('\n')]));
            expected += 1;
          }
          if (expected >= Number(count)) resolve();
        },
      }).catch(reject);
    });
    fs.closeSync(out);
    await consumer.disconnect();
  },

  async consumeKeyed() {
    const consumer = kafka.consumer({ groupId: `kafkajs-${topic}` });
    const table = new Map();
    let offset = -1;
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise((resolve, reject) => {
      consumer.run({
        eachMessage: async ({ message }) => {
          if (Number(message.offset) <= offset) reject(new Error(`offset ${message.offset} after ${offset}`));
          offset = Number(message.offset);
          table.set(message.key.toString(), message.value && message.value.toString());
          if (table.has('last')) resolve();
        },
      }).catch(reject);
    });
    const left = [...table].filter(([, value]) => value !== null).sort(([a], [b]) => (a < b ? -1 : 1));
    fs.writeFileSync(path, JSON.stringify(Object.fromEntries(left)));
    await consumer.disconnect();
  },
};

actions[action]().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
