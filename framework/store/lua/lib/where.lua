-- Where a job stands.

local function in_list(list, job_id)
  return redis.call("LPOS", list, job_id)
end

-- `q` names the structures; BullMQ's name of the state, or "unknown".
local function state_of(q, job_id)
  if redis.call("ZSCORE", q.completed, job_id) then return "completed" end
  if redis.call("ZSCORE", q.failed, job_id) then return "failed" end
  if redis.call("ZSCORE", q.delayed, job_id) then return "delayed" end
  if redis.call("ZSCORE", q.prioritized, job_id) then return "prioritized" end
  if in_list(q.active, job_id) then return "active" end
  if in_list(q.wait, job_id) or in_list(q.paused, job_id) then return "waiting" end
  if redis.call("ZSCORE", q.waiting_children, job_id) then return "waiting-children" end
  return "unknown"
end
