-- Tell where a job stands.
--
-- keys:    wait paused active prioritized delayed completed failed waiting_children
-- args:    job_id
-- returns: BullMQ's name of the state, or "unknown"
-- include: lib/where

return state_of({
  wait = wait, paused = paused, active = active, prioritized = prioritized, delayed = delayed,
  completed = completed, failed = failed, waiting_children = waiting_children,
}, job_id)
