-- Who may have a deduplication id: a new job, or the one that holds it.
-- include: lib/dedup lib/removal lib/hold

local function tell_deduplicated(q, job_id, dedup_id, other_id)
  redis.call("XADD", q.events, "*", "event", "deduplicated", "jobId", job_id,
    "deduplicationId", dedup_id, "deduplicatedJobId", other_id)
end

-- A holder that should have let go when it ended, but is gone: the id is free.
local function is_stale(q, key, owner)
  return redis.call("PTTL", key) == -1 and redis.call("EXISTS", q.base .. owner) == 0
end

-- While the holder runs, the newest payload waits for its end; returns whether it does.
local function keep_for_later(q, key, owner, job)
  if job.de.keepLastIfActive ~= true or not redis.call("LPOS", q.active, owner) then
    return false
  end
  local next_key = q.base .. "dn:" .. job.de.id
  redis.call("DEL", next_key)
  redis.call("HSET", next_key, "name", job.name, "data", job.data, "opts", job.opts,
    "jid", job.id)
  redis.call("PERSIST", key)
  tell_deduplicated(q, owner, job.de.id, job.id)
  return true
end

-- A holder that is delayed makes way, unless somebody holds it there.
local function replace_holder(q, key, owner, job)
  local de = job.de
  leave_parent(q.base .. owner)
  delete_job_keys({q.base .. owner})
  redis.call("XADD", q.events, "*", "event", "removed", "jobId", owner, "prev", "delayed")
  tell_deduplicated(q, job.id, de.id, owner)
  redis.call("DEL", q.base .. "dn:" .. de.id)
  if de.keepLastIfActive ~= true and de.extend ~= true and number_in(de.ttl) > 0 then
    redis.call("SET", key, job.id, "KEEPTTL")
  else
    hold_dedup(key, job.id, de)
  end
end

local function reschedule(q, owner, job)
  redis.call("HSET", q.base .. owner, "delay", job.delay)
  delay_until(q, owner, tonumber(job.timestamp) + tonumber(job.delay))
end

-- Returns the id of the job that stands in for this one, or nothing: then it may be added.
local function claim_dedup(q, job)
  local de, key = job.de, q.base .. "de:" .. job.de.id
  local owner = redis.call("GET", key)
  if not owner then return hold_dedup(key, job.id, de) end
  local is_free = not is_held(q.delayed, owner)
  if de.replace == true and is_free and redis.call("ZREM", q.delayed, owner) == 1 then
    return replace_holder(q, key, owner, job)
  end
  if is_stale(q, key, owner) then
    redis.call("DEL", q.base .. "dn:" .. de.id)
    return hold_dedup(key, job.id, de)
  end
  local is_kept = keep_for_later(q, key, owner, job)
  if de.replace == true or is_kept then return owner end
  if de.extend == true and number_in(de.ttl) > 0 then hold_dedup(key, owner, de) end
  tell_deduplicated(q, owner, de.id, job.id)
  if de.reschedule == true and is_free and redis.call("ZSCORE", q.delayed, owner) then
    reschedule(q, owner, job)
  end
  return owner
end
