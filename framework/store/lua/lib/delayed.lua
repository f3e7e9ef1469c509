-- The delayed set: score = due ms * 4096 + a sequence within that ms.

local function add_delayed(delayed, job_id, due_ms)
  local first = due_ms * 4096
  local last = first + 4095
  local taken = redis.call("ZREVRANGEBYSCORE", delayed, string.format("%.0f", last),
    string.format("%.0f", first), "WITHSCORES", "LIMIT", 0, 1)
  local score = first
  if taken[2] then score = math.min(tonumber(taken[2]) + 1, last) end
  redis.call("ZADD", delayed, string.format("%.0f", score), job_id)
end

-- Due ms of the first delayed job, or 0. May have a fraction: the sequence.
local function next_due(delayed)
  local first = redis.call("ZRANGE", delayed, 0, 0, "WITHSCORES")
  if not first[2] then return 0 end
  return tonumber(first[2]) / 4096
end

local function mark_delayed(marker, delayed)
  local due = next_due(delayed)
  if due > 0 then redis.call("ZADD", marker, string.format("%.17g", due), "1") end
end
