// What a worker does with a job, described in JSON: `{kind: "sleep", ms: 50, value: 1}`.
//
// Each entry makes a processor from its description and the worker it runs in.
import { setTimeout as sleep } from "node:timers/promises";

const behaviours = {
  echo: () => async (job) => job.data,

  return: ({ value }) => async () => value,

  sleep: ({ ms, value }) => async () => {
    await sleep(ms);
    return value;
  },

  // Holds the event loop, so that locks are not renewed meanwhile.
  block: ({ ms, value }) => async () => {
    const end = Date.now() + ms;
    while (Date.now() < end);
    return value;
  },

  // Until the operation `release` ends it.
  hang: (_, recorded) => async (job) => recorded.untilReleased(job.id),

  fail: ({ times = Infinity, message = "failed", unrecoverable = false, value }, { bullmq }) => {
    const Failure = unrecoverable ? bullmq.UnrecoverableError : Error;
    return async (job) => {
      if (job.attemptsMade < times) throw new Failure(message);
      return value;
    };
  },

  progress: ({ steps, value }) => async (job) => {
    for (const step of steps) await job.updateProgress(step);
    return value;
  },

  log: ({ rows, value }) => async (job) => {
    for (const row of rows) await job.log(row);
    return value;
  },

  update: ({ data, value }) => async (job) => {
    await job.updateData(data);
    return value;
  },

  // The next three leave once and finish when they are started again.
  delay: ({ ms, value }, { bullmq }) => async (job, token) => {
    if (job.attemptsStarted > 1) return value;
    await job.moveToDelayed(Date.now() + ms, token);
    throw new bullmq.DelayedError();
  },

  wait: ({ value }, { bullmq }) => async (job, token) => {
    if (job.attemptsStarted > 1) return value;
    await job.moveToWait(token);
    throw new bullmq.WaitingError();
  },

  rateLimit: ({ ms, value }, { bullmq, worker }) => async (job) => {
    if (job.attemptsStarted > 1) return value;
    await worker().rateLimit(ms);
    throw new bullmq.RateLimitError();
  },

  // Adds children on its first run, waits for them and returns their values.
  children: ({ children }, { bullmq, room }) => async (job, token) => {
    const parent = { id: job.id, queue: job.queueQualifiedName };
    for (const { queue, name, data, opts } of job.attemptsStarted > 1 ? [] : children) {
      await room.queue(queue).add(name, data, { ...opts, parent });
    }
    if (await job.moveToWaitingChildren(token)) throw new bullmq.WaitingChildrenError();
    return job.getChildrenValues();
  },

  // Runs the step that the data names, notes it and the next one, and leaves as it says.
  steps: ({ steps, value = null }, recorded) => async (job, token) => {
    for (let step; (step = steps[job.data.step]); ) {
      const done = [...(job.data.done ?? []), `node:${job.data.step}`];
      await job.updateData({ ...job.data, step: step.next, done });
      await leave(step.leave, job, token, recorded);
    }
    return { done: job.data.done, value };
  },

  childrenValues: () => async (job) => ({
    processed: await job.getChildrenValues(),
    ignored: await job.getIgnoredChildrenFailures(),
  }),

  byName: ({ names, otherwise = { kind: "echo" } }, recorded) => {
    const rest = processorFor(otherwise, recorded);
    const table = new Map(
      Object.entries(names).map(([name, it]) => [name, processorFor(it, recorded)]),
    );
    return (job, token) => (table.get(job.name) ?? rest)(job, token);
  },
};

async function leave(how, job, token, { bullmq, worker }) {
  if (how?.kind === "delay") {
    await job.moveToDelayed(Date.now() + how.ms, token);
    throw new bullmq.DelayedError();
  }
  if (how?.kind === "wait") {
    await job.moveToWait(token);
    throw new bullmq.WaitingError();
  }
  if (how?.kind === "rateLimit") {
    await worker().rateLimit(how.ms);
    throw new bullmq.RateLimitError();
  }
  if (how?.kind === "children" && (await job.moveToWaitingChildren(token))) {
    throw new bullmq.WaitingChildrenError();
  }
}

export function processorFor(behaviour, recorded) {
  const make = behaviours[behaviour.kind];
  if (!make) throw new Error(`no behaviour "${behaviour.kind}"`);
  return make(behaviour, recorded);
}
