-- New ties between a child and its parent.
-- include: lib/parents

local function tie(job)
  redis.call("SADD", job.parent_key .. ":dependencies", job.key)
end

-- A child that is there already. One that has completed counts as done; one that has failed for
-- this very parent keeps what its failure did.
local function adopt(q, job)
  if redis.call("ZSCORE", q.completed, job.id) then
    redis.call("HSET", job.parent_key .. ":processed", job.key,
      redis.call("HGET", job.key, "returnvalue") or "null")
  elseif redis.call("HGET", job.key, "parentKey") ~= job.parent_key
      or not redis.call("ZSCORE", q.failed, job.id) then
    tie(job)
  end
  redis.call("HSET", job.key, "parentKey", job.parent_key, "parent", job.parent)
end

-- Parents that wait for nothing, since all their children were done before.
local function release_free_parents(parents, now_ms)
  for parent_key, parent in pairs(parents) do
    if has_no_children_left(parent_key) then
      local id, queue = parent_of(parent_key, parent)
      release_parent(queue, id, now_ms)
    end
  end
end
