// Every event of a queue, told as BullMQ's QueueEvents hands it to its users.

export class Recorder {
  #events;
  #tell;
  #stopped = false;

  /** @param tell takes an event's name, its fields and its stream id */
  constructor(bullmq, queue, opts, tell) {
    this.#tell = tell;
    this.#events = new bullmq.QueueEvents(queue, { ...opts, autorun: false });
    this.#events.emit = (event, ...args) => this.#heard(event, args);
    this.#events.run().catch((error) => this.#heard("error", [error]));
  }

  #heard(event, args) {
    const [fields, id] = event === "drained" ? [{}, args[0]] : args;
    if (this.#stopped) return true;
    if (fields instanceof Error) this.#tell(event, { message: fields.message });
    else if (id && !isOfOneJob(event, fields)) this.#tell(event, fields, id);
    return true;
  }

  close() {
    this.#stopped = true;
    return this.#events.close();
  }
}

/** BullMQ emits an event once more, as `completed:<id>`, for those who wait for one job. */
function isOfOneJob(event, fields) {
  return fields.jobId !== undefined && event.endsWith(`:${fields.jobId}`);
}
