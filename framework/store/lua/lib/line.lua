-- Putting ids in line. Consumers take from the tail of `wait`.
-- include: lib/many

local PRIORITY_STEP = 4294967296

local function add_prioritized(prioritized, pc, job_id, priority)
  local turn = redis.call("INCR", pc) % PRIORITY_STEP
  redis.call("ZADD", prioritized, string.format("%.0f", priority * PRIORITY_STEP + turn), job_id)
end

local function front_prioritized(prioritized, job_id, priority)
  redis.call("ZADD", prioritized, string.format("%.0f", priority * PRIORITY_STEP), job_id)
end
