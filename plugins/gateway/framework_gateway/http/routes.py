"""The paths of the HTTP API."""

from framework_gateway.auth import Channel
from framework_gateway.http import events, flows, front, held, jobs, queues, workers
from framework_gateway.routing import HELD, OPEN, Route

QUEUE = "/queues/:queue"
JOBS = f"{QUEUE}/jobs"
JOB = f"{JOBS}/:id"

ROUTES = (
    Route("GET", "/", front.show_banner, OPEN),
    Route("GET", "/health", front.show_health, OPEN),
    Route("GET", QUEUE, queues.show_queue),
    Route("DELETE", QUEUE, queues.obliterate),
    Route("GET", f"{QUEUE}/counts", queues.show_counts),
    Route("POST", f"{QUEUE}/pause", queues.pause),
    Route("POST", f"{QUEUE}/resume", queues.resume),
    Route("POST", f"{QUEUE}/drain", queues.drain),
    Route("POST", f"{QUEUE}/clean", queues.clean),
    Route("GET", f"{QUEUE}/events", events.follow),
    Route("POST", JOBS, jobs.add_jobs),
    Route("GET", JOBS, jobs.list_jobs),
    Route("GET", JOB, jobs.show_job),
    Route("DELETE", JOB, jobs.remove_job),
    Route("GET", f"{JOB}/state", jobs.show_state),
    Route("POST", f"{JOB}/retry", jobs.retry_job),
    Route("POST", f"{JOB}/promote", jobs.promote_job),
    Route("GET", f"{JOB}/logs", jobs.show_logs),
    Route("POST", f"{JOB}/logs", held.add_log, HELD),
    Route("POST", f"{JOB}/progress", held.set_progress, HELD),
    Route("POST", "/flows", flows.add_flows),
    Route("POST", "/workers", workers.register, Channel.CALLBACK),
    Route("GET", "/workers", workers.show_all, Channel.CALLBACK),
    Route("DELETE", "/workers/:queue", workers.remove, Channel.CALLBACK),
)
