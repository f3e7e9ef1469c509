-- What holds for the whole queue: how many events to keep, whether workers may take jobs, and
-- where jobs wait.

local function max_events(meta, found)
  if found then return found end
  redis.call("HSET", meta, "opts.maxLenEvents", 10000)
  return 10000
end

-- Paused, or at its global concurrency.
local function is_blocked(is_paused, concurrency, active)
  if is_paused then return true end
  return concurrency and redis.call("LLEN", active) >= tonumber(concurrency) or false
end

-- The list where jobs without priority wait. With pause mode "v5" a paused queue keeps them in the
-- list `paused`, as BullMQ 5 does.
local function line_of(wait, paused, is_paused, mode)
  return is_paused and mode == "v5" and paused or wait
end
