-- A run of a schedule has begun: put the one after it in line. Only the current run does that, so
-- that no second call, retry or stalled job adds another.
--
-- keys:    base wait paused active prioritized delayed marker meta events pc id repeat_set
-- args:    now_ms scheduler producer name data opts quoted priority push every next_ms offset
-- returns: the id of the run put in line, or "" where none was; -20 the schedule is no hash
-- emits:   added, then waiting or delayed; duplicated
-- include: lib/schedule

local prev = tonumber(redis.call("ZSCORE", repeat_set, scheduler))
local current = prev and "repeat:" .. scheduler .. ":" .. whole(prev)
if producer ~= current then return "" end
local key = repeat_set .. ":" .. scheduler
local kind = redis.call("TYPE", key).ok
if kind ~= "hash" and kind ~= "none" then return -20 end
local stored_name, stored_data, stored_every, start, stored_offset =
  unpack(redis.call("HMGET", key, "name", "data", "every", "startDate", "offset"))
local span = tonumber(stored_every or every)
local due = tonumber(next_ms)
if span then
  -- No number of runs of no length leads into the future.
  if not (span > 0) then return "" end
  due = next_slot(prev, span, tonumber(now_ms), tonumber(stored_offset or offset) or 0,
    tonumber(start))
end
if not due then return "" end
local next_id = "repeat:" .. scheduler .. ":" .. whole(due)
if redis.call("EXISTS", base .. next_id) == 1 then
  local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
  redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", "duplicated", "jobId", next_id)
  return ""
end

redis.call("ZADD", repeat_set, whole(due), scheduler)
-- A count that is no number ends no schedule.
redis.pcall("HINCRBY", key, "ic", 1)
-- Schedules of BullMQ 5 may keep the payload in their jobs alone.
if not stored_data and data ~= "{}" then redis.call("HSET", key, "data", data) end
local q = {base = base, wait = wait, paused = paused, active = active, prioritized = prioritized,
  delayed = delayed, marker = marker, meta = meta, events = events, pc = pc, id = id}
return (line_up_run(q, {scheduler = scheduler, due = due, now = tonumber(now_ms),
  name = stored_name or name, data = stored_data or data, opts = opts, quoted = quoted,
  priority = priority, push = push}))
