-- The key that holds a deduplication id for one job.

local function release_dedup(base, job_id, dedup_id)
  local key = base .. "de:" .. dedup_id
  local ttl = redis.call("PTTL", key)
  if ttl == 0 or (ttl == -1 and redis.call("GET", key) == job_id) then redis.call("DEL", key) end
end
