-- Return a job, where it stands, and the newest event of its queue, all of the same moment.
--
-- keys:    job wait paused active prioritized delayed completed failed waiting_children events
-- args:    job_id
-- returns: {state, score among the delayed or "", id of the event or "", the hash}
-- include: lib/where

local state = state_of({
  wait = wait, paused = paused, active = active, prioritized = prioritized, delayed = delayed,
  completed = completed, failed = failed, waiting_children = waiting_children,
}, job_id)
local newest = redis.call("XREVRANGE", events, "+", "-", "COUNT", 1)[1]
return {
  state,
  redis.call("ZSCORE", delayed, job_id) or "",
  newest and newest[1] or "",
  redis.call("HGETALL", job),
}
