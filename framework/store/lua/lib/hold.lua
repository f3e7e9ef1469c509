-- Holding one job: it stands among the delayed, due when no clock will be, and its field `fw.held`
-- says where to it returns: "wait", "front", "prioritized SCORE", "delayed MS_LEFT" or
-- "waiting-children". "asked" in a running job: it will be held once it leaves the worker.
-- include: lib/delayed lib/line

-- No producer can ask for it: their last millisecond is the one before.
local HELD_DUE = 2199023255551
local HELD_SCORE = string.format("%.0f", HELD_DUE * 4096)

local function is_held(delayed, job_id)
  local score = redis.call("ZSCORE", delayed, job_id)
  return score and tonumber(score) >= tonumber(HELD_SCORE) or false
end

-- Takes a job out of where it waits; returns what to write in `fw.held` and BullMQ's name of that
-- place, or nothing.
local function leave_line(q, job_id, now_ms)
  local due = redis.call("ZSCORE", q.delayed, job_id)
  if due then
    redis.call("ZREM", q.delayed, job_id)
    local left = math.max(0, math.floor(tonumber(due) / 4096) - tonumber(now_ms))
    return "delayed " .. string.format("%.0f", left), "delayed"
  end
  local score = redis.call("ZSCORE", q.prioritized, job_id)
  if score then
    redis.call("ZREM", q.prioritized, job_id)
    return "prioritized " .. string.format("%.0f", tonumber(score)), "prioritized"
  end
  if redis.call("ZREM", q.waiting_children, job_id) == 1 then
    return "waiting-children", "waiting-children"
  end
  for _, list in ipairs({q.base .. "wait", q.base .. "paused"}) do
    if redis.call("LREM", list, -1, job_id) > 0 then return "wait", "waiting" end
  end
end

-- Puts a job that stands nowhere among the delayed, for good. Whoever calls trims the events.
local function hold(q, job, job_id, place)
  redis.call("HSET", job, "fw.held", place)
  add_delayed(q.delayed, job_id, HELD_DUE)
  redis.call("XADD", q.events, "*", "event", "delayed", "jobId", job_id,
    "delay", string.format("%.0f", HELD_DUE))
end

-- A run has just ended otherwise than for good: holds its job if that was asked meanwhile.
local function hold_if_asked(q, job, job_id, now_ms, to_front)
  if redis.call("HGET", job, "fw.held") ~= "asked" then return end
  local place = leave_line(q, job_id, now_ms)
  if not place then return end
  local waits = place == "wait" or place:sub(1, 11) == "prioritized"
  hold(q, job, job_id, to_front and waits and "front" or place)
end
