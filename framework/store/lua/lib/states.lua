-- Where the jobs of any queue stand.

local SETS = {"completed", "waiting-children", "delayed", "failed", "prioritized"}
local LISTS = {"wait", "paused", "active"}

-- Takes a job out of where it stands; returns BullMQ's name of that place, or "unknown".
local function leave_state(base, id)
  for _, name in ipairs(SETS) do
    if redis.call("ZREM", base .. name, id) == 1 then return name end
  end
  for _, name in ipairs(LISTS) do
    if redis.call("LREM", base .. name, 1, id) > 0 then return name end
  end
  return "unknown"
end
