-- Delete one job and all that hangs on it. Its children stay.
--
-- keys:    base wait paused active prioritized delayed completed failed waiting_children repeat_set
--          meta events
-- args:    job_id
-- returns: 1 removed, 0 there was none, -7 locked by its worker, -8 the next run of a schedule
-- emits:   removed
-- include: lib/removal lib/dedup lib/queue

local job = base .. job_id
local scheduler, dedup_id = unpack(redis.call("HMGET", job, "rjk", "deid"))
if scheduler then
  local due = redis.call("ZSCORE", repeat_set, scheduler)
  if due and job_id == "repeat:" .. scheduler .. ":" .. string.format("%.0f", tonumber(due)) then
    return -8
  end
end
if redis.call("EXISTS", job .. ":lock") == 1 then return -7 end

local function leave_state()
  local sets = {{"completed", completed}, {"waiting-children", waiting_children},
    {"delayed", delayed}, {"failed", failed}, {"prioritized", prioritized}}
  for _, set in ipairs(sets) do
    if redis.call("ZREM", set[2], job_id) == 1 then return set[1] end
  end
  for _, list in ipairs({{"wait", wait}, {"paused", paused}, {"active", active}}) do
    if redis.call("LREM", list[2], 1, job_id) > 0 then return list[1] end
  end
  return "unknown"
end

leave_parent(job)
local prev = leave_state()
if dedup_id then drop_dedup(base, job_id, dedup_id) end
if delete_job_keys({job}) == 0 then return 0 end
local max_len = max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
redis.call("XADD", events, "MAXLEN", "~", max_len, "*", "event", "removed", "jobId", job_id,
  "prev", prev)
return 1
