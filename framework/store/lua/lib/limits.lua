-- Limits that hold for all workers of a queue.

-- What the counter of a queue is set to that somebody limits by hand; more than any limit.
local BY_HAND = 9007199254740991

-- Only workers with a limit look at the counter; the field tells ours to do so without one.
local function limit_by_hand(limiter, meta, now_ms, duration_ms)
  redis.call("SET", limiter, string.format("%.0f", BY_HAND), "PX",
    string.format("%.0f", duration_ms))
  redis.call("HSET", meta, "x-fw.limited", string.format("%.0f", now_ms + duration_ms))
end

-- How long (ms) no job may be taken, or 0; and how many may be taken at once now. Without a limit
-- the counter may be set by hand alone.
local function room_under_rate(limiter, most)
  most = most or BY_HAND
  local used = tonumber(redis.call("GET", limiter)) or 0
  if used < most then return 0, most - used end
  local ttl = redis.call("PTTL", limiter)
  if ttl > 0 then return ttl, 0 end
  if ttl == 0 then redis.call("DEL", limiter) end
  return 0, most
end

-- What no window lasts for; Redis would not take a longer one.
local MOST_MS = 3155760000000

local function count_against_rate(limiter, taken, duration_ms)
  if taken == 0 then return end
  if redis.call("INCRBY", limiter, taken) == taken then
    redis.call("PEXPIRE", limiter, math.floor(math.min(math.abs(duration_ms), MOST_MS)))
  end
end
