/** @import { Started } from "./index.js" */

/** @typedef {{ id: string, self: URL, events: URL, abort: URL, token?: string }} Links */

/**
 * An address, which on a page may be relative to it.
 *
 * @param {string | URL} url
 */
export function absolute(url) {
  return new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);
}

/**
 * Where a job is: from its id, its address, or what `start` was answered with.
 *
 * @param {string | URL} type
 * @param {string | URL | Started} job
 * @returns {Links}
 */
export function linksOf(type, job) {
  if (typeof job === "string") return linksAt(below(absolute(type), encodeURIComponent(job)));
  if (job instanceof URL) return linksAt(job);
  const base = absolute(type);
  const { self, events, abort } = job.links;
  return {
    id: job.id,
    self: new URL(self, base),
    events: new URL(events, base),
    abort: new URL(abort, base),
    token: job.token,
  };
}

/**
 * @param {URL} self
 * @returns {Links}
 */
function linksAt(self) {
  const id = decodeURIComponent(self.pathname.split("/").at(-1) ?? "");
  return { id, self, events: below(self, "events"), abort: self };
}

/**
 * An address below another, with what is asked of that: a token that lets us watch.
 *
 * @param {URL} url
 * @param {string} name
 */
export function below(url, name) {
  const found = new URL(url);
  found.pathname = `${url.pathname.replace(/\/$/, "")}/${name}`;
  return found;
}
