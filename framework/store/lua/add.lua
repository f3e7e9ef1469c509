-- Put new jobs in line; a custom id that is there already changes nothing.
--
-- keys:    base wait active prioritized delayed marker meta events pc id lane
-- args:    sequence lane_ms now_ms ...
-- rest:    job_id name data opts timestamp delay_ms priority lifo, for each job;
--          job_id is "" for a counted one. At most 1,000 jobs.
-- returns: {ids, duplicates}: one id for each job, in order; places of those that were there.
--          {} when a later call was served on this lane.
-- emits:   added, then waiting or delayed; duplicated
-- include: lib/lanes lib/queue lib/delayed lib/line

local WIDTH = 8
local before = recall(lane, sequence)
if before == nil then return {} end
if before then return {before[2], before[3]} end

local paused, concurrency, max_len =
  unpack(redis.call("HMGET", meta, "paused", "concurrency", "opts.maxLenEvents"))
max_len = max_events(meta, max_len)
local count = (#ARGV - rest) / WIDTH
local counter = redis.call("INCRBY", id, count) - count
local ids, duplicates, back, front = {}, {}, {}, {}
local any_ready, any_delayed = false, false

for i = 1, count do
  local at = rest + (i - 1) * WIDTH
  local job_id, name, data, opts, timestamp, delay_ms, priority, lifo =
    unpack(ARGV, at + 1, at + WIDTH)
  local custom = job_id ~= ""
  if not custom then job_id = string.format("%.0f", counter + i) end
  ids[i] = job_id
  local job = base .. job_id
  if custom and redis.call("EXISTS", job) == 1 then
    duplicates[#duplicates + 1] = i
    redis.call("XADD", events, "*", "event", "duplicated", "jobId", job_id)
  else
    redis.call("HSET", job, "name", name, "data", data, "opts", opts,
      "timestamp", timestamp, "delay", delay_ms, "priority", priority)
    redis.call("XADD", events, "*", "event", "added", "jobId", job_id, "name", name)
    if delay_ms ~= "0" then
      local due = tonumber(timestamp) + tonumber(delay_ms)
      add_delayed(delayed, job_id, due)
      redis.call("XADD", events, "*", "event", "delayed", "jobId", job_id,
        "delay", string.format("%.0f", due))
      any_delayed = true
    else
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
  end
end

call_many("LPUSH", wait, back)
call_many("RPUSH", wait, front)
if any_ready and not is_blocked(paused, concurrency, active) then
  redis.call("ZADD", marker, 0, "0")
end
if any_delayed then mark_delayed(marker, delayed) end
redis.call("XTRIM", events, "MAXLEN", "~", max_len)
remember(lane, lane_ms, sequence, ids, duplicates)
return {ids, duplicates}
