-- What holds for the whole queue: how many events to keep, whether workers may take jobs.

local function max_events(meta, found)
  if found then return found end
  redis.call("HSET", meta, "opts.maxLenEvents", 10000)
  return 10000
end

-- Paused, or at its global concurrency.
local function is_blocked(paused, concurrency, active)
  if paused then return true end
  return concurrency and redis.call("LLEN", active) >= tonumber(concurrency) or false
end
