-- Let a delayed job fall due at another time.
--
-- keys:    base delayed meta marker events
-- args:    job_id now_ms delay_ms
-- returns: 0 done, -1 no job, -3 not delayed, or held
-- emits:   delayed
-- include: lib/hold lib/queue

local job = base .. job_id
if redis.call("EXISTS", job) == 0 then return -1 end
if is_held(delayed, job_id) or not redis.call("ZSCORE", delayed, job_id) then return -3 end
local due = tonumber(now_ms) + tonumber(delay_ms)
-- Its own place counts as taken: so does every peer.
add_delayed(delayed, job_id, due)
redis.call("HSET", job, "delay", delay_ms)
local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", "delayed", "jobId", job_id,
  "delay", string.format("%.0f", due))
mark_delayed(marker, delayed)
return 0
