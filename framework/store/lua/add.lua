-- Put new jobs in line; a custom id that is there already changes nothing.
--
-- keys:    base wait paused active prioritized delayed marker meta events pc id lane
-- args:    sequence lane_ms count ...
-- rest:    groups of jobs that differ in their data alone, `count` jobs in all, at most 1,000:
--          size job_id name opts timestamp delay_ms priority lifo, then the data of each.
--          job_id is "" for counted ids; a group with a custom id has one job.
-- returns: {first, duplicates}: the counted id of the nth job is first + n; the places of
--          custom ids that were there. {} when a later call was served on this lane.
-- emits:   added, then waiting or delayed; duplicated
-- include: lib/lanes lib/queue lib/delayed lib/line

local before = answered(redis.call("GET", lane), sequence)
if before == nil then return {} end
if before then return {before[1], before[2]} end

local is_paused, mode, concurrency, max_len =
  unpack(redis.call("HMGET", meta, "paused", "x-fw.pause", "concurrency", "opts.maxLenEvents"))
local line = line_of(wait, paused, is_paused, mode)
max_len = max_events(meta, max_len)
local counter = redis.call("INCRBY", id, count) - tonumber(count)
local duplicates, back, front, nth = {}, {}, {}, 0
local any_ready, any_delayed = false, false

-- Puts a stored job where its options say, all but the list, which is filled at the end.
local function enqueue(job_id, due, priority, lifo)
  if due then
    add_delayed(delayed, job_id, due)
    redis.call("XADD", events, "*", "event", "delayed", "jobId", job_id,
      "delay", string.format("%.0f", due))
    any_delayed = true
    return
  end
  if priority ~= "0" then
    add_prioritized(prioritized, pc, job_id, tonumber(priority))
  elseif lifo == "1" then
    front[#front + 1] = job_id
  else
    back[#back + 1] = job_id
  end
  redis.call("XADD", events, "*", "event", "waiting", "jobId", job_id)
  any_ready = true
end

local at = rest
while at < #ARGV do
  local size, custom, name, opts, timestamp, delay_ms, priority, lifo = unpack(ARGV, at + 1, at + 8)
  local due = delay_ms ~= "0" and tonumber(timestamp) + tonumber(delay_ms)
  at = at + 8
  for place = at + 1, at + tonumber(size) do
    nth = nth + 1
    local job_id = custom ~= "" and custom or string.format("%.0f", counter + nth)
    local job = base .. job_id
    if custom ~= "" and redis.call("EXISTS", job) == 1 then
      duplicates[#duplicates + 1] = nth
      redis.call("XADD", events, "*", "event", "duplicated", "jobId", job_id)
    else
      redis.call("HSET", job, "name", name, "data", ARGV[place], "opts", opts,
        "timestamp", timestamp, "delay", delay_ms, "priority", priority)
      redis.call("XADD", events, "*", "event", "added", "jobId", job_id, "name", name)
      enqueue(job_id, due, priority, lifo)
    end
  end
  at = at + tonumber(size)
end

call_many("LPUSH", line, back)
call_many("RPUSH", line, front)
if any_ready and not is_blocked(is_paused, concurrency, active) then
  redis.call("ZADD", marker, 0, "0")
end
if any_delayed then mark_delayed(marker, delayed) end
redis.call("XTRIM", events, "MAXLEN", "~", max_len)
remember(lane, lane_ms, sequence, counter, duplicates)
return {counter, duplicates}
