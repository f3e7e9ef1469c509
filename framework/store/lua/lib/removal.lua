-- Removing jobs: what their parents and those who count on them are told.
-- include: lib/parents lib/parts

-- Parts a parent from a child that goes. Returns its id and its queue's base where the child was
-- the last that it waited for.
local function part_from(parent_key, parent, job)
  if not parent_key or redis.call("EXISTS", parent_key) == 0 then return nil end
  if redis.call("SREM", parent_key .. ":dependencies", job) == 0 then return nil end
  if redis.call("SCARD", parent_key .. ":dependencies") > 0 then return nil end
  return parent_of(parent_key, parent)
end

-- A removed child no longer holds its parent back.
local function leave_parent(job)
  local parent_key, parent = unpack(redis.call("HMGET", job, "parentKey", "parent"))
  local id, queue = part_from(parent_key, parent, job)
  if id then release_parent_to_front(queue, id) end
end

-- Removes finished jobs that retention no longer keeps.
local function forget(base, ids)
  local jobs = {}
  for i, id in ipairs(ids) do
    jobs[i] = base .. id
    leave_parent(jobs[i])
  end
  delete_job_keys(jobs)
end
