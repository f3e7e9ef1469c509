-- Which finished jobs go. count -1: no limit by number; age_ms -1: no limit by age.
-- include: lib/removal

local MOST_AT_ONCE = 1000
local MOST_YOUNG = 20000

local function forget_range(base, finished, from, to, most)
  local ids = redis.call("ZRANGEBYSCORE", finished, from, to, "LIMIT", 0, most)
  if #ids == 0 then return end
  forget(base, ids)
  call_many("ZREM", finished, ids)
end

-- Nothing younger than young_ms goes by number, up to 20,000 jobs.
local function apply_retention(base, finished, now_ms, count, age_ms, limit, young_ms)
  if age_ms >= 0 then
    forget_range(base, finished, "-inf", now_ms - age_ms, limit)
  end
  if count < 0 then return end
  local kept = redis.call("ZCARD", finished)
  local extra = kept - count
  if extra <= 0 then return end
  if young_ms > 0 then
    local surplus = math.min(kept - math.max(MOST_YOUNG, count), MOST_AT_ONCE)
    if surplus > 0 then
      forget_range(base, finished, "-inf", "+inf", surplus)
      extra = extra - surplus
    end
    if extra > 0 then
      forget_range(base, finished, "-inf", now_ms - young_ms, math.min(extra, MOST_AT_ONCE))
    end
  else
    forget_range(base, finished, "-inf", "+inf", math.min(extra, MOST_AT_ONCE))
  end
end

-- The same of a text: "count age_ms limit young_ms".
local function retain_as(keep, base, finished, now_ms)
  local limits = {}
  for number in keep:gmatch("%S+") do limits[#limits + 1] = tonumber(number) end
  apply_retention(base, finished, now_ms, unpack(limits))
end
