-- The key that holds a deduplication id for one job, and what waits behind that job.
-- include: lib/new_job

-- A member of JSON as a number; null and whatever else count as none.
local function number_in(value)
  return type(value) == "number" and value or 0
end

local function hold_dedup(key, job_id, de)
  local ttl = de.keepLastIfActive == true and 0 or number_in(de.ttl)
  if ttl > 0 then
    redis.call("SET", key, job_id, "PX", string.format("%.0f", ttl))
  else
    redis.call("SET", key, job_id)
  end
end

-- Makes a job of the payload that came last while its predecessor ran (keepLastIfActive). It may
-- be another engine's, so nothing in it is trusted: half a finish would lose the job at hand.
local function line_up_next(q, dedup_id, now_ms)
  local next_key = q.base .. "dn:" .. dedup_id
  local name, data, opts, id, parent_key, parent, dependencies, rjk = unpack(redis.call("HMGET",
    next_key, "name", "data", "opts", "jid", "pk", "pd", "pdk", "rjk"))
  if not name then return end
  local counted = string.format("%.0f", redis.call("INCR", q.base .. "id"))
  if not id or redis.call("EXISTS", q.base .. id) == 1 then id = counted end
  local is_json, said = pcall(cjson.decode, opts or "{}")
  if not is_json or type(said) ~= "table" then said = {} end
  hold_dedup(q.base .. "de:" .. dedup_id, id, type(said.de) == "table" and said.de or {})
  local job = {id = id, name = name, data = data or "{}", opts = opts or "{}",
    timestamp = now_ms, delay = string.format("%.0f", number_in(said.delay)),
    priority = string.format("%.0f", number_in(said.priority)), lifo = said.lifo == true,
    parent_key = parent_key, parent = parent, deid = dedup_id, rjk = rjk}
  store_job(q, job)
  line_up_job(q, job)
  if job.delay ~= "0" then mark_delayed(q.marker, q.delayed) end
  if dependencies then redis.call("SADD", dependencies, q.base .. id) end
  redis.call("DEL", next_key)
end

-- When its job ends for good: a window with a time runs on. Keys of the wrong type are left alone,
-- since an error would keep the job from ending.
local function release_dedup(q, job_id, dedup_id, now_ms)
  local key = q.base .. "de:" .. dedup_id
  local owner, ttl = redis.pcall("GET", key), redis.call("PTTL", key)
  if ttl == 0 or (ttl == -1 and owner == job_id) then redis.call("DEL", key) end
  if not owner or owner == job_id then pcall(line_up_next, q, dedup_id, now_ms) end
end

-- When its job is removed.
local function drop_dedup(base, job_id, dedup_id)
  local key = base .. "de:" .. dedup_id
  if redis.call("GET", key) == job_id then redis.call("DEL", key, base .. "dn:" .. dedup_id) end
end
