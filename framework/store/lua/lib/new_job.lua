-- A job as it is first written, and where its options put it. `job` has id, name, data, opts,
-- timestamp, delay, priority and lifo, and maybe parent_key, parent, deid and rjk.
-- include: lib/delayed lib/line

local function store_job(q, job)
  local fields = {"name", job.name, "data", job.data, "opts", job.opts,
    "timestamp", job.timestamp, "delay", job.delay, "priority", job.priority}
  local links = {parentKey = job.parent_key, parent = job.parent, deid = job.deid, rjk = job.rjk}
  for name, value in pairs(links) do
    if value and value ~= "" then fields[#fields + 1], fields[#fields + 2] = name, value end
  end
  redis.call("HSET", q.base .. job.id, unpack(fields))
  redis.call("XADD", q.events, "*", "event", "added", "jobId", job.id, "name", job.name)
end

local function delay_until(q, id, due)
  add_delayed(q.delayed, id, due)
  redis.call("XADD", q.events, "*", "event", "delayed", "jobId", id,
    "delay", string.format("%.0f", due))
  q.has_delayed = true
end

-- The caller wakes the workers.
local function line_up_job(q, job)
  local delay, priority = tonumber(job.delay), tonumber(job.priority)
  if delay > 0 then return delay_until(q, job.id, tonumber(job.timestamp) + delay) end
  if priority > 0 then
    add_prioritized(q.prioritized, q.pc, job.id, priority)
  else
    redis.call(job.lifo and "RPUSH" or "LPUSH", q.wait, job.id)
  end
  redis.call("XADD", q.events, "*", "event", "waiting", "jobId", job.id)
  q.has_ready = true
end
