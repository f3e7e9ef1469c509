-- Delete jobs that stand nowhere, with their locks; parents wait for them no longer.
--
-- keys:    base
-- args:    most ...
-- rest:    job ids, at most 1,000
-- returns: {how many were deleted, `most` at most, how many ids were looked at}: the rest is for
--          the next call. It goes through about 1,000,000 entries of lists, one id at least.
-- include: lib/removal lib/states

local MOST_ENTRIES = 1000000
local length, entries = 0, 0
for _, name in ipairs(LISTS) do length = length + redis.call("LLEN", base .. name) end

local function is_listed(id)
  entries = entries + length
  for _, name in ipairs(LISTS) do
    if redis.call("LPOS", base .. name, id) then return true end
  end
  return false
end

local function is_in_a_set(id)
  for _, name in ipairs(SETS) do
    if redis.call("ZSCORE", base .. name, id) then return true end
  end
  return false
end

-- The key of another queue, whose prefix is this queue's whole name, may look like a part of a job.
local function may_be_job(job)
  local kind = redis.call("TYPE", job).ok
  return kind == "hash" or kind == "none" and redis.call("TYPE", job .. ":failed").ok ~= "zset"
end

local deleted, looked_at = 0, 0
for at = rest + 1, #ARGV do
  local id = ARGV[at]
  local job = base .. id
  if deleted == tonumber(most) or entries >= MOST_ENTRIES then break end
  looked_at = looked_at + 1
  if may_be_job(job) and not is_in_a_set(id) and not is_listed(id) then
    if redis.call("TYPE", job).ok == "hash" then leave_parent(job) end
    local gone = delete_job_keys({job}) + redis.call("DEL", job .. ":lock")
    if gone > 0 then deleted = deleted + 1 end
  end
end
return {deleted, looked_at}
