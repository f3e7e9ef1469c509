-- Renew the locks of many running jobs of one queue; with at_least "1" one that lasts longer, since
-- somebody extended it by hand, is left alone.
--
-- keys:    base stalled
-- args:    lock_ms at_least ...
-- rest:    job_id token, for each job. At most 1,000.
-- returns: {ids whose lock is gone or held by another, ids of jobs that were removed: their locks go}

local lost, gone, kept = {}, {}, {}
for at = rest + 1, #ARGV, 2 do
  local job_id, token = ARGV[at], ARGV[at + 1]
  local lock = base .. job_id .. ":lock"
  local is_ours = redis.call("GET", lock) == token
  if redis.call("EXISTS", base .. job_id) == 0 then
    gone[#gone + 1] = job_id
    -- A job that is added under this id must not seem to be running.
    if is_ours then redis.call("DEL", lock) end
  elseif is_ours then
    -- Not SET: a server that is out of memory would refuse it.
    if at_least ~= "1" or redis.call("PTTL", lock) < tonumber(lock_ms) then
      redis.call("PEXPIRE", lock, lock_ms)
    end
    kept[#kept + 1] = job_id
  else
    lost[#lost + 1] = job_id
  end
end
if #kept > 0 then redis.call("SREM", stalled, unpack(kept)) end
return {lost, gone}
