-- Let workers take jobs again. Merges at most 7,000 jobs of a list that BullMQ 5 keeps.
--
-- keys:    wait paused prioritized delayed marker meta events
-- args:    is_first
-- returns: how many jobs are still to merge: call again until 0
-- emits:   resumed, on the first call
-- include: lib/delayed lib/line

local MOST = 7000
redis.call("HDEL", meta, "paused")
local moved = redis.call("LRANGE", paused, 0, MOST - 1)
if #moved > 0 then
  call_many("RPUSH", wait, moved)
  redis.call("LTRIM", paused, #moved, -1)
end
if redis.call("EXISTS", wait, prioritized) > 0 then
  redis.call("ZADD", marker, 0, "0")
else
  mark_delayed(marker, delayed)
end
if is_first == "1" then redis.call("XADD", events, "*", "event", "resumed") end
return redis.call("LLEN", paused)
