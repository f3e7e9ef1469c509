-- Let no worker take a job of this queue; running ones go on. With pause mode "v5" what waits is
-- added to the list `paused`, at most 7,000 jobs a call.
--
-- keys:    wait paused meta marker events
-- args:    is_first
-- returns: how many jobs are still to move: call again until 0
-- emits:   paused, on the first call
-- include: lib/line

local MOST = 7000
redis.call("HSET", meta, "paused", 1)
redis.call("DEL", marker)
if is_first == "1" then redis.call("XADD", events, "*", "event", "paused") end
if redis.call("HGET", meta, "x-fw.pause") ~= "v5" then return 0 end
-- From the newest on, to the side of the newest: so what was parked before still runs first.
local moved = redis.call("LRANGE", wait, -MOST, -1)
if #moved > 0 then
  redis.call("LTRIM", wait, 0, -#moved - 1)
  for i = 1, math.floor(#moved / 2) do
    moved[i], moved[#moved + 1 - i] = moved[#moved + 1 - i], moved[i]
  end
  call_many("LPUSH", paused, moved)
end
return redis.call("LLEN", wait)
