// One measured run of BullMQ on Node; prints one line of JSON.
//
//   node bench.js drain --redis URL --jobs 20000 --concurrency 100 --keep all
//
// `tests/benchmarks/ours.py` takes the same arguments and prints the same line.
import { parseArgs } from "node:util";

import { connectionOptions, loadBullMQ, openRedis } from "../../interop/node/connect.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    redis: { type: "string" },
    prefix: { type: "string", default: "bull" },
    major: { type: "string", default: "6" },
    jobs: { type: "string", default: "20000" },
    warmup: { type: "string", default: "2000" },
    concurrency: { type: "string", default: "100" },
    callers: { type: "string", default: "50" },
    chunk: { type: "string", default: "1000" },
    keep: { type: "string", default: "all" },
  },
});
const [workload] = positionals;
const [jobs, warmup, concurrency, callers, chunk] = [
  values.jobs,
  values.warmup,
  values.concurrency,
  values.callers,
  values.chunk,
].map(Number);
const opts = values.keep === "all" ? undefined : { removeOnComplete: Number(values.keep) };
const name = "noop";

const bullmq = loadBullMQ(values.major);
const connection = connectionOptions(values.redis);
const options = { connection, prefix: values.prefix };
const redis = openRedis(connection);

/** Each workload prepares a queue and returns what is to be measured. */
const workloads = {
  async drain(queue, count) {
    await addInBulk(queue, count);
    const worker = new bullmq.Worker(queue.name, async () => {}, {
      ...options,
      concurrency,
      autorun: false,
    });
    await worker.waitUntilReady();
    const done = new Promise((resolve) => {
      let left = count;
      worker.on("completed", () => --left || resolve());
    });
    const run = async () => {
      void worker.run();
      await done;
    };
    return { run, close: () => worker.close() };
  },

  async add_bulk(queue, count) {
    return { run: () => addInBulk(queue, count) };
  },

  async add_one(queue, count) {
    const run = async () => {
      for (let n = 0; n < count; n++) await queue.add(name, { n }, opts);
    };
    return { run };
  },

  async add_many(queue, count) {
    let next = 0;
    const call = async () => {
      while (next < count) await queue.add(name, { n: next++ }, opts);
    };
    return { run: () => Promise.all(Array.from({ length: callers }, call)) };
  },
};

async function addInBulk(queue, count) {
  for (let start = 0; start < count; start += chunk) {
    const length = Math.min(chunk, count - start);
    await queue.addBulk(Array.from({ length }, (_, i) => ({ name, data: { n: start + i }, opts })));
  }
}

async function measured(queueName, count) {
  const queue = new bullmq.Queue(queueName, options);
  await queue.waitUntilReady();
  const { run, close } = await workloads[workload](queue, count);
  const redisBefore = await redisFigures();
  const before = ownFigures();
  await run();
  const after = ownFigures();
  const redisAfter = await redisFigures();
  await close?.();
  await queue.close();
  return {
    seconds: after.seconds - before.seconds,
    cpu_seconds: after.cpu - before.cpu,
    redis_cpu_seconds: redisAfter.cpu - redisBefore.cpu,
    redis_commands: redisAfter.commands - redisBefore.commands,
  };
}

function ownFigures() {
  const { user, system } = process.cpuUsage();
  return { seconds: performance.now() / 1e3, cpu: (user + system) / 1e6 };
}

async function redisFigures() {
  const info = Object.fromEntries((await redis.info()).split("\r\n").map((row) => row.split(":")));
  return {
    cpu: Number(info.used_cpu_user) + Number(info.used_cpu_sys),
    commands: Number(info.total_commands_processed),
  };
}

await measured("warm-up", warmup);
const run = await measured("bench", jobs);
const line = { library: `bullmq ${bullmq.version}`, runtime: `node ${process.version}`, jobs, ...run };
process.stdout.write(`${JSON.stringify(line)}\n`);
await redis.quit();
