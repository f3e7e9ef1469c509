-- Delete a paused queue, part by part; at last all that it consists of.
--
-- keys:    base meta active
-- args:    force is_last
-- returns: 0 done, 1 more is left: call again, -1 not paused, -2 a worker holds jobs.
--          1,000 jobs at most a call.
-- include: lib/requested lib/states

local budget = 1000
local QUEUE = {"events", "delay", "priority", "stalled-check", "stalled", "id", "pc", "marker",
  "meta", "limiter", "metrics:completed", "metrics:completed:data", "metrics:failed",
  "metrics:failed:data"}

if redis.call("HEXISTS", meta, "paused") == 0 then return -1 end
if force ~= "1" and redis.call("EXISTS", active) == 1 then return -2 end

local function remove_all(ids)
  for _, id in ipairs(ids) do
    redis.call("DEL", base .. id .. ":lock")
    remove_for_good(base, id)
  end
  budget = budget - #ids
end

for _, name in ipairs(LISTS) do
  local ids = budget > 0 and redis.call("LRANGE", base .. name, 0, budget - 1) or {}
  redis.call("LTRIM", base .. name, #ids, -1)
  remove_all(ids)
end
for _, name in ipairs(SETS) do
  local ids = budget > 0 and redis.call("ZRANGE", base .. name, 0, budget - 1) or {}
  call_many("ZREM", base .. name, ids)
  remove_all(ids)
end
local schedulers = budget > 0 and redis.call("ZRANGE", base .. "repeat", 0, budget - 1) or {}
for _, id in ipairs(schedulers) do redis.call("DEL", base .. "repeat:" .. id) end
call_many("ZREM", base .. "repeat", schedulers)
if budget - #schedulers <= 0 then return 1 end
if is_last == "1" then
  for _, name in ipairs(QUEUE) do redis.call("DEL", base .. name) end
end
return 0
