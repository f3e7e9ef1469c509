import { once } from "node:events";
import { createServer } from "node:http";

/** @typedef {import("node:http").IncomingMessage} Request */
/** @typedef {import("node:http").ServerResponse} Response */
/** @typedef {(request: Request, response: Response) => void} Route */

/** A server that says what a test tells it to, over a real socket. */
export class Scripted {
  /** @type {Map<string, Route>} */
  #routes = new Map();
  /** @type {Stream[]} */
  #unseen = [];
  /** @type {((stream: Stream) => void)[]} */
  #awaited = [];
  /** What was asked: `POST /tasks/report`. @type {string[]} */
  asked = [];
  /** What was posted last. @type {any} */
  posted = undefined;
  /** @type {import("node:http").IncomingHttpHeaders} */
  headers = {};

  constructor() {
    this.server = createServer(async (request, response) => {
      const what = `${request.method} ${request.url}`;
      this.asked.push(what);
      this.headers = request.headers;
      const body = (await request.toArray()).join("");
      if (body) this.posted = JSON.parse(body);
      const route = this.#routes.get(what);
      if (route) route(request, response);
      else if (request.url?.split("?")[0]?.endsWith("/events")) this.#open(request, response);
      else respond(response, 404, { title: "Not Found", detail: `nothing at ${request.url}` });
    });
  }

  async listen(port = 0) {
    this.server.listen(port, "127.0.0.1");
    await once(this.server, "listening");
    return this;
  }

  get port() {
    return /** @type {import("node:net").AddressInfo} */ (this.server.address()).port;
  }

  /** The address of the task type `report`. */
  get url() {
    return `http://127.0.0.1:${this.port}/tasks/report`;
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }

  /**
   * @param {string} what
   * @param {number} status
   * @param {unknown} body
   * @param {Record<string, string>} [headers]
   */
  answer(what, status, body, headers) {
    this.#routes.set(what, (_, response) => respond(response, status, body, headers));
  }

  /**
   * @param {string} what
   * @param {Route} route
   */
  on(what, route) {
    this.#routes.set(what, route);
  }

  /** @param {string} what */
  forget(what) {
    this.#routes.delete(what);
  }

  /**
   * Answer the start of a job, and its abort.
   *
   * @param {{ id?: string, token?: string }} [how]
   */
  accept({ id = "7", token } = {}) {
    const self = `/tasks/report/${id}`;
    const links = { self, events: `${self}/events`, abort: self };
    this.answer("POST /tasks/report", 202, { id, type: "report", links, token });
    this.answer(`DELETE ${self}`, 202, { id, effect: "asked" });
    this.answer(`POST ${self}/retry`, 202, { id });
  }

  /** The next stream that a client opens. @returns {Promise<Stream>} */
  stream() {
    const found = this.#unseen.shift();
    return found ? Promise.resolve(found) : new Promise((resolve) => this.#awaited.push(resolve));
  }

  /**
   * @param {Request} request
   * @param {Response} response
   */
  #open(request, response) {
    const stream = new Stream(request, response);
    const awaited = this.#awaited.shift();
    if (awaited) awaited(stream);
    else this.#unseen.push(stream);
  }

  /** How many streams nobody looked at. */
  get unseen() {
    return this.#unseen.length;
  }
}

/** One client's stream of events. */
export class Stream {
  /**
   * @param {Request} request
   * @param {Response} response
   */
  constructor(request, response) {
    this.response = response;
    this.url = request.url;
    this.headers = request.headers;
    this.lastEventId = request.headers["last-event-id"];
    /** Resolves once it is over, whoever ended it. */
    this.closed = once(response, "close");
    response.writeHead(200, { "Content-Type": "text/event-stream" });
  }

  /** @param {string} text */
  write(text) {
    this.response.write(text);
    return this;
  }

  /**
   * @param {string} event
   * @param {unknown} data
   * @param {string} [id]
   */
  send(event, data, id) {
    const first = id ? `id: ${id}\n` : "";
    return this.write(`${first}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** @param {Record<string, unknown>} [known] */
  snapshot(known) {
    return this.send("snapshot", snapshot(known), "1-0");
  }

  end() {
    this.response.end();
  }

  cut() {
    this.response.destroy();
  }
}

/** @param {Record<string, unknown>} [known] */
export function snapshot(known) {
  return {
    id: "7",
    type: "report",
    state: "active",
    progress: null,
    result: null,
    error: null,
    attempts_made: 0,
    added_at: "2026-01-02T03:04:05+00:00",
    started_at: null,
    finished_at: null,
    due_at: null,
    ...known,
  };
}

/**
 * @param {Response} response
 * @param {number} status
 * @param {unknown} body
 * @param {Record<string, string>} [headers]
 */
function respond(response, status, body, headers) {
  const kind = status < 400 ? "application/json" : "application/problem+json";
  const isText = typeof body === "string";
  response.writeHead(status, { "Content-Type": isText ? "text/html" : kind, ...headers });
  response.end(isText ? body : JSON.stringify(status < 400 ? body : { status, ...Object(body) }));
}
