-- Make a schedule, or change it, and put its next run in line.
--
-- keys:    base wait paused active prioritized delayed marker meta events pc id repeat_set lane
-- args:    now_ms scheduler name data opts quoted priority push every next_ms offset start_ms
--          due_ms ...
-- rest:    the fields of the schedule's hash that it does not keep by itself: name value, …
--          every or next_ms is "", as are offset and start_ms where they are not given. due_ms
--          only puts a run in line that is missing, due then.
-- returns: {job_id, delay_ms}, {} when the run is somewhere; -10, -11 the run is there already
-- emits:   added, then waiting or delayed
-- include: lib/schedule lib/removal lib/lanes

-- The lane is this call's own: sent again, when its reply is lost, it does nothing more. Else a run
-- that has begun meanwhile would be counted anew.
local before = answered(redis.call("GET", lane), "1")
if before then return before end

local MOST_SLOTS, LANE_MS = 32, 60000
local key = repeat_set .. ":" .. scheduler
local prefix = base .. "repeat:" .. scheduler .. ":"
local now, span, given = tonumber(now_ms), tonumber(every), tonumber(offset)
local prev = tonumber(redis.call("ZSCORE", repeat_set, scheduler))
local prev_id = prev and "repeat:" .. scheduler .. ":" .. whole(prev)
local old_every, old_offset, iterations, running =
  unpack(redis.call("HMGET", key, "every", "offset", "ic", "fw.running"))

-- Returns the command that takes a run out of line, or nil if it is not there.
local function place_of(id)
  for _, set in ipairs({delayed, prioritized}) do
    if redis.call("ZSCORE", set, id) then return {"ZREM", set, id} end
  end
  for _, list in ipairs({wait, paused}) do
    if redis.call("LPOS", list, id) then return {"LREM", list, 1, id} end
  end
end

local has_run = prev and redis.call("EXISTS", base .. prev_id) == 1
local place = has_run and place_of(prev_id)
if due_ms ~= "" and has_run then
  local has_begun = redis.call("HEXISTS", base .. prev_id, "processedOn") == 1
  if place or has_begun or redis.call("LPOS", active, prev_id) then return {} end
  place = {"DEL", base .. prev_id}
end
local due, slot_offset, is_same = tonumber(next_ms), given or 0, true
if span then
  is_same = tonumber(old_every) == span
  due, slot_offset = next_slot(is_same and prev or nil, span, now, given or 0, tonumber(start_ms))
  if place and is_same then due = prev end
end
due = tonumber(due_ms) or due

local function is_taken()
  return redis.call("EXISTS", prefix .. whole(due)) == 1 and not (place and due == prev)
end
if is_taken() then
  if not span then return -10 end
  local tries = 0
  repeat
    due, tries = due + span, tries + 1
  until not is_taken() or tries == MOST_SLOTS
  if is_taken() then return -11 end
end

if place then
  redis.call(unpack(place))
  local dedup_id = redis.call("HGET", base .. prev_id, "deid")
  if dedup_id and redis.call("GET", base .. "de:" .. dedup_id) == prev_id then
    redis.call("DEL", base .. "de:" .. dedup_id)
  end
  leave_parent(base .. prev_id)
  delete_job_keys({base .. prev_id})
end
local stored_offset = given
if not place then stored_offset = slot_offset end
stored_offset = stored_offset or tonumber(old_offset)
redis.call("ZADD", repeat_set, whole(due), scheduler)
redis.call("DEL", key)
redis.call("HSET", key, "ic", iterations or 1, unpack(ARGV, rest + 1))
if stored_offset then redis.call("HSET", key, "offset", whole(stored_offset)) end
if running then redis.call("HSET", key, "fw.running", running) end
local q = {base = base, wait = wait, paused = paused, active = active, prioritized = prioritized,
  delayed = delayed, marker = marker, meta = meta, events = events, pc = pc, id = id}
local job_id, delay_ms = line_up_run(q, {scheduler = scheduler, due = due, now = now, name = name,
  data = data, opts = opts, quoted = quoted, priority = priority, push = push})
remember(lane, LANE_MS, 1, {job_id, delay_ms})
return {job_id, delay_ms}
