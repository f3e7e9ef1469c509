-- Remove jobs of one place that are older than a moment: of what waits or is active those without
-- a lock, but for the next runs of schedules.
--
-- keys:    base place events
-- args:    kind until_ms skip count most before is_last
-- returns: {ids that went, how many of those looked at stay, 1 at the end}. Looks at `count` jobs,
--          1,000 at most, behind the first `skip`, and removes `most`; `before` went already.
-- emits:   cleaned, at the end of the last place
-- include: lib/sift

local AGES = {
  delayed = {"processedOn", "timestamp"},
  prioritized = {"timestamp"},
}
local ages = AGES[kind] or {"finishedOn", "processedOn", "timestamp"}

local function stays(id)
  local job = base .. id
  if kind == "active" and redis.call("EXISTS", job .. ":lock") == 1 then return true end
  if is_next_run(base, id) then return true end
  for _, at in ipairs(redis.call("HMGET", job, unpack(ages))) do
    if at then return (tonumber(at) or 0) > tonumber(until_ms) end
  end
  return false
end

local gone, stay, is_end = {}, 0, true
most = tonumber(most)
if kind == "completed" or kind == "failed" then
  local asked = math.min(most, tonumber(count))
  gone = redis.call("ZRANGEBYSCORE", place, "-inf", until_ms, "LIMIT", 0, asked)
  for _, id in ipairs(gone) do remove_for_good(base, id) end
  call_many("ZREM", place, gone)
  is_end = #gone < asked
else
  gone, stay, is_end = sift(base, place, tonumber(skip), tonumber(count), most, stays)
end
is_end = is_end or #gone >= most
if is_end and is_last == "1" then
  redis.call("XADD", events, "*", "event", "cleaned", "count", tonumber(before) + #gone)
end
return {gone, stay, is_end and 1 or 0}
