-- Put finished jobs back in line, the oldest first, whatever their priority.
--
-- keys:    base wait paused active meta marker events place
-- args:    state until_ms count
-- returns: {how many, 1 if more are left}. `count` jobs at most, 5,000 of them.
-- emits:   waiting
-- include: lib/back_in_line

local q = {wait = wait, paused = paused, active = active, meta = meta, marker = marker}
local found = redis.call("ZRANGEBYSCORE", place, "-inf", until_ms, "LIMIT", 0, count)
if #found == 0 then return {0, 0} end
call_many("ZREM", place, found)
local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
local ids = {}
for _, job_id in ipairs(found) do
  local job = base .. job_id
  -- An id without its hash is no job; in line it would come to life as an empty one.
  if redis.call("EXISTS", job) == 1 then
    forget_run(job, state)
    back_to_parent(job, state)
    ids[#ids + 1] = job_id
    redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", "waiting", "jobId", job_id,
      "prev", state)
  end
end
line_up_many(q, ids)
return {#ids, #found == tonumber(count) and 1 or 0}
