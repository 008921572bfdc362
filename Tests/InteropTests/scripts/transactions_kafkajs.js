// Copies records from one topic to another in transactions, the offsets it has read among them:
// BOOTSTRAP IN OUT ID LOG. Copies until it is killed; one line of LOG for each transaction that was committed.
const fs = require('fs');
const { Kafka, logLevel } = require('kafkajs');

const [bootstrap, source, target, transactionalId, log] = process.argv.slice(2);
const kafka = new Kafka({
  brokers: bootstrap.split(','), clientId: transactionalId, logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 100 },
});
const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1, transactionTimeout: 8000 });
const consumer = kafka.consumer({ groupId: 'copiers', readUncommitted: false, sessionTimeout: 6000 });

async function copy(batch, messages) {
  const transaction = await producer.transaction();
  try {
    await transaction.send({ topic: target, acks: -1, messages: messages.map(({ value }) => ({ value, partition: batch.partition })) });
    const next = (BigInt(messages[messages.length - 1].offset) + 1n).toString();
    await transaction.sendOffsets({ consumerGroupId: 'copiers', topics: [{ topic: source, partitions: [{ partition: batch.partition, offset: next }] }] });
    await transaction.commit();
  } catch (failed) {
    console.error(failed.message);
    await transaction.abort().catch(() => {});
    throw failed;
  }
  fs.appendFileSync(log, `${messages.length}\n`);
}

async function run() {
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topics: [source], fromBeginning: true });
  await consumer.run({
    eachBatchAutoResolve: false,
    autoCommit: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      for (let at = 0; at < batch.messages.length && isRunning() && !isStale(); at += 20) {
        const messages = batch.messages.slice(at, at + 20);
        await copy(batch, messages);
        resolveOffset(messages[messages.length - 1].offset);
        await heartbeat();
      }
    },
  });
}

for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, (error) => { console.error(error); process.exit(1); });
}
consumer.on(consumer.events.CRASH, ({ payload }) => { if (!payload.restart) process.exit(1); });
run();
