-- Delete a job and, if asked, all that stands below it; children first, at most 1,000 a call.
--
-- keys:    base
-- args:    job_id with_children is_first
-- returns: {1} removed, {0} there was none, {2} more are left: call again, {-8} the next run of a
--          schedule, {-7, key} locked by the worker that runs it. The first call looks at the locks
--          of the whole tree before anything goes.
-- emits:   removed, in each job's queue
-- include: lib/requested lib/dedup lib/tree lib/states lib/queue

local MOST = 1000
if is_next_run(base, job_id) then return {-8} end

local found = {}
if with_children == "1" then
  walk(base, job_id, nil, found, is_first == "1" and math.huge or MOST)
else
  found[1] = {base, job_id}
end
for _, place in ipairs(found) do
  local job = place[1] .. place[2]
  if redis.call("EXISTS", job .. ":lock") == 1 then return {-7, job} end
end

local caps, was_there = {}, 0
local is_whole = #found <= MOST and found[#found][1] .. found[#found][2] == base .. job_id
for n = 1, math.min(#found, MOST) do
  local queue, id, parent = unpack(found[n], 1, 3)
  local job = queue .. id
  local parent_key, dedup_id = unpack(redis.call("HMGET", job, "parentKey", "deid"))
  if parent_key ~= parent then leave_parent(job) end
  if parent and not is_whole then forget_child(parent, job) end
  local prev = leave_state(queue, id)
  if dedup_id then drop_dedup(queue, id, dedup_id) end
  was_there = delete_job_keys({job})
  if was_there > 0 then
    local meta = queue .. "meta"
    caps[meta] = caps[meta] or max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents"))
    redis.call("XADD", queue .. "events", "MAXLEN", "~", caps[meta], "*", "event", "removed",
      "jobId", id, "prev", prev)
  end
end
if not is_whole then return {2} end
return {was_there > 0 and 1 or 0}
