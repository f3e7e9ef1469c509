// What one user of the peer has opened under one key prefix, and how it is closed again.
import { Recorder } from "./recorder.js";
import { RecordedWorker } from "./worker.js";

let sources = 0;

export class Room {
  #queues = new Map();
  #listeners = new Map();
  #recorders = new Map();
  #workers = new Map();
  #flow;
  #closing = false;

  /**
   * @param redis a client for plain commands
   * @param tell takes a source, an event's name, its fields and its stream id
   */
  constructor(bullmq, redis, connection, prefix, tell) {
    this.bullmq = bullmq;
    this.redis = redis;
    this.connection = connection;
    this.prefix = prefix;
    this.tell = tell;
  }

  options() {
    return { connection: this.connection, prefix: this.prefix };
  }

  queue(name, opts = {}) {
    return found(this.#queues, name, () =>
      this.#watched(new this.bullmq.Queue(name, { ...this.options(), ...opts })),
    );
  }

  flow() {
    this.#flow ??= this.#watched(new this.bullmq.FlowProducer(this.options()));
    return this.#flow;
  }

  /** The queue's events, for `waitUntilFinished`. */
  listener(name) {
    return found(this.#listeners, name, async () => {
      const lastEventId = await this.#lastEventId(name);
      const opts = { ...this.options(), lastEventId };
      return this.#watched(new this.bullmq.QueueEvents(name, opts));
    });
  }

  /** Tells every event of the queue from now on, or after the given stream id. */
  async record(name, since) {
    const source = `events:${++sources}`;
    const lastEventId = since ?? (await this.#lastEventId(name));
    const tell = (...heard) => this.tell(source, ...heard);
    const opts = { ...this.options(), lastEventId };
    this.#recorders.set(source, new Recorder(this.bullmq, name, opts, tell));
    return source;
  }

  /** An id to read from in place of "$", so that nothing is missed before the first read. */
  async #lastEventId(name) {
    const stream = `${this.prefix}:${name}:events`;
    const [last] = await this.redis.xrevrange(stream, "+", "-", "COUNT", 1);
    return last?.[0] ?? "0-0";
  }

  async stopRecording(source) {
    await this.#recorders.get(source)?.close();
    this.#recorders.delete(source);
  }

  async work(queue, behaviour, opts) {
    const source = `worker:${++sources}`;
    const tell = (...heard) => this.tell(source, ...heard);
    const recorded = new RecordedWorker(this, queue, behaviour, opts, tell);
    this.#workers.set(source, recorded);
    await recorded.worker().waitUntilReady();
    return source;
  }

  worker(source) {
    const recorded = this.#workers.get(source);
    if (!recorded) throw new Error(`no worker "${source}"`);
    return recorded;
  }

  async closeWorker(source, force) {
    await this.worker(source).close(force);
    this.#workers.delete(source);
  }

  /** Closes everything; running jobs are left behind. */
  async close() {
    this.#closing = true;
    const workers = [...this.#workers.values()].map((worker) => worker.close(true));
    await Promise.allSettled(workers);
    const maps = [this.#recorders, this.#listeners, this.#queues];
    const others = [...maps.flatMap((map) => [...map.values()]), this.#flow];
    await Promise.allSettled(others.map(async (it) => (await it)?.close()));
  }

  #watched(emitter) {
    return emitter.on("error", ({ message }) => {
      if (!this.#closing) this.tell("process", "error", { message });
    });
  }
}

function found(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}
