-- Finish many jobs, each decided alone, and fetch many.
--
-- keys:    base wait paused active prioritized delayed completed failed stalled marker meta events pc
--          limiter waiting_children lane fenced
-- args:    sequence lane_ms now_ms lock_ms token next_token name want max_bytes
--          limit_max limit_ms metrics keeps ...
-- rest:    `keeps` times: count age_ms limit young_ms (-1: without limit); then a record for
--          each outcome:
--          c id token returnvalue keep
--          f id token reason stacktrace attempts keep     failed for good
--          r id token reason stacktrace lifo              retry now
--          d id token reason stacktrace delay_ms          retry after a delay
--          q id token reason stacktrace attempts crashes row mark keep
--                                                         failed for good: quarantined
--          g id token                                     given back, no attempt counted
--          k id token crashes row delay_ms                given back as it ended its process
--          m id token due_ms                              parked until then, as the next two
--          w id token stays                               parked until no child is pending; if
--                                                         none is now: 1: stays active, else back
--          l id token limit_ms                            back, and the queue's rate limited
--          At most 500 outcomes and 1,000 jobs wanted.
-- returns: {codes, ids, fields, limited_ms, next_due_ms, is_blocked, is_drained, was_served}
--          fields: as they were before the call; after it, where it was served before.
--          codes: 0 done, -1 no job, -2 no lock, -3 not active, -4 pending children,
--          -6 another worker's lock, -9 failed children, 1 nothing to wait for; a text: the
--          error that its keys led to, {-22, reason}: somebody cancelled it: both stay active
--          and locked.
--          {} when a later call was served on this lane, or its worker is fenced off.
-- emits:   completed, failed, retries-exhausted, waiting, delayed, waiting-children, active,
--          drained
-- include: lib/lanes lib/queue lib/finish_many lib/promote lib/limits lib/fetch

local before = recall_unless(fenced, lane, sequence)
if before == nil then return {} end
if before then
  local fields = {}
  for i, id in ipairs(before[3]) do fields[i] = redis.call("HGETALL", base .. id) end
  return {before[2], before[3], fields, 0, string.format("%.0f", math.floor(next_due(delayed))),
    0, 0, 1}
end

local is_paused, mode, concurrency, max, duration, max_len, limited, asks = unpack(redis.call(
  "HMGET", meta, "paused", "x-fw.pause", "concurrency", "max", "duration", "opts.maxLenEvents",
  "x-fw.limited", "x-fw.asks"))
local line = line_of(wait, paused, is_paused, mode)
local q = {base = base, wait = line, active = active, prioritized = prioritized,
  delayed = delayed, completed = completed, failed = failed, stalled = stalled, pc = pc,
  events = events, marker = marker, waiting_children = waiting_children, limiter = limiter,
  meta = meta, metrics = tonumber(metrics), asks = asks}
local first = rest + tonumber(keeps) * 4
local codes, was_delayed, has_ended, was_limited = {}, false, false, false

if first < #ARGV then
  local kept = {}
  for i = 1, tonumber(keeps) do
    local at = rest + (i - 1) * 4
    kept[i] = {tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]),
      tonumber(ARGV[at + 4])}
  end
  codes, was_delayed, has_ended, was_limited = finish_many(q, read_runs(first, kept), now_ms)
  redis.call("XTRIM", events, "MAXLEN", "~", max_events(meta, max_len))
end

local ids, fields, limited_ms, due_ms = {}, {}, 0, 0
local room, blocked = tonumber(want), false
if room > 0 then
  promote(tonumber(now_ms), base, delayed, line, prioritized, pc, events)
  local most = tonumber(max) or tonumber(limit_max)
  if most or was_limited or is_limited_by_hand(limited, now_ms) then
    local allowed
    limited_ms, allowed = room_under_rate(limiter, most or BY_HAND)
    room = math.min(room, allowed)
  end
  if tonumber(concurrency) then
    room = math.min(room, tonumber(concurrency) - redis.call("LLEN", active))
  end
  blocked = limited_ms == 0 and is_blocked(is_paused, concurrency, active)
  if room > 0 and not blocked then
    local counted
    ids, fields, counted = take_jobs(q, room, {now_ms = now_ms, lock_ms = lock_ms,
      token = token, next_token = tonumber(next_token), name = name,
      max_bytes = tonumber(max_bytes)})
    if most then
      count_against_rate(limiter, counted, tonumber(limit_ms) or tonumber(duration) or 0)
    end
  end
  if #ids < tonumber(want) then due_ms = math.floor(next_due(delayed)) end
end

-- Jobs that are left wake the next idle worker; a wake-up for nothing is taken back. Where the
-- marker is none, who waits for it finds out; what is done by now stands.
local has_line = redis.call("EXISTS", wait, prioritized) > 0
if not has_line then
  redis.pcall("ZREM", marker, "0")
elseif (limited_ms == 0 or was_limited) and not is_blocked(is_paused, concurrency, active) then
  redis.pcall("ZADD", marker, 0, "0")
end
if was_delayed then pcall(mark_delayed, marker, delayed) end
local has_news = #ids > 0 or limited_ms > 0 or blocked or due_ms > 0
local drained = has_ended and not has_news and not has_line and redis.call("LLEN", active) == 0
if drained then redis.call("XADD", events, "*", "event", "drained") end
remember(lane, lane_ms, sequence, codes, ids)
return {codes, ids, fields, limited_ms, string.format("%.0f", due_ms), blocked and 1 or 0,
  drained and 1 or 0, 0}
