-- Limits that hold for all workers of a queue.

-- How long (ms) no job may be taken, or 0; and how many may be taken at once now.
local function room_under_rate(limiter, most)
  local used = tonumber(redis.call("GET", limiter)) or 0
  if used < most then return 0, most - used end
  local ttl = redis.call("PTTL", limiter)
  if ttl > 0 then return ttl, 0 end
  if ttl == 0 then redis.call("DEL", limiter) end
  return 0, most
end

local function count_against_rate(limiter, taken, duration_ms)
  if taken == 0 then return end
  if redis.call("INCRBY", limiter, taken) == taken then
    redis.call("PEXPIRE", limiter, math.floor(math.abs(duration_ms)))
  end
end
