-- Asking the worker that runs a job to stop it. What is asked stands in the job's hash; that is the
-- truth. Where there is no such field in `meta`, nobody has ever asked anything of the queue.

local ASKS = "x-fw.asks"

-- Wakes the worker of this framework that holds a job; returns whether one does. Peers, and who
-- takes jobs by hand, have tokens of another form, and cannot hear it.
local function tell_holder(base, job)
  local holder = redis.call("GET", job .. ":lock")
  local worker = holder and holder:match("^(%x+):%d+$")
  if not worker or #worker ~= 32 then return false end
  local calls = base .. "meta:fw:calls:" .. worker
  redis.call("ZADD", calls, 0, "0")
  redis.call("PEXPIRE", calls, 60000)
  return true
end

-- Whether a job is held by anybody, or stands among the active ones without a lock.
local function is_taken(job, job_id, active)
  return redis.call("EXISTS", job .. ":lock") == 1 or redis.call("LPOS", active, job_id)
end

-- Notes in the hash what is asked. 1: its worker was told, 2: it counts when it would start next.
local function ask(base, meta, job, ...)
  redis.call("HSET", meta, ASKS, 1)
  redis.call("HSET", job, ...)
  return tell_holder(base, job) and 1 or 2
end
