-- Remove a schedule, and its next run if that is not yet due.
--
-- keys:    base delayed meta events repeat_set
-- args:    scheduler
-- returns: 1 removed, 0 there was none
-- emits:   removed
-- include: lib/removal lib/queue

local due = redis.call("ZSCORE", repeat_set, scheduler)
if not due then return 0 end
local id = "repeat:" .. scheduler .. ":" .. string.format("%.0f", tonumber(due))
if redis.call("ZREM", delayed, id) == 1 then
  delete_job_keys({base .. id})
  redis.call("XADD", events, "*", "event", "removed", "jobId", id, "prev", "delayed")
  local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
  redis.call("XTRIM", events, "MAXLEN", "~", max_len)
end
redis.call("ZREM", repeat_set, scheduler)
redis.call("DEL", repeat_set .. ":" .. scheduler)
return 1
