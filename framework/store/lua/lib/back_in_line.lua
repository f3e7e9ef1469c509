-- Putting jobs that rest (finished or delayed) back in line.
-- include: lib/line lib/queue

-- The options of a job as its producer wrote them; {} where they cannot be read.
local function options_of(job)
  local is_json, options = pcall(cjson.decode, redis.call("HGET", job, "opts") or "")
  return is_json and type(options) == "table" and options or {}
end

-- By its priority, or at the end of the list (at its front if `to_front`); wakes a worker.
local function line_up(q, job_id, priority, to_front)
  local is_paused, mode, concurrency =
    unpack(redis.call("HMGET", q.meta, "paused", "x-fw.pause", "concurrency"))
  if priority > 0 then
    add_prioritized(q.prioritized, q.pc, job_id, priority)
  else
    local line = line_of(q.wait, q.paused, is_paused, mode)
    redis.call(to_front and "RPUSH" or "LPUSH", line, job_id)
  end
  if not is_blocked(is_paused, concurrency, q.active) then
    redis.call("ZADD", q.marker, 0, "0")
  end
end

-- Many at once, at the end of the list whatever their priority, as every peer does.
local function line_up_many(q, ids)
  if #ids == 0 then return end
  local is_paused, mode, concurrency =
    unpack(redis.call("HMGET", q.meta, "paused", "x-fw.pause", "concurrency"))
  call_many("LPUSH", line_of(q.wait, q.paused, is_paused, mode), ids)
  if not is_blocked(is_paused, concurrency, q.active) then
    redis.call("ZADD", q.marker, 0, "0")
  end
end

local function tie_again(job, state)
  local parent_key = redis.call("HGET", job, "parentKey")
  if not parent_key or redis.call("EXISTS", parent_key) == 0 then return end
  local left
  if state == "completed" then
    left = redis.call("HDEL", parent_key .. ":processed", job)
  else
    left = redis.call("ZREM", parent_key .. ":unsuccessful", job)
      + redis.call("HDEL", parent_key .. ":failed", job)
  end
  if left > 0 then redis.call("SADD", parent_key .. ":dependencies", job) end
end

-- A child that runs again is one that its parent depends on again. Odd keys of the parent must not
-- keep it out of the line: it has left its set already.
local function back_to_parent(job, state)
  pcall(tie_again, job, state)
end

-- What a finished run left on the job goes, and what counts crashes and stalls against it.
local function forget_run(job, state)
  redis.pcall("HDEL", job, "finishedOn", "processedOn",
    state == "completed" and "returnvalue" or "failedReason", "stc", "defa", "fw.crashes",
    "fw.quarantined", "fw.cancelled", "fw.held")
end
