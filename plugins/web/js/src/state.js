/** @import { Progress, TaskState } from "./index.js" */
import { failure } from "./error.js";

/** @type {TaskState<any, any>} */
export const IDLE = Object.freeze({
  status: "idle",
  id: null,
  progress: null,
  percentage: null,
  result: null,
  error: null,
  lastError: null,
  chunks: Object.freeze([]),
  attemptsMade: 0,
  dueAt: null,
  connection: "closed",
});

/**
 * What an event of the stream changes.
 *
 * @param {TaskState<any, any>} state
 * @param {string} name
 * @param {any} data
 * @returns {Partial<TaskState<any, any>>}
 */
export function changes(state, name, data) {
  switch (name) {
    case "snapshot":
      return {
        status: data.state,
        ...progressed(data.progress),
        result: data.result,
        error: data.state === "failed" ? failure(data.error) : null,
        lastError: lastErrorOf(data),
        attemptsMade: data.attempts_made ?? 0,
        dueAt: timeOf(data.due_at),
      };
    case "state":
      // What ended the job follows as an event of its own.
      if (data.state === "completed" || data.state === "failed") return {};
      return {
        status: data.state,
        lastError: lastErrorOf(data),
        attemptsMade: data.attempts_made,
        dueAt: timeOf(data.due_at),
      };
    case "progress":
      return progressed(data);
    case "chunk":
      return { chunks: [...state.chunks, data.data] };
    case "completed":
      return {
        status: "completed",
        result: data.result,
        error: null,
        lastError: null,
        dueAt: null,
      };
    case "failed":
      return {
        status: "failed",
        error: failure(data.error),
        lastError: null,
        attemptsMade: data.attempts_made,
        dueAt: null,
      };
    default:
      return {};
  }
}

/** @param {Pick<TaskState, "status">} state */
export function isFinal({ status }) {
  return status === "completed" || status === "failed" || status === "error";
}

/**
 * Any job may tell whatever it likes: only a number is a percentage.
 *
 * @param {Progress | null} progress
 */
function progressed(progress) {
  const told = typeof progress === "object" ? progress?.percentage : progress;
  return { progress, percentage: typeof told === "number" ? told : null };
}

/** @param {{ state: string, error?: string | null }} data */
function lastErrorOf({ state, error }) {
  return state === "retrying" ? (error ?? null) : null;
}

/** @param {string | null} iso */
function timeOf(iso) {
  return iso === null || iso === undefined ? null : new Date(iso);
}
