-- Delete the children that a job still waits for, and what those wait for; children first, at most
-- 1,000 a call. Those that a worker holds stay, and those that have failed.
--
-- keys:    base
-- args:    job_id
-- returns: {removed, 1 if more are left: call again}
-- emits:   removed, in each job's queue; waiting, for the job if nothing is left to wait for
-- include: lib/tree lib/removal lib/dedup lib/states lib/queue

local MOST = 1000
local found = {}

local function collect(job, from)
  local cursor = "0"
  repeat
    local page = redis.call("SSCAN", job .. ":dependencies", cursor, "COUNT", MOST)
    cursor = page[1]
    for _, key in ipairs(page[2]) do
      if #found >= MOST then return end
      local id, queue = place_of(key, from)
      if queue and not found[key] and redis.call("EXISTS", key .. ":lock") == 0
          and not redis.call("ZSCORE", queue .. "failed", id) then
        found[key] = true
        collect(key, queue)
        if #found < MOST then
          found[#found + 1] = {queue = queue, id = id, key = key, parent = job}
        end
      end
    end
  until cursor == "0"
end

local function remove(child)
  local parent_key, dedup_id = unpack(redis.call("HMGET", child.key, "parentKey", "deid"))
  if parent_key ~= child.parent then leave_parent(child.key) end
  redis.call("SREM", child.parent .. ":dependencies", child.key)
  local prev = leave_state(child.queue, child.id)
  if dedup_id then drop_dedup(child.queue, child.id, dedup_id) end
  if delete_job_keys({child.key}) == 0 then return end
  local meta = child.queue .. "meta"
  redis.call("XADD", child.queue .. "events", "MAXLEN", "~",
    max_events(meta, redis.call("HGET", meta, "opts.maxLenEvents")), "*",
    "event", "removed", "jobId", child.id, "prev", prev)
end

local job = base .. job_id
collect(job, base)
for _, child in ipairs(found) do remove(child) end
if #found > 0 and redis.call("SCARD", job .. ":dependencies") == 0 then
  release_parent_to_front(base, job_id)
end
return {#found, #found == MOST and 1 or 0}
