-- Put new jobs in line; a custom id that is there already changes nothing.
--
-- keys:    base wait marker meta events id lane
-- args:    sequence lane_ms count ...
-- rest:    groups of jobs that differ in their data alone, `count` jobs in all, at most 1,000:
--          size job_id name opts timestamp delay_ms priority lifo, then the data of each.
--          job_id is "" for counted ids; a group with a custom id has one job.
-- returns: {first, duplicates}, or first alone: the counted id of the nth job is first + n; the
--          places of custom ids that were there. {} when a later call was served on this lane.
-- emits:   added, then waiting or delayed; duplicated
-- include: lib/lanes lib/blocked lib/many
-- lazy:    lib/other_adds:other_adder lib/delayed:mark_delayed lib/queue:line_of
--          lib/queue:max_events

local before = answered(redis.call("GET", lane), sequence)
if before == nil then return {} end
if before then return before end

local is_paused, mode, concurrency, max_len =
  unpack(redis.call("HMGET", meta, "paused", "x-fw.pause", "concurrency", "opts.maxLenEvents"))
local line = is_paused and seldom("line_of", wait, base .. "paused", is_paused, mode) or wait
local last = redis.call("INCRBY", id, count)
local counter = last - count
local duplicates, back, nth = {}, {}, 0
local any_ready, any_delayed, add_other = false, false, nil

local at = rest
while ARGV[at + 1] do
  local size, custom, name, opts, timestamp, delay_ms, priority, lifo = unpack(ARGV, at + 1, at + 8)
  local due = delay_ms ~= "0" and timestamp + delay_ms
  local is_other = due or priority ~= "0" or lifo == "1"
  at = at + 8
  for place = at + 1, at + size do
    nth = nth + 1
    local job_id = custom ~= "" and custom or string.format("%d", counter + nth)
    local job = base .. job_id
    if custom ~= "" and redis.call("EXISTS", job) == 1 then
      duplicates[#duplicates + 1] = nth
      redis.call("XADD", events, "*", "event", "duplicated", "jobId", job_id)
    else
      redis.call("HSET", job, "name", name, "data", ARGV[place], "opts", opts,
        "timestamp", timestamp, "delay", delay_ms, "priority", priority)
      redis.call("XADD", events, "*", "event", "added", "jobId", job_id, "name", name)
      if is_other then
        add_other = add_other or seldom("other_adder")
        add_other(line, job_id, due, priority)
      else
        redis.call("XADD", events, "*", "event", "waiting", "jobId", job_id)
        back[#back + 1] = job_id
      end
      if due then any_delayed = true else any_ready = true end
    end
  end
  at = at + size
end

call_many("LPUSH", line, back)
if any_ready and not is_blocked(is_paused, concurrency, base .. "active") then
  redis.call("ZADD", marker, "0", "0")
end
if any_delayed then seldom("mark_delayed", marker, base .. "delayed") end
-- One lone add in ten trims: events go a hundred at a time anyway.
if not max_len or math.floor(last / 10) > math.floor(counter / 10) then
  redis.call("XTRIM", events, "MAXLEN", "~", seldom("max_events", meta, max_len))
end
local answer = #duplicates > 0 and {counter, duplicates} or counter
remember(lane, lane_ms, sequence, answer)
return answer
