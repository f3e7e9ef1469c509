-- Whether workers may take jobs of a queue.

-- Paused, or at its global concurrency.
local function is_blocked(is_paused, concurrency, active)
  if is_paused then return true end
  local most = concurrency and tonumber(concurrency)
  return most and redis.call("LLEN", active) >= most or false
end
