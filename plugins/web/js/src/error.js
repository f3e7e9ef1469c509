/** @import { Problem, TaskErrorKind } from "./index.js" */

/** Why a task failed, or could not be started or watched. */
export class TaskError extends Error {
  /**
   * @param {TaskErrorKind} kind
   * @param {string} message
   * @param {{ status?: number, problem?: Problem, retryAfter?: number, cause?: unknown }} [more]
   */
  constructor(kind, message, { status, problem, retryAfter, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "TaskError";
    this.kind = kind;
    this.status = status ?? null;
    this.problem = problem ?? null;
    this.retryAfter = retryAfter ?? null;
  }
}

/**
 * The error of a job that failed. An aborted one fails with the reason `cancelled`, or
 * `cancelled: why`.
 *
 * @param {string | null} reason
 */
export function failure(reason) {
  const text = reason || "the task failed";
  return new TaskError(/^cancelled(:|$)/.test(text) ? "cancelled" : "failed", text);
}
