-- Hold a job that waits; of one that runs, ask its worker to leave it at its next checkpoint.
--
-- keys:    base active prioritized delayed waiting_children completed failed meta events
-- args:    job_id now_ms
-- returns: 0 held, 1 its worker was told, 2 it is held when it would start next, -1 no job,
--          -3 finished, -8 the next run of a schedule
-- emits:   delayed
-- include: lib/asks lib/hold lib/queue lib/requested

local job = base .. job_id
if redis.call("EXISTS", job) == 0 then return -1 end
if redis.call("ZSCORE", completed, job_id) or redis.call("ZSCORE", failed, job_id) then return -3 end
if is_next_run(base, job_id) then return -8 end
if is_held(delayed, job_id) then return 0 end

-- What cannot be written to fails here, before the job leaves its place.
redis.call("HGET", job, "fw.held")
redis.call("XTRIM", events, "MAXLEN", "~",
  max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents")))
local q = {base = base, prioritized = prioritized, delayed = delayed, events = events,
  waiting_children = waiting_children}
local place = leave_line(q, job_id, now_ms)
if place then
  hold(q, job, job_id, place)
  return 0
end
if not is_taken(job, job_id, active) then return -3 end
return ask(base, meta, job, "fw.held", "asked")
