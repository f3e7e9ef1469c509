-- A job and all that stands below it, in whatever queues.

local PARTS_OF_CHILDREN = {
  {":processed", "HKEYS", "HDEL"}, {":failed", "HKEYS", "HDEL"},
  {":unsuccessful", "ZRANGE", "ZREM"}, {":dependencies", "SMEMBERS", "SREM"},
}

-- Id and queue base of a job key. A queue's name holds no colon, so a key below a known prefix is
-- split where that ends, whatever its id; any other one at its last colon.
local function place_of(key, base)
  local prefix = base:match("^(.*:)[^:]*:$")
  if key:sub(1, #prefix) == prefix then
    local queue, id = key:sub(#prefix + 1):match("^([^:]*:)(.+)$")
    if queue and (not id:find(":", 1, true)
        or redis.call("EXISTS", prefix .. queue .. "meta") == 1) then
      return id, prefix .. queue
    end
  end
  local queue, id = key:match("^(.*:)([^:]*)$")
  return id, queue
end

local function children_of(job)
  local keys = {}
  for _, part in ipairs(PARTS_OF_CHILDREN) do
    local found = part[2] == "ZRANGE" and redis.call("ZRANGE", job .. part[1], 0, -1)
      or redis.call(part[2], job .. part[1])
    for _, key in ipairs(found) do keys[#keys + 1] = key end
  end
  return keys
end

-- Collects a job and those below it, children first, until there are `most`.
-- `found` holds {base, id, key of the parent in the tree}, and what was seen.
local function walk(base, id, parent, found, most)
  local job = base .. id
  if found[job] or #found >= most then return end
  found[job] = true
  for _, key in ipairs(children_of(job)) do
    if #found >= most then return end
    local child, queue = place_of(key, base)
    if queue then walk(queue, child, job, found, most) end
  end
  if #found < most then found[#found + 1] = {base, id, parent} end
end

local function forget_child(parent, job)
  for _, part in ipairs(PARTS_OF_CHILDREN) do redis.call(part[3], parent .. part[1], job) end
end
