-- A run of a schedule whose runs must not overlap asks whether it may run.
--
-- keys:    base repeat_set
-- args:    scheduler job_id
-- returns: 1 it may, 0 the run before has not finished

local key = repeat_set .. ":" .. scheduler
if redis.call("TYPE", key).ok ~= "hash" then return 1 end
local last = redis.call("HGET", key, "fw.running")
if last and last ~= job_id and redis.call("EXISTS", base .. last) == 1
    and redis.call("HEXISTS", base .. last, "finishedOn") == 0 then
  return 0
end
redis.call("HSET", key, "fw.running", job_id)
return 1
