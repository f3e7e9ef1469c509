// What the peer can be asked to do. Each operation takes a room and its arguments.

const onQueue = (operation) => (room, args) => operation(room.queue(args.queue), args);
const onJob = (operation) => async (room, args) => operation(await jobOf(room, args), args);

async function jobOf(room, { queue, jobId }) {
  const job = await room.queue(queue).getJob(jobId);
  if (!job) throw new Error(`no job "${jobId}" in queue "${queue}"`);
  return job;
}

async function waitUntilFinished(room, { queue, jobId, ttl }) {
  const listener = await room.listener(queue);
  return (await jobOf(room, { queue, jobId })).waitUntilFinished(listener, ttl);
}

/** Tells whether `waitUntilFinished` listens, and has looked whether the job has ended already. */
async function isWaitedFor(room, { queue, jobId }) {
  const listener = await room.listener(queue);
  await listener.waitUntilReady();
  if (!listener.listenerCount(`completed:${jobId}`)) return false;
  // What it asked before these is answered before them, on the same connection.
  await room.queue(queue).getJobState(jobId);
  await room.queue(queue).getJobState(jobId);
  return true;
}

/** Calls a method, or reads a property where it is none. */
function invoke(target, method, args = []) {
  const member = target[method];
  return typeof member === "function" ? member.apply(target, args) : member;
}

export const operations = {
  ping: () => null,
  reset: (room) => room.close(),
  redis: (room, { words }) => room.redis.call(...words),

  openQueue: async (room, { queue, opts }) => {
    await room.queue(queue, opts).waitUntilReady();
  },
  add: onQueue(async (queue, { name, data, opts }) => (await queue.add(name, data, opts)).id),
  addBulk: onQueue(async (queue, { jobs }) => (await queue.addBulk(jobs)).map((job) => job.id)),
  getJob: onQueue((queue, { jobId }) => queue.getJob(jobId)),
  getState: onQueue((queue, { jobId }) => queue.getJobState(jobId)),
  getJobCounts: onQueue((queue, { states = [] }) => queue.getJobCounts(...states)),
  getJobs: onQueue((queue, { states, start, end, asc }) => queue.getJobs(states, start, end, asc)),
  getJobLogs: onQueue((queue, { jobId, start, end, asc }) =>
    queue.getJobLogs(jobId, start, end, asc),
  ),
  addLog: onQueue((queue, { jobId, row, keepLogs }) => queue.addJobLog(jobId, row, keepLogs)),
  updateProgress: onQueue((queue, { jobId, progress }) =>
    queue.updateJobProgress(jobId, progress),
  ),
  pause: onQueue((queue) => queue.pause()),
  resume: onQueue((queue) => queue.resume()),
  isPaused: onQueue((queue) => queue.isPaused()),
  remove: onQueue((queue, { jobId, opts }) => queue.remove(jobId, opts)),
  drain: onQueue((queue, { delayed }) => queue.drain(delayed)),
  clean: onQueue((queue, { grace = 0, limit = 0, type }) => queue.clean(grace, limit, type)),
  obliterate: onQueue((queue, { opts }) => queue.obliterate(opts)),
  getWorkers: onQueue((queue) => queue.getWorkers()),
  getMeta: onQueue((queue) => queue.getMeta()),
  removeOrphanedJobs: onQueue((queue, { count, limit }) => queue.removeOrphanedJobs(count, limit)),
  setGlobalConcurrency: onQueue((queue, { concurrency }) =>
    queue.setGlobalConcurrency(concurrency),
  ),
  upsertJobScheduler: onQueue((queue, { schedulerId, repeat, template }) =>
    queue.upsertJobScheduler(schedulerId, repeat, template),
  ),
  queueCall: onQueue((queue, { method, args }) => invoke(queue, method, args)),

  retry: onJob((job, { state, opts }) => job.retry(state, opts)),
  promote: onJob((job) => job.promote()),
  changeDelay: onJob((job, { delay }) => job.changeDelay(delay)),
  changePriority: onJob((job, { opts }) => job.changePriority(opts)),
  failJob: (room, { message, token, unrecoverable, ...args }) => {
    const kind = unrecoverable ? room.bullmq.UnrecoverableError : Error;
    return onJob((job) => job.moveToFailed(new kind(message), token, false))(room, args);
  },
  jobCall: onJob((job, { method, args }) => invoke(job, method, args)),
  waitUntilFinished,
  isWaitedFor,

  addFlow: (room, { flow, opts }) => room.flow().add(flow, opts),
  getFlow: (room, { opts }) => room.flow().getFlow(opts),
  flowCall: (room, { method, args }) => invoke(room.flow(), method, args),

  work: (room, { queue, behaviour, opts }) => room.work(queue, behaviour, opts),
  release: (room, { worker, jobId, ...outcome }) => room.worker(worker).release(jobId, outcome),
  closeWorker: (room, { worker, force }) => room.closeWorker(worker, force),
  workerCall: (room, { worker, method, args }) => invoke(room.worker(worker).worker(), method, args),

  record: (room, { queue, since }) => room.record(queue, since),
  stopRecording: (room, { source }) => room.stopRecording(source),
};
