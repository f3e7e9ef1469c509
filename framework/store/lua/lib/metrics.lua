-- How many jobs ended in each minute, the newest minute first.

local MINUTE = 60000
local TWO_WEEKS = 20160

-- For how many minutes to keep what somebody ends who is no worker: 0 where no worker has counted
-- yet. What is more than the workers keep goes when one of them counts.
local function metrics_kept(base)
  local totals = base .. "metrics:"
  if redis.call("EXISTS", totals .. "completed", totals .. "failed") == 0 then return 0 end
  return math.max(TWO_WEEKS, redis.call("LLEN", totals .. "failed:data"))
end

-- Counts jobs that ended now. A minute's number appears once a job ends in a later one.
local function count_ended(q, kind, ended, now_ms)
  local most = q.metrics
  if ended == 0 or most == 0 then return end
  local totals = q.base .. "metrics:" .. kind
  local points = totals .. ":data"
  local before = redis.call("HINCRBY", totals, "count", ended) - ended
  local last_ms, last_count = unpack(redis.call("HMGET", totals, "prevTS", "prevCount"))
  if not last_ms then
    redis.call("HSET", totals, "prevTS", now_ms, "prevCount", 0)
    return
  end
  local minutes = math.floor(tonumber(now_ms) / MINUTE) - math.floor(tonumber(last_ms) / MINUTE)
  minutes = math.min(minutes, most)
  if minutes <= 0 then return end
  local values = {before - tonumber(last_count)}
  for n = 2, minutes do values[n] = 0 end
  for first = 1, minutes, 5000 do
    redis.call("LPUSH", points, unpack(values, first, math.min(first + 4999, minutes)))
  end
  redis.call("LTRIM", points, 0, most - 1)
  redis.call("HSET", totals, "prevCount", before, "prevTS", now_ms)
end
