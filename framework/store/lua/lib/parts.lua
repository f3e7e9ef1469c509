-- Deleting jobs and what hangs on them. The lock is never part of it.

local PARTS = {"", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful",
  ":chunks"}

local function delete_job_keys(jobs)
  local keys, deleted = {}, 0
  for _, job in ipairs(jobs) do
    for _, part in ipairs(PARTS) do keys[#keys + 1] = job .. part end
    if #keys >= 3000 then
      deleted = deleted + redis.call("DEL", unpack(keys))
      keys = {}
    end
  end
  if #keys > 0 then deleted = deleted + redis.call("DEL", unpack(keys)) end
  return deleted
end
