// BullMQ on Node, driven by lines of JSON: the other side of the interop tests.
//
//   node peer.js MAJOR REDIS_URL
//
//   stdin   {"id": 1, "op": "add", "prefix": "bull", "args": {"queue": "q", "name": "n"}}
//   stdout  {"id": 1, "ok": true, "value": "1"}
//           {"id": 2, "ok": false, "error": {"name", "message", "stack"}}
//           {"source": "worker:1", "event": "completed", "fields": {…}}   as they happen
//
// It ends when stdin closes.
import { createInterface } from "node:readline";

import { connectionOptions, loadBullMQ, openRedis } from "./connect.js";
import { operations } from "./operations.js";
import { Room } from "./room.js";

const CLOSING_MS = 3000;

const [, , major, address] = process.argv;
const bullmq = loadBullMQ(major);
const connection = connectionOptions(address);
const redis = openRedis(connection);
const rooms = new Map();

// Stdout carries answers only.
console.log = console.info = console.error;

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function tell(source, event, fields, id) {
  say({ source, event, fields, id });
}

function roomOf(prefix) {
  if (!rooms.has(prefix)) rooms.set(prefix, new Room(bullmq, redis, connection, prefix, tell));
  return rooms.get(prefix);
}

async function run({ op, prefix, args = {} }) {
  if (op === "hello") return { node: process.version, bullmq: bullmq.version };
  const operation = operations[op];
  if (!operation) throw new Error(`no operation "${op}"`);
  const room = roomOf(prefix);
  // A room that closes takes no more; the next request opens a new one.
  if (op === "reset") rooms.delete(prefix);
  return operation(room, args);
}

async function answer(line) {
  const request = JSON.parse(line);
  try {
    say({ id: request.id, ok: true, value: (await run(request)) ?? null });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    say({ id: request.id, ok: false, error: { name, message, stack } });
  }
}

async function leave() {
  setTimeout(() => process.exit(0), CLOSING_MS);
  await Promise.allSettled([...rooms.values()].map((room) => room.close()));
  process.exit(0);
}

redis.on("error", ({ message }) => tell("process", "error", { message }));
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error) => tell("process", event, { message: String(error?.stack ?? error) }));
}
process.stdout.on("error", () => process.exit(0));
createInterface({ input: process.stdin }).on("line", answer).on("close", leave);
