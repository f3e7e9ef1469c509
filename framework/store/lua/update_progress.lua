-- Store what a job reports of its progress.
--
-- keys:    base meta events
-- args:    job_id progress
-- returns: 0 done, -1 no job
-- emits:   progress
-- include: lib/queue

if redis.call("EXISTS", base .. job_id) == 0 then return -1 end
local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
redis.call("HSET", base .. job_id, "progress", progress)
redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", "progress", "jobId", job_id,
  "data", progress)
return 0
