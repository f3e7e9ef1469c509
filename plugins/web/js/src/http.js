/** @import { Problem, TaskOptions } from "./index.js" */
import { TaskError } from "./error.js";

/** Answers after which the same request may well succeed. */
const PASSING = new Set([408, 425, 429]);

/**
 * @typedef {RequestInit & { headers?: Record<string, string>, token?: string }} Init The token is
 *   sent where the page names no authorization of its own.
 * @typedef {(url: URL, init?: Init) => Promise<Response>} Ask Resolves to an answer that is well;
 *   rejects with a TaskError.
 */

/**
 * @param {Pick<TaskOptions, "fetch" | "headers" | "credentials">} options
 * @returns {Ask}
 */
export function asking({ fetch, headers, credentials = "same-origin" }) {
  return async (url, { token, ...init } = {}) => {
    const sent = new Headers(typeof headers === "function" ? headers() : headers);
    if (token && !sent.has("Authorization")) sent.set("Authorization", `Bearer ${token}`);
    for (const [name, value] of Object.entries(init.headers ?? {})) sent.set(name, value);
    let response;
    try {
      response = await (fetch ?? globalThis.fetch)(url, {
        credentials,
        cache: "no-store",
        ...init,
        headers: sent,
      });
    } catch (cause) {
      init.signal?.throwIfAborted();
      throw new TaskError("unreachable", `no answer from ${url.host}`, { cause });
    }
    if (!response.ok) throw await refusal(response);
    return response;
  };
}

/**
 * What an answer says.
 *
 * @param {Response} response
 * @returns {Promise<any>}
 */
export async function jsonOf(response) {
  try {
    return await response.json();
  } catch (cause) {
    const kind = response.headers.get("content-type") ?? "nothing";
    throw new TaskError("unreachable", `${response.url} answered ${kind}, not JSON`, { cause });
  }
}

/** @param {Response} response */
async function refusal(response) {
  const { status } = response;
  const problem = await problemOf(response);
  const message = problem?.detail || problem?.title || `the server answered ${status}`;
  const passing = status >= 500 || PASSING.has(status);
  return new TaskError(passing ? "unreachable" : "refused", message, {
    status,
    problem,
    retryAfter: Number(response.headers.get("retry-after")) * 1000 || undefined,
  });
}

/**
 * @param {Response} response
 * @returns {Promise<Problem | undefined>}
 */
async function problemOf(response) {
  const isJson = /[/+]json\b/.test(response.headers.get("content-type") ?? "");
  try {
    const found = isJson ? await response.json() : await response.body?.cancel();
    return typeof found === "object" && found !== null ? found : undefined;
  } catch {
    return undefined; // Cut off, or no JSON after all: the status says enough.
  }
}
