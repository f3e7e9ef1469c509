-- Let one delayed job wait in line now.
--
-- keys:    base wait paused active prioritized delayed meta marker events pc
-- args:    job_id
-- returns: 0 done, -1 no job, -3 not delayed, or held
-- emits:   waiting
-- include: lib/back_in_line lib/hold

local job = base .. job_id
local q = {wait = wait, paused = paused, active = active, prioritized = prioritized,
  meta = meta, marker = marker, pc = pc}
if redis.call("EXISTS", job) == 0 then return -1 end
if is_held(delayed, job_id) or redis.call("ZREM", delayed, job_id) == 0 then return -3 end
line_up(q, job_id, tonumber(redis.call("HGET", job, "priority")) or 0, false)
redis.call("XADD", events, "*", "event", "waiting", "jobId", job_id, "prev", "delayed")
redis.call("HSET", job, "delay", 0)
return 0
