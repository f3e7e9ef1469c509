// What BullMQ on Node can be asked to do in a benchmark: the roles of `peers/roles.py`.
//
//   BENCH_REDIS=redis://… BENCH_JOBS=20000 node bench.js add_bulk
//
// All but `work` end with one line of JSON.
import fs from "node:fs";
import { parseArgs } from "node:util";

import { connectionOptions, loadBullMQ, openRedis } from "../../interop/node/connect.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { major: { type: "string", default: "6" } },
});
const [role] = positionals;
const env = (name, value) => process.env[`BENCH_${name}`] || value;
const number = (name, value) => Number(env(name, value));
const handler = env("HANDLER", "noop");
const opts = { all: undefined, default: undefined }[env("KEEP", "all")] ??
  (Number(env("KEEP", "")) ? { removeOnComplete: number("KEEP") } : undefined);

const bullmq = loadBullMQ(values.major);
const connection = connectionOptions(env("REDIS", "redis://localhost:6379"));
const options = { connection };
const DOUBLE = 8;

const now = () => Number(process.hrtime.bigint()) / 1e9;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One column of the file that all processes share; this one writes it at its end. */
function stamps(column) {
  const path = env("STAMPS");
  const jobs = fs.statSync(path).size / (2 * DOUBLE);
  const seconds = new Float64Array(jobs);
  const write = () => {
    const file = fs.openSync(path, "r+");
    fs.writeSync(file, Buffer.from(seconds.buffer), 0, jobs * DOUBLE, column * jobs * DOUBLE);
    fs.closeSync(file);
  };
  return { seconds, write };
}

const handlers = {
  noop: () => async () => {},
  nap: () => async () => sleep(10),
  echo: () => async (job) => job.data.n,
  order: () => async () => {},
  stamped: () => {
    const { seconds, write } = stamps(1);
    process.on("exit", write);
    return async (job) => {
      seconds[job.data.n] = now();
    };
  },
};

function work() {
  const worker = new bullmq.Worker(handler, handlers[handler](), {
    ...options,
    concurrency: number("CONCURRENCY", 100),
  });
  worker.on("error", (error) => console.error(error));
  process.on("SIGTERM", async () => {
    await worker.close();
    process.exit(0);
  });
}

const job = (n) => ({ name: handler, data: { n }, opts });

const adds = {
  async add_one(queue, jobs) {
    for (let n = 0; n < jobs; n++) await queue.add(handler, { n }, opts);
  },

  async add_many(queue, jobs) {
    let next = 0;
    const call = async () => {
      while (next < jobs) await queue.add(handler, { n: next++ }, opts);
    };
    await Promise.all(Array.from({ length: number("CALLERS", 50) }, call));
  },

  async add_bulk(queue, jobs) {
    const chunk = number("CHUNK", 1000);
    for (let start = 0; start < jobs; start += chunk) {
      const length = Math.min(chunk, jobs - start);
      await queue.addBulk(Array.from({ length }, (_, i) => job(start + i)));
    }
  },
};

async function measureAdds(queue) {
  const jobs = number("JOBS", 20000);
  const redis = openRedis(connection);
  await adds[role](queue, number("WARM_UP", 2000));
  const before = await figures(redis);
  await adds[role](queue, jobs);
  const after = await figures(redis);
  await redis.quit();
  return { jobs, ...Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]])) };
}

async function figures(redis) {
  const info = Object.fromEntries((await redis.info()).split("\r\n").map((row) => row.split(":")));
  const { user, system } = process.cpuUsage();
  return {
    seconds: now(),
    cpu_seconds: (user + system) / 1e6,
    redis_cpu_seconds: Number(info.used_cpu_user) + Number(info.used_cpu_sys),
    redis_commands: Number(info.total_commands_processed),
    busy_seconds: busySeconds(),
  };
}

/** For how long the machine's cores have been busy, whoever kept them so; a tick is 10 ms. */
function busySeconds() {
  const fields = fs.readFileSync("/proc/stat", "utf8").split("\n", 1)[0].split(/\s+/).map(Number);
  return [1, 2, 3, 6, 7, 8].reduce((sum, n) => sum + fields[n], 0) / 100;
}

async function fill(queue) {
  const jobs = number("JOBS", 20000);
  await adds.add_bulk(queue, jobs);
  return { jobs };
}

async function pace(queue) {
  const [jobs, rate] = [number("JOBS", 1000), number("RATE", 50)];
  const { seconds, write } = stamps(0);
  const began = now();
  const sent = [];
  for (let n = 0; n < jobs; n++) {
    let wait;
    while ((wait = began + n / rate - now()) > 0) await sleep(wait * 1e3);
    seconds[n] = now();
    sent.push(queue.add(handler, { n }, opts));
  }
  await Promise.all(sent);
  const took = now() - began;
  write();
  return { jobs, seconds: took };
}

async function ask(queue) {
  const events = new bullmq.QueueEvents(handler, options);
  await events.waitUntilReady();
  const [jobs, waits] = [number("JOBS", 300), []];
  for (let n = -20; n < jobs; n++) {
    const began = now();
    const added = await queue.add(handler, { n }, opts);
    const value = await added.waitUntilFinished(events, 10_000);
    if (value !== n) throw new Error(`asked for ${n}, got ${value}`);
    waits.push(now() - began);
  }
  await events.close();
  return { jobs, waits: waits.slice(20) };
}

/** How often 10 ms pass in a second, if so many wait for it at once. */
async function naps() {
  const end = now() + 1;
  let jobs = 0;
  const nap = async () => {
    for (; now() < end; jobs++) await sleep(10);
  };
  const began = now();
  await Promise.all(Array.from({ length: number("CONCURRENCY", 100) }, nap));
  return { jobs, seconds: now() - began };
}

async function main() {
  const said = { library: `bullmq ${bullmq.version}`, runtime: `node ${process.version}` };
  if (role === "naps") return { ...said, ...(await naps()) };
  if (role === "versions") return said;
  const queue = new bullmq.Queue(handler, options);
  await queue.waitUntilReady();
  const play = { fill, pace, ask }[role] ?? measureAdds;
  const more = await play(queue);
  await queue.close();
  return { ...said, ...more };
}

if (role === "work") work();
else process.stdout.write(`${JSON.stringify(await main())}\n`);
