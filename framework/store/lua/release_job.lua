-- Put a held job back to where it was, or withdraw what was asked of the worker that runs it.
--
-- keys:    base wait paused active prioritized delayed waiting_children marker meta events pc
-- args:    job_id now_ms
-- returns: 0 done, -1 no job, -3 not held
-- emits:   waiting, delayed or waiting-children
-- include: lib/asks lib/hold lib/back_in_line

local job = base .. job_id
if redis.call("EXISTS", job) == 0 then return -1 end
local place, priority = unpack(redis.call("HMGET", job, "fw.held", "priority"))
if not place then return -3 end
redis.call("HDEL", job, "fw.held")
if place == "asked" then tell_holder(base, job) end
-- Somebody else may have promoted it meanwhile, or given it another time.
if not is_held(delayed, job_id) then return 0 end

local q = {wait = wait, paused = paused, active = active, prioritized = prioritized, meta = meta,
  marker = marker, pc = pc}
priority = tonumber(priority) or 0
local kind, number = place:match("^(%S+) ?(%d*)$")
number = tonumber(number) or 0
local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
local function tell(...)
  redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", ...)
end

redis.call("ZREM", delayed, job_id)
if kind == "waiting-children" and redis.call("EXISTS", job .. ":dependencies") == 1 then
  redis.call("ZADD", waiting_children, now_ms, job_id)
  tell("waiting-children", "jobId", job_id, "prev", "delayed")
elseif kind == "delayed" and number > 0 then
  local due = tonumber(now_ms) + number
  add_delayed(delayed, job_id, due)
  redis.call("HSET", job, "delay", string.format("%.0f", number))
  tell("delayed", "jobId", job_id, "delay", string.format("%.0f", due))
  mark_delayed(marker, delayed)
else
  local to_front = kind == "front" or kind == "waiting-children"
  line_up(q, job_id, priority, to_front or options_of(job).lifo == true)
  if priority > 0 and to_front then
    front_prioritized(prioritized, job_id, priority)
  elseif kind == "prioritized" and math.floor(number / PRIORITY_STEP) == priority then
    redis.call("ZADD", prioritized, string.format("%.0f", number), job_id)
  end
  redis.call("HSET", job, "delay", 0)
  tell("waiting", "jobId", job_id, "prev", "delayed")
end
return 0
