-- Tell where a job stands.
--
-- keys:    wait paused active prioritized delayed completed failed waiting_children
-- args:    job_id
-- returns: BullMQ's name of the state, or "unknown"

local function in_list(list)
  return redis.call("LPOS", list, job_id)
end
if redis.call("ZSCORE", completed, job_id) then return "completed" end
if redis.call("ZSCORE", failed, job_id) then return "failed" end
if redis.call("ZSCORE", delayed, job_id) then return "delayed" end
if redis.call("ZSCORE", prioritized, job_id) then return "prioritized" end
if in_list(active) then return "active" end
if in_list(wait) or in_list(paused) then return "waiting" end
if redis.call("ZSCORE", waiting_children, job_id) then return "waiting-children" end
return "unknown"
