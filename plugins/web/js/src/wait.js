/** @import { Task } from "./index.js" */
import { TaskError } from "./error.js";

/**
 * Wait for a task's result. Whoever stops waiting leaves the job alone.
 *
 * @param {Pick<Task, "getState" | "subscribe">} task
 * @param {{ timeout?: number, signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 */
export async function waitFor(task, { timeout, signal } = {}) {
  signal?.throwIfAborted();
  /** @type {() => void} */
  let leave = () => undefined;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      function look() {
        const { status, result, error } = task.getState();
        if (status === "completed") resolve(result);
        else if (error) reject(error);
        else if (status === "idle") reject(new TaskError("refused", "no task was started"));
        else return true;
      }
      if (!look()) return;
      const unsubscribe = task.subscribe(look);
      const stop = () => reject(signal?.reason);
      signal?.addEventListener("abort", stop);
      leave = () => {
        unsubscribe();
        signal?.removeEventListener("abort", stop);
      };
      if (timeout === undefined) return;
      timer = setTimeout(() => {
        reject(new TaskError("timeout", `the task has not ended after ${timeout} ms`));
      }, timeout);
    });
  } finally {
    leave();
    clearTimeout(timer);
  }
}
