import { afterEach, beforeEach, expect } from "vitest";
import { Scripted } from "./server.js";

/** @type {Scripted} */
export let server;

beforeEach(async () => {
  server = await new Scripted().listen();
});
afterEach(() => server.close());

/** Reconnects at once, so that no test waits. */
export const QUICK = { retry: 1, patience: 60_000 };

/**
 * Keep what a task tells of itself.
 *
 * @param {Pick<import("framework-web").Task<any, any, any>, "subscribe" | "getState">} task
 */
export function hear(task) {
  /** @type {any[]} */
  const told = [];
  let last = task.getState().status + "";
  const leave = task.subscribe({
    onUpdate: ({ status, percentage }) => {
      const now = percentage === null ? status : `${status} ${percentage}`;
      if (last !== now) told.push(now);
      last = now;
    },
    onComplete: (result) => told.push({ result }),
    onError: (error) => told.push({ [error.kind]: error.message }),
    onLog: (row) => told.push({ row }),
    onChunk: (chunk, index) => told.push({ [index]: chunk }),
  });
  return { told, leave };
}

/**
 * @param {() => boolean} holds
 * @param {string} [message]
 */
export async function until(holds, message = String(holds)) {
  await expect.poll(holds, { timeout: 5000, interval: 2, message }).toBe(true);
}
