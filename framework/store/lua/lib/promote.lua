-- Moves due delayed jobs in line.
-- include: lib/line

-- Puts ids in line, one after the other, and notes in `moved` which have left.
local function line_up_due(ids, moved, base, wait, prioritized, pc, events)
  for i, id in ipairs(ids) do
    local job = base .. id
    local found = redis.pcall("HGET", job, "priority")
    -- Without its hash an id is no job: writing to it would bring one to life.
    local is_there = type(found) == "string" or not found and redis.call("EXISTS", job) == 1
    local priority = is_there and tonumber(found) or 0
    if priority > 0 then
      add_prioritized(prioritized, pc, id, priority)
    elseif is_there then
      redis.call("LPUSH", wait, id)
    end
    moved[i] = id
    if is_there then
      redis.call("XADD", events, "*", "event", "waiting", "jobId", id, "prev", "delayed")
      redis.call("HSET", job, "delay", 0)
    end
  end
end

-- Whoever calls wakes the workers. Where keys of the queue are odd, what is not in line stays
-- delayed.
local function promote(ids, base, delayed, wait, prioritized, pc, events)
  local moved = {}
  local is_done, problem = pcall(line_up_due, ids, moved, base, wait, prioritized, pc, events)
  call_many("ZREM", delayed, moved)
  if not is_done then error(problem) end
end
