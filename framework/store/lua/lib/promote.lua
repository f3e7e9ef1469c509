-- Moves due delayed jobs (at most 1,000 a call) in line.
-- include: lib/line

-- Whoever calls wakes the workers.
local function promote(now_ms, base, delayed, wait, prioritized, pc, events)
  local ids = redis.call("ZRANGEBYSCORE", delayed, 0,
    string.format("%.0f", (now_ms + 1) * 4096 - 1), "LIMIT", 0, 1000)
  if #ids == 0 then return end
  call_many("ZREM", delayed, ids)
  for _, id in ipairs(ids) do
    local job = base .. id
    local found = redis.pcall("HGET", job, "priority")
    -- Without its hash an id is no job: writing to it would bring one to life.
    if type(found) == "string" or not found and redis.call("EXISTS", job) == 1 then
      local priority = tonumber(found) or 0
      if priority > 0 then
        add_prioritized(prioritized, pc, id, priority)
      else
        redis.call("LPUSH", wait, id)
      end
      redis.call("XADD", events, "*", "event", "waiting", "jobId", id, "prev", "delayed")
      redis.call("HSET", job, "delay", 0)
    end
  end
end
