// A worker that tells what it does, as lines of its own.
import { processorFor } from "./behaviours.js";

export class RecordedWorker {
  #worker;
  #released = new Map();

  /**
   * @param room where the worker's queues and options come from
   * @param behaviour what it does with a job; `{kind: "none"}` leaves fetching to `workerCall`
   * @param tell takes an event's name and its fields
   */
  constructor(room, queue, behaviour, opts, tell) {
    this.room = room;
    this.bullmq = room.bullmq;
    this.worker = () => this.#worker;
    const work = behaviour.kind === "none" ? null : this.#told(behaviour, tell);
    this.#worker = new this.bullmq.Worker(queue, work, { ...room.options(), ...settled(opts) });
    this.#listen(tell);
  }

  #told(behaviour, tell) {
    const work = processorFor(behaviour, this);
    return (job, token) => {
      const { id, name, attemptsMade, attemptsStarted } = job;
      tell("run", { jobId: id, name, attemptsMade, attemptsStarted, token, at: Date.now() });
      return work(job, token);
    };
  }

  #listen(tell) {
    this.#worker
      .on("completed", (job, result) => tell("completed", { jobId: job.id, result }))
      .on("failed", (job, error) => tell("failed", { jobId: job?.id, reason: error.message }))
      .on("stalled", (jobId) => tell("stalled", { jobId }))
      .on("error", (error) => tell("error", { message: error.message }));
  }

  /** Lets a hanging job end, now or whenever it starts: with a value, or with an error. */
  release(jobId, outcome) {
    this.#turnstile(jobId).resolve(outcome);
  }

  async untilReleased(jobId) {
    const { error, value } = await this.#turnstile(jobId).promise;
    this.#released.delete(jobId);
    if (error !== undefined) throw new Error(error);
    return value;
  }

  #turnstile(jobId) {
    if (!this.#released.has(jobId)) {
      let resolve;
      const promise = new Promise((done) => (resolve = done));
      this.#released.set(jobId, { promise, resolve });
    }
    return this.#released.get(jobId);
  }

  close(force = false) {
    return this.#worker.close(force);
  }
}

/** `backoffs` names strategies by what they answer, in ms; BullMQ takes a function. */
function settled({ backoffs, ...opts } = {}) {
  if (!backoffs) return opts;
  return { ...opts, settings: { backoffStrategy: (_attempts, type) => backoffs[type] } };
}
