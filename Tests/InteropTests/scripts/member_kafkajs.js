// One member of a group by kafkajs: says what it is given, until its input ends.
// Usage: node member_kafkajs.js BOOTSTRAP TOPIC GROUP
const { Kafka, logLevel } = require('kafkajs');

const [bootstrap, topic, group] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'interop', brokers: [bootstrap], logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: group, sessionTimeout: 6000, heartbeatInterval: 500 });

// Every generation brings the whole assignment anew.
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  const partitions = Object.entries(payload.memberAssignment).flatMap(([name, indexes]) => indexes.map((index) => `${name}-${index}`));
  console.log(JSON.stringify({ replaced: partitions.sort() }));
});

async function run() {
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachMessage: async () => {} });
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.on('end', resolve));
  await consumer.disconnect();
}

run().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
