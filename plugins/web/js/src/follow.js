/** @import { TaskState, Times } from "./index.js" */
/** @import { Ask } from "./http.js" */
import { TaskError } from "./error.js";
import { jsonOf } from "./http.js";
import { eventsIn } from "./sse.js";
import { isFinal } from "./state.js";

/** @type {Required<Times>} */
const TIMES = { patience: 5000, poll: 2000, silence: 45_000, retry: 1000, longest: 30_000 };

/**
 * @typedef {object} Heard
 * @property {(name: string, data: any) => void} event Stops us where it was the last one.
 * @property {(error: TaskError) => void} error There is nothing to follow; stops us too.
 * @property {(connection: TaskState["connection"]) => void} connection
 */

/**
 * Follow a job until we are stopped: by its stream of events, which is opened again from where it
 * broke off, and by its state now and then while that stream says nothing at all, as behind a proxy
 * that holds it back.
 *
 * @param {Ask} ask
 * @param {{ self: URL, events: URL, token?: string }} links
 * @param {Heard} heard
 * @param {Times} [times]
 * @returns {() => void} Stops it.
 */
export function follow(ask, links, heard, times) {
  const { patience, poll, silence, retry, longest } = { ...TIMES, ...times };
  const leaving = new AbortController();
  const { signal } = leaving;
  const { token } = links;
  /** @type {AbortController | null} */
  let polling = null;

  /**
   * Whether an error is the end of it. Else it will be tried again, also where somebody between us
   * and the server answered what is no JSON.
   *
   * @param {unknown} error
   */
  function endsIt(error) {
    if (signal.aborted) return true;
    if (!(error instanceof TaskError && error.kind === "refused")) return false;
    heard.error(error);
    return true;
  }

  function speaks() {
    polling?.abort();
    polling = null;
    if (!signal.aborted) heard.connection("live");
  }

  async function pollMeanwhile() {
    if (polling) return;
    polling = new AbortController();
    const mine = AbortSignal.any([polling.signal, signal]);
    await pause(patience, mine);
    while (!mine.aborted) {
      heard.connection("polling");
      try {
        const snapshot = await jsonOf(await ask(links.self, { signal: mine, token }));
        if (!mine.aborted) heard.event("snapshot", snapshot);
      } catch (error) {
        if (mine.aborted) return;
        if (endsIt(error)) return;
      }
      await pause(poll, mine);
    }
  }

  async function stream() {
    let last = "";
    let wait = retry;
    let failures = 0;
    let brokenEnds = 0;
    void pollMeanwhile();
    while (!signal.aborted) {
      let asked = 0;
      // What a job that has ended streamed and logged comes after its snapshot: tell the end last.
      let end = null;
      try {
        const reading = { url: links.events, token, last, silence, signal, speaks };
        for await (const { event, data, id, retry: told } of read(ask, reading)) {
          failures = 0;
          last = id ?? last;
          wait = told ?? wait;
          if (data === "" || signal.aborted) continue;
          const news = JSON.parse(data);
          if (event === "snapshot" && isFinal({ status: news.state })) end = news;
          else heard.event(event, news);
        }
        if (end && !signal.aborted) heard.event("snapshot", end);
      } catch (error) {
        if (endsIt(error)) return;
        if (end) last = ""; // so that it is told again
        if (end && ++brokenEnds > 1) heard.event("snapshot", end);
        // Nothing came after what we know: see how it stands.
        if (error instanceof TaskError && error.status === 204) last = "";
        asked = (error instanceof TaskError && error.retryAfter) || 0;
      }
      if (signal.aborted) return;
      if (!polling) heard.connection("connecting");
      void pollMeanwhile();
      const longer = Math.min(wait * 2 ** failures++, longest) * (1 + Math.random() / 4);
      await pause(Math.max(asked, longer), signal);
    }
  }

  heard.connection("connecting");
  void stream();
  return () => leaving.abort();
}

/**
 * Open the stream once, and read it to its end. It counts as dead when it is silent, though the
 * heart of the server beats.
 *
 * @param {Ask} ask
 * @param {object} reading
 * @param {URL} reading.url
 * @param {string} [reading.token]
 * @param {string} reading.last The id of the last event that came.
 * @param {number} reading.silence
 * @param {AbortSignal} reading.signal
 * @param {() => void} reading.speaks
 */
async function* read(ask, { url, token, last, silence, signal, speaks }) {
  const dead = new AbortController();
  let watch = setTimeout(() => dead.abort(), silence);
  try {
    const response = await ask(url, {
      headers: { Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) },
      signal: AbortSignal.any([dead.signal, signal]),
      token,
    });
    const kind = response.headers.get("content-type") ?? "";
    if (!response.body || !kind.startsWith("text/event-stream")) {
      await response.body?.cancel();
      const message = `${url.host} sent ${kind || "nothing"} for a stream`;
      throw new TaskError("unreachable", message, { status: response.status });
    }
    const chunks = chunksOf(response.body, () => {
      clearTimeout(watch);
      watch = setTimeout(() => dead.abort(), silence);
      speaks();
    });
    yield* eventsIn(chunks);
  } finally {
    clearTimeout(watch);
  }
}

/**
 * Not every browser's streams can be iterated over.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {() => void} each
 */
async function* chunksOf(body, each) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      each();
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // it broke off before
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>} Resolves early if the signal is aborted.
 */
function pause(ms, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
