-- Put the jobs of a worker back in line that has died, after fencing it: a call of it that is still
-- under way then takes nothing. At most `most` jobs; call again while so many come back.
--
-- keys:    base wait paused active prioritized stalled meta events marker fenced
-- args:    worker fenced_ms most row
-- returns: the ids put back. Looks at every active job.
-- emits:   waiting
-- include: lib/queue lib/line

-- How many crashes of a job its log tells of.
local MOST_ROWS = 10

redis.call("SET", fenced, "1", "PX", fenced_ms)
local is_paused, mode, concurrency, max_len =
  unpack(redis.call("HMGET", meta, "paused", "x-fw.pause", "concurrency", "opts.maxLenEvents"))
local line = line_of(wait, paused, is_paused, mode)
local begins = worker .. ":"
local ids = redis.call("LRANGE", active, 0, -1)
local back = {}

-- Any of them may have ended the worker, and none must stay behind for its odd keys.
local function note_crash(job)
  local crashes = redis.pcall("HINCRBY", job, "fw.crashes", 1)
  if row ~= "" and type(crashes) == "number" and crashes <= MOST_ROWS then
    redis.pcall("RPUSH", job .. ":logs", row)
  end
end

-- The last taken first: each goes to the front, so that they stand there as they were.
local function give_back(job_id)
  local job = base .. job_id
  redis.call("LREM", active, 1, job_id)
  redis.call("DEL", job .. ":lock")
  redis.call("SREM", stalled, job_id)
  -- One whose hash is gone, or is none, leaves: no worker could take it.
  local found = redis.pcall("HMGET", job, "timestamp", "priority")
  if found.err or not found[1] then return end
  note_crash(job)
  local priority = tonumber(found[2]) or 0
  if priority > 0 then
    front_prioritized(prioritized, job_id, priority)
  else
    redis.call("RPUSH", line, job_id)
  end
  redis.call("XADD", events, "*", "event", "waiting", "jobId", job_id, "prev", "active")
  back[#back + 1] = job_id
end

for first = 1, #ids, 1000 do
  local locks = {}
  for at = first, math.min(first + 999, #ids) do locks[#locks + 1] = base .. ids[at] .. ":lock" end
  for i, token in ipairs(redis.call("MGET", unpack(locks))) do
    if #back == tonumber(most) then break end
    if token and token:sub(1, #begins) == begins then give_back(ids[first + i - 1]) end
  end
end
if #back > 0 then
  redis.call("XTRIM", events, "MAXLEN", "~", max_events(meta, max_len))
  if not is_blocked(is_paused, concurrency, active) then redis.call("ZADD", marker, 0, "0") end
end
return back
