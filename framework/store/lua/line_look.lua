-- Tell what waits in a queue, and what may keep workers from it. Changes nothing.
--
-- keys:    base wait paused active prioritized delayed meta limiter
-- args:    now_ms
-- returns: {waiting, parked, active, head, since_ms, is_paused, concurrency, max, limited_until,
--          used, ttl_ms}
--          waiting: those in line, and 1 if the first delayed one is due; head: who is next of
--          them, or ""; since_ms: the longest that any of those at the ends of the line waits: since
--          it was added, was due or was last begun, or 0; "" for what is not set.

local function present(id)
  if id and id:sub(1, 2) ~= "0:" then return id end
end

local function waits_since(id)
  local found = redis.pcall("HMGET", base .. id, "timestamp", "processedOn", "opts")
  if found.err or not found[1] then return nil end
  local readable, opts = pcall(cjson.decode, found[3] or "{}")
  local delay = readable and type(opts) == "table" and tonumber(opts.delay) or 0
  return math.max((tonumber(found[1]) or 0) + delay, tonumber(found[2]) or 0)
end

local first, last = present(redis.call("LINDEX", wait, -1)), present(redis.call("LINDEX", wait, 0))
local parked = present(redis.call("LINDEX", paused, -1))
local top = redis.call("ZRANGE", prioritized, 0, 0)[1]
local bottom = redis.call("ZRANGE", prioritized, -1, -1)[1]
local soon = redis.call("ZRANGE", delayed, 0, 0, "WITHSCORES")
local due = soon[2] and math.floor(tonumber(soon[2]) / 4096) <= tonumber(now_ms)
local waiting = redis.call("LLEN", wait) + redis.call("ZCARD", prioritized) + (due and 1 or 0)
if not first and redis.call("LLEN", wait) > 0 then waiting = waiting - 1 end

local since
for _, id in pairs({a = first, b = last, c = parked, d = top, e = bottom}) do
  local one = waits_since(id)
  if one and (not since or one < since) then since = one end
end

local is_paused, concurrency, max, limited = unpack(redis.call("HMGET", meta, "paused",
  "concurrency", "max", "x-fw.limited"))
return {waiting, redis.call("LLEN", paused), redis.call("LLEN", active),
  first or top or (due and soon[1]) or "", string.format("%.0f", since or 0),
  is_paused and 1 or 0, concurrency or "", max or "", limited or "",
  redis.call("GET", limiter) or "0", math.max(0, redis.call("PTTL", limiter))}
