-- Renew the locks of many running jobs of one queue.
--
-- keys:    base stalled
-- args:    lock_ms ...
-- rest:    job_id token, for each job. At most 1,000.
-- returns: the ids whose lock is gone or held by another.

local lost, kept = {}, {}
for at = rest + 1, #ARGV, 2 do
  local job_id, token = ARGV[at], ARGV[at + 1]
  local lock = base .. job_id .. ":lock"
  if redis.call("GET", lock) == token then
    -- Not SET: a server that is out of memory would refuse it.
    redis.call("PEXPIRE", lock, lock_ms)
    kept[#kept + 1] = job_id
  else
    lost[#lost + 1] = job_id
  end
end
if #kept > 0 then redis.call("SREM", stalled, unpack(kept)) end
return lost
