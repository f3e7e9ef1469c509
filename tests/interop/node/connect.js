// Which BullMQ to speak for, and how to reach Redis.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** BullMQ's classes and its `version`; `major` is 5 or 6. */
export function loadBullMQ(major) {
  const name = `bullmq${major}`;
  return { ...require(name), version: require(`${name}/package.json`).version };
}

/** A plain client, for what BullMQ has no method for. */
export function openRedis(connection) {
  return new (require("ioredis"))(connection);
}

/**
 * ioredis options for the addresses that redis-py also reads:
 * `redis://`, `rediss://` and `unix:///path/to.sock?db=0&password=…`.
 */
export function connectionOptions(address) {
  const url = new URL(address);
  const asked = url.searchParams;
  const isSocket = url.protocol === "unix:";
  const path = decodeURIComponent(url.pathname);
  return {
    ...(isSocket ? { path } : { host: url.hostname, port: Number(url.port || 6379) }),
    ...(url.protocol === "rediss:" && { tls: {} }),
    username: decodeURIComponent(url.username) || asked.get("username") || undefined,
    password: decodeURIComponent(url.password) || asked.get("password") || undefined,
    db: Number(asked.get("db") ?? (isSocket ? 0 : path.slice(1) || 0)),
    maxRetriesPerRequest: null,
  };
}
