-- Put one finished job back in line, as if it had not run.
--
-- keys:    base wait paused active prioritized meta marker events pc completed failed
-- args:    job_id reset_made reset_started
-- returns: 0 done, -1 no job, -3 not finished
-- emits:   waiting
-- include: lib/back_in_line

local job = base .. job_id
local q = {wait = wait, paused = paused, active = active, prioritized = prioritized,
  meta = meta, marker = marker, pc = pc}
if redis.call("EXISTS", job) == 0 then return -1 end
local state
if redis.call("ZREM", completed, job_id) == 1 then
  state = "completed"
elseif redis.call("ZREM", failed, job_id) == 1 then
  state = "failed"
else
  return -3
end

forget_run(job, state)
if reset_made == "1" then redis.call("HDEL", job, "atm") end
if reset_started == "1" then redis.call("HDEL", job, "ats") end
line_up(q, job_id, tonumber(redis.call("HGET", job, "priority")) or 0, options_of(job).lifo == true)
back_to_parent(job, state)
local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", "waiting", "jobId", job_id,
  "prev", state)
return 0
