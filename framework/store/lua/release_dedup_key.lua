-- Set a deduplication id free if a job holds it.
--
-- keys:    base
-- args:    dedup_id job_id
-- returns: 1 done, 0 it does not hold it

local key = base .. "de:" .. dedup_id
if redis.call("GET", key) ~= job_id then return 0 end
return redis.call("DEL", key)
