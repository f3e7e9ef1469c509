-- What a finished child does to its parent, in whatever queue that lives.
-- include: lib/delayed lib/line lib/queue

-- Id, queue base (with its colon) and flags of a parent: from its JSON, or, where that cannot
-- be read, from the key's last colon and without flags.
local function parent_of(parent_key, parent)
  local is_json, known = pcall(cjson.decode, parent or "")
  if is_json and type(known) == "table" and type(known.id) == "string"
      and type(known.queueKey) == "string" then
    return known.id, known.queueKey .. ":", known
  end
  local queue, id = parent_key:match("^(.*:)([^:]*)$")
  return id or parent_key, queue or "", {}
end

-- To the front of the line, or behind those of its priority.
local function line_up_parent(queue, id, priority)
  local is_paused, mode, concurrency =
    unpack(redis.call("HMGET", queue .. "meta", "paused", "x-fw.pause", "concurrency"))
  if priority > 0 then
    add_prioritized(queue .. "prioritized", queue .. "pc", id, priority)
  else
    redis.call("RPUSH", line_of(queue .. "wait", queue .. "paused", is_paused, mode), id)
  end
  if not is_blocked(is_paused, concurrency, queue .. "active") then
    redis.call("ZADD", queue .. "marker", 0, "0")
  end
  redis.call("XADD", queue .. "events", "*", "event", "waiting", "jobId", id,
    "prev", "waiting-children")
end

-- After a removal: to the front, whatever its delay or priority, as every peer does.
local function release_parent_to_front(queue, id)
  if redis.call("ZREM", queue .. "waiting-children", id) == 0 then return end
  line_up_parent(queue, id, 0)
end

local function put_parent_in_line(queue, id, now_ms)
  local priority, delay = unpack(redis.call("HMGET", queue .. id, "priority", "delay"))
  priority, delay = tonumber(priority) or 0, tonumber(delay) or 0
  if delay > 0 then
    redis.call("ZADD", queue .. "delayed", string.format("%.0f", (now_ms + delay) * 4096), id)
    redis.call("XADD", queue .. "events", "*", "event", "delayed", "jobId", id,
      "delay", string.format("%.0f", now_ms + delay))
    mark_delayed(queue .. "marker", queue .. "delayed")
    return
  end
  line_up_parent(queue, id, priority)
end

local function release_parent(queue, id, now_ms)
  if redis.call("EXISTS", queue .. id) == 0 then return end
  if redis.call("ZREM", queue .. "waiting-children", id) == 0 then return end
  put_parent_in_line(queue, id, now_ms)
end

local function has_no_children_left(parent_key)
  return redis.call("SCARD", parent_key .. ":dependencies") == 0
end

local function child_completed(job, parent_key, parent, value, now_ms)
  if redis.call("SREM", parent_key .. ":dependencies", job) == 0 then return end
  redis.call("HSET", parent_key .. ":processed", job, value)
  if has_no_children_left(parent_key) then
    local id, queue = parent_of(parent_key, parent)
    release_parent(queue, id, now_ms)
  end
end

-- failParentOnFailure: the next worker that takes the parent fails it with this reason.
local function fail_parent_later(job, parent_key, id, queue, now_ms)
  redis.call("ZADD", parent_key .. ":unsuccessful", now_ms, job)
  if redis.call("EXISTS", parent_key) == 0 then return end
  local waited = redis.call("ZREM", queue .. "waiting-children", id) == 1
  if not waited and redis.call("ZREM", queue .. "delayed", id) == 1 then
    redis.call("HSET", parent_key, "delay", 0)
    redis.call("HDEL", parent_key, "fw.held")
    waited = true
  end
  if waited then
    redis.call("HSET", parent_key, "defa", "child " .. job .. " failed")
    put_parent_in_line(queue, id, now_ms)
  elseif not redis.call("ZSCORE", queue .. "failed", id) then
    redis.call("HSET", parent_key, "defa", "child " .. job .. " failed")
  end
end

-- Decided by the flags in the child's own `parent` JSON; without one the parent waits on.
-- A flag is true or nothing: cjson's null would pass for true.
local function child_failed(job, parent_key, parent, reason, now_ms)
  local id, queue, flags = parent_of(parent_key, parent)
  local fpof, cpof, idof = flags.fpof == true, flags.cpof == true, flags.idof == true
  if not (fpof or cpof or idof or flags.rdof == true) then return end
  if redis.call("SREM", parent_key .. ":dependencies", job) == 0 then return end
  if fpof then
    fail_parent_later(job, parent_key, id, queue, now_ms)
  elseif cpof then
    redis.call("HSET", parent_key .. ":failed", job, reason)
    release_parent(queue, id, now_ms)
  else
    if has_no_children_left(parent_key) then release_parent(queue, id, now_ms) end
    if idof then redis.call("HSET", parent_key .. ":failed", job, reason) end
  end
end
