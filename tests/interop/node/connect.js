// Which BullMQ to speak for, and how to reach Redis.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const CLUSTER = "redis+cluster://";

/** BullMQ's classes and its `version`; `major` is 5 or 6. */
export function loadBullMQ(major) {
  const name = `bullmq${major}`;
  return { ...require(name), version: require(`${name}/package.json`).version };
}

/** A plain client, for what BullMQ has no method for. */
export function openRedis(connection) {
  const { Redis, Cluster } = require("ioredis");
  return connection instanceof Cluster ? connection : new Redis(connection);
}

/**
 * What BullMQ takes as its connection, for the addresses that our side also reads:
 * `redis://`, `rediss://`, `unix:///path/to.sock?db=0&password=…` and
 * `redis+cluster://host:port,host:port`.
 */
export function connectionOptions(address) {
  if (address.startsWith(CLUSTER)) return openCluster(address.slice(CLUSTER.length));
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

/** A cluster's client; it tries long enough to outlive a fail-over. */
function openCluster(hosts) {
  const nodes = hosts.split(",").map((place) => {
    const [host, port] = place.split(":");
    return { host, port: Number(port) };
  });
  return new (require("ioredis").Cluster)(nodes, {
    maxRedirections: 200,
    slotsRefreshInterval: 500,
    redisOptions: { maxRetriesPerRequest: null },
  });
}
