-- Removing jobs because somebody asked for it.
-- include: lib/removal lib/dedup

-- Whether a job is the next run of a schedule: without it the schedule would end.
local function is_next_run(base, job_id)
  local scheduler = redis.call("HGET", base .. job_id, "rjk")
  if not scheduler then return false end
  local due = redis.call("ZSCORE", base .. "repeat", scheduler)
  return due and job_id == "repeat:" .. scheduler .. ":" .. string.format("%.0f", tonumber(due))
end

-- Removes a job for good; the caller takes its id out of where it stands. A parent in the same
-- queue that waited for it alone goes too, one in another queue runs without it.
local function remove_for_good(base, job_id)
  local job = base .. job_id
  local parent_key, parent, dedup_id =
    unpack(redis.call("HMGET", job, "parentKey", "parent", "deid"))
  local id, queue = part_from(parent_key, parent, job)
  if id and queue ~= base then
    release_parent_to_front(queue, id)
  elseif id and redis.call("ZREM", base .. "waiting-children", id) == 1 then
    remove_for_good(base, id)
  end
  if dedup_id then drop_dedup(base, job_id, dedup_id) end
  delete_job_keys({job})
end
