-- Put one finished job back in line, as if it had not run.
--
-- keys:    base wait paused active prioritized meta marker events pc completed failed
-- args:    job_id reset_made reset_started rescue
-- returns: 0 done, -1 no job, -3 not finished, or not failed
-- emits:   waiting
-- include: lib/back_in_line

-- `rescue` is "" for any finished job; "forget" or "isolate" for one that failed, which is no
-- suspect any more, or stays one.

-- From so many crashes on, a job is a suspect for every worker, whatever its `max_crashes`.
local SUSPECT = 2

local job = base .. job_id
local q = {wait = wait, paused = paused, active = active, prioritized = prioritized,
  meta = meta, marker = marker, pc = pc}
if redis.call("EXISTS", job) == 0 then return -1 end
local state
if rescue == "" and redis.call("ZREM", completed, job_id) == 1 then
  state = "completed"
elseif redis.call("ZREM", failed, job_id) == 1 then
  state = "failed"
else
  return -3
end

local crashes = tonumber(redis.pcall("HGET", job, "fw.crashes")) or 0
forget_run(job, state)
if rescue == "isolate" then
  redis.pcall("HSET", job, "fw.crashes", math.max(crashes, SUSPECT))
end
if reset_made == "1" then redis.call("HDEL", job, "atm") end
if reset_started == "1" then redis.call("HDEL", job, "ats") end
line_up(q, job_id, tonumber(redis.call("HGET", job, "priority")) or 0, options_of(job).lifo == true)
back_to_parent(job, state)
local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", "waiting", "jobId", job_id,
  "prev", state)
return 0
