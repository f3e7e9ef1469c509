-- Append one row to a job's log; keep -1 keeps all rows.
--
-- keys:    base
-- args:    job_id row keep
-- returns: how many rows there are now, -1 no job

if redis.call("EXISTS", base .. job_id) == 0 then return -1 end
local logs = base .. job_id .. ":logs"
local count = redis.call("RPUSH", logs, row)
if keep == "0" then
  redis.call("DEL", logs)
  return 0
end
if tonumber(keep) > 0 then
  redis.call("LTRIM", logs, -tonumber(keep), -1)
  return math.min(count, tonumber(keep))
end
return count
