-- Write one field of a running job, only for the worker that holds its lock. Its crashes are forgotten.
--
-- keys:    base
-- args:    job_id token field value
-- returns: 0 done, -1 no job, -2 no lock, -6 another worker's lock

local job = base .. job_id
if redis.call("EXISTS", job) == 0 then return -1 end
local holder = redis.call("GET", job .. ":lock")
if not holder then return -2 end
if holder ~= token then return -6 end
redis.call("HSET", job, field, value)
-- It has got further than where it took a worker down with it.
redis.call("HDEL", job, "fw.crashes")
return 0
