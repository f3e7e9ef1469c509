-- Carrying out one outcome. `run` is a record of the call, `facts` what the hash said: its
-- processedOn, parentKey, deid, atm, parent and priority.
-- include: lib/dedup lib/parents lib/delayed lib/line lib/limits

-- Refusals, in BullMQ's order. Reads only.
local function refusal_of(run, facts, lock, base)
  if not facts[1] and redis.call("EXISTS", base .. run.id) == 0 then return -1 end
  if run.kind == "c" and run.may_wait then
    local job = base .. run.id
    if redis.call("SCARD", job .. ":dependencies") ~= 0 then return -4 end
    if redis.call("ZCARD", job .. ":unsuccessful") ~= 0 then return -9 end
  elseif run.kind == "w" then
    local job = base .. run.id
    if redis.call("ZCARD", job .. ":unsuccessful") ~= 0 then return -9 end
    run.has_none = redis.call("SCARD", job .. ":dependencies") == 0
  end
  if not lock then return -2 end
  if lock ~= run.token then return -6 end
  if run.has_none and run.text == "1" then return 1 end
  return 0
end

-- What ended the process of a job that ran alone: how often that was, and a row for its log.
local function note_crash(job, crashes, row)
  redis.call("HSET", job, "fw.crashes", crashes)
  if row ~= "" then redis.call("RPUSH", job .. ":logs", row) end
end

local function complete_job(q, run, job, facts, now_ms)
  if facts[3] then release_dedup(q, run.id, facts[3], now_ms) end
  if facts[2] then child_completed(job, facts[2], facts[5], run.text, tonumber(now_ms)) end
  if run.is_kept then
    redis.call("HSET", job, "atm", (tonumber(facts[4]) or 0) + 1, "returnvalue", run.text,
      "finishedOn", now_ms)
  end
  redis.call("XADD", q.events, "*", "event", "completed", "jobId", run.id,
    "returnvalue", run.text, "prev", "active")
end

local function fail_job(q, run, job, facts, now_ms)
  local attempts_made = (tonumber(facts[4]) or 0) + 1
  if facts[3] then release_dedup(q, run.id, facts[3], now_ms) end
  if facts[2] then child_failed(job, facts[2], facts[5], run.text, tonumber(now_ms)) end
  if run.is_kept then
    redis.call("HSET", job, "atm", attempts_made, "failedReason", run.text,
      "stacktrace", run.stack, "finishedOn", now_ms)
    redis.call("HDEL", job, "defa")
    if run.crash then
      note_crash(job, run.crash[1], run.crash[2])
      redis.call("HSET", job, "fw.quarantined", run.crash[3])
    end
  end
  redis.call("XADD", q.events, "*", "event", "failed", "jobId", run.id,
    "failedReason", run.text, "prev", "active")
  if attempts_made >= tonumber(run.extra) then
    redis.call("XADD", q.events, "*", "event", "retries-exhausted", "jobId", run.id,
      "attemptsMade", attempts_made)
  end
end

local function put_back(q, run, facts, to_front)
  local priority = tonumber(facts[6]) or 0
  if priority > 0 and to_front then
    front_prioritized(q.prioritized, run.id, priority)
  elseif priority > 0 then
    add_prioritized(q.prioritized, q.pc, run.id, priority)
  else
    redis.call((to_front or run.extra == "1") and "RPUSH" or "LPUSH", q.wait, run.id)
  end
  redis.call("XADD", q.events, "*", "event", "waiting", "jobId", run.id, "prev", "active")
end

local function note_failure(run, job, facts)
  redis.call("HSET", job, "atm", (tonumber(facts[4]) or 0) + 1, "failedReason", run.text,
    "stacktrace", run.stack)
end

-- `due` and `delay` in ms.
local function delay_job(q, run, job, due, delay)
  redis.call("HSET", job, "delay", string.format("%.0f", delay))
  add_delayed(q.delayed, run.id, due)
  redis.call("XADD", q.events, "*", "event", "delayed", "jobId", run.id,
    "delay", string.format("%.0f", due))
end

local function retry_job(q, run, job, facts)
  note_failure(run, job, facts)
  put_back(q, run, facts, false)
end

local function back_off(q, run, job, facts, now_ms)
  note_failure(run, job, facts)
  local delay = tonumber(run.extra)
  delay_job(q, run, job, tonumber(now_ms) + delay, delay)
end

local function give_back(q, run, job, facts)
  put_back(q, run, facts, true)
end

-- No attempt is counted here either.
local function give_back_crashed(q, run, job, facts, now_ms)
  note_crash(job, run.text, run.stack)
  local delay = tonumber(run.extra)
  if delay == 0 then return put_back(q, run, facts, true) end
  delay_job(q, run, job, tonumber(now_ms) + delay, delay)
end

-- As the stalled check of a BullMQ worker decides: once it was too often, it fails.
local function stall(q, run, job, facts, now_ms)
  if redis.call("HINCRBY", job, "stc", 1) > tonumber(run.most) then
    run.kind = "f"
    return fail_job(q, run, job, facts, now_ms)
  end
  put_back(q, run, facts, true)
end

-- Parking counts no attempt.
local function park_until(q, run, job, facts, now_ms)
  local now, due = tonumber(now_ms), tonumber(run.text)
  delay_job(q, run, job, math.max(now, due), math.max(0, due - now))
end

-- Nobody would release a parent whose last child has ended meanwhile.
local function park_for_children(q, run, job, facts, now_ms)
  if run.has_none then return put_back(q, run, facts, true) end
  redis.call("ZADD", q.waiting_children, now_ms, run.id)
  redis.call("XADD", q.events, "*", "event", "waiting-children", "jobId", run.id,
    "prev", "active")
end

local function park_for_limit(q, run, job, facts, now_ms)
  limit_by_hand(q.limiter, q.meta, tonumber(now_ms), tonumber(run.text))
  put_back(q, run, facts, true)
end
