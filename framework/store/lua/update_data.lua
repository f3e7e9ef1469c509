-- Replace the data of a job, wherever it stands.
--
-- keys:    base
-- args:    job_id data
-- returns: 0 done, -1 no job

if redis.call("EXISTS", base .. job_id) == 0 then return -1 end
redis.call("HSET", base .. job_id, "data", data)
return 0
