-- Renew the locks of all jobs that a worker runs, when it cannot say which they are.
--
-- keys:    base active stalled
-- args:    worker lock_ms
-- returns: {job_id, token} of each. Looks at every active job.

local begins = worker .. ":"
local ids = redis.call("LRANGE", active, 0, -1)
local kept = {}
for first = 1, #ids, 1000 do
  local locks = {}
  for at = first, math.min(first + 999, #ids) do locks[#locks + 1] = base .. ids[at] .. ":lock" end
  for i, token in ipairs(redis.call("MGET", unpack(locks))) do
    if token and token:sub(1, #begins) == begins then
      redis.call("PEXPIRE", locks[i], lock_ms)
      redis.call("SREM", stalled, ids[first + i - 1])
      kept[#kept + 1] = {ids[first + i - 1], token}
    end
  end
end
return kept
