// Copies records from one topic to another in transactions, the offsets it has read among them:
// BOOTSTRAP IN OUT ID LOG. Copies until it is killed; one line of LOG for each transaction that was committed.
//
// This client does not tell the group coordinator its generation with the offsets (KIP-447), so each partition has a
// transactional id: who takes it over fences whoever had it, and only then looks how far that one came (KIP-98).
const fs = require('fs');
const { Kafka, logLevel } = require('kafkajs');

const [bootstrap, source, target, clientId, log] = process.argv.slice(2);
const groupId = 'copiers';
const kafka = new Kafka({
  brokers: bootstrap.split(','), clientId, logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 100 },
});
const consumer = kafka.consumer({ groupId, readUncommitted: false, sessionTimeout: 6000 });
const admin = kafka.admin();
const owned = new Map();
let generation = 0;

async function takeOver(partition) {
  const mine = generation;
  await owned.get(partition)?.producer.disconnect();
  const producer = kafka.producer({ transactionalId: `copier-${partition}`, idempotent: true, maxInFlightRequests: 1, transactionTimeout: 8000 });
  await producer.connect();
  await (await producer.transaction()).abort();
  owned.set(partition, { generation: mine, producer });
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [source] });
  const { offset } = partitions.find((each) => each.partition === partition);
  return offset === '-1' ? '0' : offset;
}

async function copy(batch, messages) {
  const transaction = await owned.get(batch.partition).producer.transaction();
  try {
    await transaction.send({ topic: target, acks: -1, messages: messages.map(({ value }) => ({ value, partition: batch.partition })) });
    const next = (BigInt(messages[messages.length - 1].offset) + 1n).toString();
    await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic: source, partitions: [{ partition: batch.partition, offset: next }] }] });
    await transaction.commit();
  } catch (failed) {
    console.error(failed.message);
    // It may have been committed all the same.
    owned.get(batch.partition).generation = -1;
    await transaction.abort().catch(() => {});
    throw failed;
  }
  fs.appendFileSync(log, `${messages.length}\n`);
}

async function run() {
  await admin.connect();
  await consumer.connect();
  consumer.on(consumer.events.GROUP_JOIN, () => { generation++; });
  await consumer.subscribe({ topics: [source], fromBeginning: true });
  await consumer.run({
    eachBatchAutoResolve: false,
    autoCommit: false,
    eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
      if (owned.get(batch.partition)?.generation !== generation) {
        const position = await takeOver(batch.partition);
        if (position !== batch.messages[0].offset) {
          consumer.seek({ topic: source, partition: batch.partition, offset: position });
          return;
        }
      }
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
