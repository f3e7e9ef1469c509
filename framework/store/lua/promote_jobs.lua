-- Let delayed jobs wait in line now, the next due first, whatever their priority;
-- but for those that are held.
--
-- keys:    base wait paused active delayed meta marker events
-- args:    count
-- returns: {how many, 1 if more are left}. `count` jobs at most, 5,000 of them.
-- emits:   waiting
-- include: lib/back_in_line lib/hold

local q = {wait = wait, paused = paused, active = active, meta = meta, marker = marker}
local found = redis.call("ZRANGEBYSCORE", delayed, "-inf", "(" .. HELD_SCORE, "LIMIT", 0, count)
if #found == 0 then return {0, 0} end
call_many("ZREM", delayed, found)
local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
local ids = {}
for _, job_id in ipairs(found) do
  if redis.call("EXISTS", base .. job_id) == 1 then
    ids[#ids + 1] = job_id
    redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", "waiting", "jobId", job_id,
      "prev", "delayed")
  end
end
line_up_many(q, ids)
return {#ids, #found == tonumber(count) and 1 or 0}
