/** @import { Listener, Started, StartOptions, TaskState } from "./index.js" */
import { TaskError } from "./error.js";
import { follow } from "./follow.js";
import { asking, jsonOf } from "./http.js";
import { absolute, below, linksOf } from "./links.js";
import { Listeners } from "./listeners.js";
import { changes, IDLE, isFinal } from "./state.js";
import { waitFor } from "./wait.js";

/** @type {typeof import("./index.js").createTask} */
export function createTask(url, options = {}) {
  const ask = asking(options);
  const listeners = new Listeners();
  /** @type {TaskState<any, any>} */
  let state = IDLE;
  /** @type {string | URL | Started | null} */
  let job = null;
  /** @type {(() => void) | null} */
  let unfollow = null;
  // An answer that comes after another start, or an attach, is let go.
  let starts = 0;
  let nextChunk = 0;
  /** @type {Promise<unknown> | null} */
  let starting = null;

  /** @param {Partial<TaskState<any, any>>} changed */
  function become(changed) {
    const wasFinal = isFinal(state);
    state = Object.freeze({ ...state, ...changed });
    listeners.tell((listener) => listener.onUpdate?.(state));
    if (isFinal(state) && !wasFinal) listeners.tellEnd(state);
  }

  /** Follow the job if somebody listens and there is more to hear, and only then. */
  function tend() {
    const wanted = listeners.size > 0 && !isFinal(state);
    if (!wanted && unfollow) {
      leave();
      become({ connection: "closed" });
    } else if (wanted && !unfollow && job !== null) {
      unfollow = follow(ask, linksTo(job), heard, options.times);
    }
  }

  /** @param {string | URL | Started} found */
  function linksTo(found) {
    const links = linksOf(url, found);
    const isOld = typeof found === "string" || found instanceof URL;
    return isOld ? { ...links, token: options.token } : links;
  }

  function leave() {
    unfollow?.();
    unfollow = null;
  }

  /** @type {import("./follow.js").Heard} */
  const heard = {
    event(name, data) {
      if (name === "chunk" && isOld(data)) return;
      const changed = changes(state, name, data);
      const isLast = isFinal({ ...state, ...changed });
      if (isLast) leave();
      become(isLast ? { ...changed, connection: "closed" } : changed);
      if (name === "log") listeners.tell((listener) => listener.onLog?.(data.row));
      if (name === "chunk") {
        listeners.tell((listener) => listener.onChunk?.(data.data, data.index));
      }
    },
    error(error) {
      leave();
      become({ status: "error", error, connection: "closed" });
    },
    connection(connection) {
      if (state.connection !== connection) become({ connection });
    },
  };

  /**
   * A stream that is opened anew tells its story anew.
   *
   * @param {{ index: number }} chunk
   */
  function isOld({ index }) {
    if (index < nextChunk) return true;
    nextChunk = index + 1;
    return false;
  }

  /** @param {string | URL | Started | null} found */
  function begin(found) {
    leave();
    starts += 1;
    nextChunk = 0;
    job = found;
    become({ ...IDLE, status: "pending", id: idOf(found) });
    tend();
  }

  /**
   * @param {unknown} data
   * @param {StartOptions} [how]
   * @returns {Promise<Started>}
   */
  async function start(data, { idempotencyKey, signal } = {}) {
    begin(null);
    const mine = starts;
    try {
      const headers = {
        "Content-Type": "application/json",
        ...(idempotencyKey && { "Idempotency-Key": idempotencyKey }),
      };
      const body = JSON.stringify(data ?? null);
      const answer = await ask(absolute(url), { method: "POST", headers, body, signal });
      const started = await jsonOf(answer);
      if (mine === starts) {
        job = started;
        become({ id: started.id });
        tend();
      }
      return started;
    } catch (error) {
      if (mine !== starts) throw error;
      if (error instanceof TaskError) become({ status: "error", error });
      else become(IDLE); // the caller took it back, or gave what is no JSON
      throw error;
    }
  }

  async function links() {
    await starting;
    if (job === null) throw new TaskError("refused", "no task was started");
    return linksTo(job);
  }

  /** @param {string} name */
  async function act(name) {
    const response = await ask(below((await links()).self, name), { method: "POST" });
    await response.body?.cancel();
  }

  /** @type {import("./index.js").Task<any, any, any>["subscribe"]} */
  function subscribe(listener) {
    const mine = typeof listener === "function" ? { onUpdate: listener } : { ...listener };
    listeners.add(mine);
    // Not at once: who leaves and comes back in one go, as in React's StrictMode, stays connected.
    queueMicrotask(tend);
    return () => {
      listeners.delete(mine);
      queueMicrotask(tend);
    };
  }

  if (options.id !== undefined) begin(options.id);

  return {
    start(data, how) {
      const started = start(data, how);
      starting = started.catch(() => undefined); // the state tells of it too
      return started;
    },
    attach: (found) => void begin(found),
    async abort() {
      const { abort, token } = await links();
      return jsonOf(await ask(abort, { method: "DELETE", token }));
    },
    async retry() {
      const mine = starts;
      await act("retry");
      if (mine === starts) begin(job);
    },
    pause: () => act("pause"),
    resume: () => act("resume"),
    wait: (how) => waitFor({ getState: () => state, subscribe }, how),
    subscribe,
    getState: () => state,
  };
}

/** @param {string | URL | Started | null} job */
function idOf(job) {
  if (job instanceof URL) return linksOf(job, job).id;
  return typeof job === "string" || job === null ? job : job.id;
}
