-- Whether there is anything for retention to do: mostly there is not.
-- lazy: lib/retention:retain_as

-- `keep`: "count age_ms limit young_ms".
local function remove_surplus(keep, base, finished, now_ms)
  local count, age_ms = keep:match("^(%S+) (%S+)")
  count, age_ms = tonumber(count), tonumber(age_ms)
  if count >= 0 and redis.call("ZCARD", finished) > count or age_ms >= 0 and #redis.call(
      "ZRANGEBYSCORE", finished, "-inf", now_ms - age_ms, "LIMIT", "0", "1") > 0 then
    seldom("retain_as", keep, base, finished, now_ms)
  end
end
