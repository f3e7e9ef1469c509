-- Finish many jobs, each decided alone, and fetch many.
--
-- keys:    base wait active prioritized delayed completed stalled marker meta events lane fenced
-- args:    sequence lane_ms now_ms lock_ms token next_token name want max_bytes
--          limit_max limit_ms metrics ...
-- rest:    a record for each outcome, completions that follow each other in one:
--          c keep count, then `count` times: id token returnvalue
--          n keep count, then the same                    those that were new when taken
--          f id token reason stacktrace attempts keep     failed for good
--          r id token reason stacktrace lifo              retry now
--          d id token reason stacktrace delay_ms          retry after a delay
--          q id token reason stacktrace attempts crashes row mark keep
--                                                         failed for good: quarantined
--          g id token                                     given back, no attempt counted
--          k id token crashes row delay_ms                given back as it ended its process
--          s id token most reason stacktrace attempts keep
--                                                         given back as its worker vanished; the
--                                                         last three: where that was too often
--          m id token due_ms                              parked until then, as the next two
--          w id token stays                               parked until no child is pending; if
--                                                         none is now: 1: stays active, else back
--          l id token limit_ms                            back, and the queue's rate limited
--          keep: "" removes it, "all" keeps all, else "count age_ms limit young_ms" keep the
--          last (-1: without limit). At most 500 outcomes and 1,000 jobs wanted.
-- returns: {codes, ids, fields, limited_ms, next_due_ms, is_blocked, is_drained, was_served}, or
--          {ids, fields} where all is done and there were as many jobs as wanted
--          fields: as they were before the call; after it, where it was served before. An odd
--          number are the values of name, data, opts, timestamp and delay alone: priority is 0,
--          and there are no others.
--          codes: {} where all are 0: done; -1 no job, -2 no lock, -3 not active, -4 pending
--          children, -6 another worker's lock, -9 failed children, 1 nothing to wait for; a text:
--          the error that its keys led to, {-22, reason}: somebody cancelled it: both stay active
--          and locked.
--          {} when a later call was served on this lane, or its worker is fenced off.
-- emits:   completed, failed, retries-exhausted, waiting, delayed, waiting-children, active,
--          drained
-- include: lib/lone lib/blocked lib/plain_endings lib/fetch
-- lazy:    lib/other_endings:read_others lib/finish_others:finish_others lib/promote:promote
--          lib/delayed:next_due lib/delayed:mark_delayed lib/limits:room_under_rate
--          lib/limits:count_against_rate lib/queue:line_of lib/queue:max_events

local at = rest
while ARGV[at + 1] == "c" or ARGV[at + 1] == "n" do at = read_completed(at) end
if ARGV[at + 1] then seldom("read_others", at) end

local names = {lane, fenced}
for i = 1, #ids do names[i + 2] = jobs[i] .. ":lock" end
local locks = redis.call("MGET", unpack(names))
local before = answered(locks[1], sequence)
if locks[2] or before == nil then return {} end
if before then
  local fields = {}
  for i, id in ipairs(before[2]) do fields[i] = redis.call("HGETALL", base .. id) end
  return {before[1], before[2], fields, 0, string.format("%.0f", math.floor(seldom("next_due", delayed))),
    0, 0, 1}
end

local is_paused, mode, concurrency, max, duration, max_len, limited, asks = unpack(redis.call(
  "HMGET", meta, "paused", "x-fw.pause", "concurrency", "max", "duration", "opts.maxLenEvents",
  "x-fw.limited", "x-fw.asks"))
local line = is_paused and seldom("line_of", wait, base .. "paused", is_paused, mode) or wait
local codes, was_delayed, ended, was_limited, may_be_due = {}, false, 0, false, true

if #ids > 0 then
  local may_wait
  may_wait, may_be_due = look_around()
  if not may_wait and not asks then ended = end_plain(locks, names, codes, may_be_due) end
  if ended == #ids then
    codes = {}
  else
    local others_ended
    may_be_due = true
    was_delayed, others_ended, was_limited = seldom("finish_others", {base = base, wait = line,
      active = active, prioritized = prioritized, delayed = delayed, completed = completed,
      failed = base .. "failed", stalled = stalled, pc = base .. "pc", events = events, marker = marker,
      waiting_children = base .. "waiting-children", limiter = base .. "limiter", meta = meta,
      metrics = tonumber(metrics), asks = asks}, locks, names, may_wait, codes, now_ms)
    ended = ended + others_ended
  end
end
-- One lone call in ten trims: events go a hundred at a time anyway.
if #ids >= 10 or sequence:sub(-1) == "1" then
  redis.call("XTRIM", events, "MAXLEN", "~", seldom("max_events", meta, max_len))
end

local taken, fields, limited_ms, due_ms = {}, {}, 0, 0
local room, blocked, is_empty = tonumber(want), false, false
local wanted = room
if room > 0 then
  if may_be_due then
    local due = redis.call("ZRANGEBYSCORE", delayed, "0", (now_ms + 1) * 4096 - 1,
      "LIMIT", "0", "1000")
    if #due > 0 then seldom("promote", due, base, delayed, line, prioritized, base .. "pc", events) end
  end
  local most = tonumber(max) or tonumber(limit_max)
  if most or was_limited or limited and tonumber(limited) > tonumber(now_ms) then
    local allowed
    limited_ms, allowed = seldom("room_under_rate", base .. "limiter", most)
    room = math.min(room, allowed)
  end
  if tonumber(concurrency) then
    room = math.min(room, tonumber(concurrency) - redis.call("LLEN", active))
  end
  blocked = limited_ms == 0 and is_blocked(is_paused, concurrency, active)
  if room > 0 and not blocked then
    local counted
    taken, fields, counted, is_empty = take_jobs(line, room)
    if most then
      seldom("count_against_rate", base .. "limiter", counted,
        tonumber(limit_ms) or tonumber(duration) or 0)
    end
  end
  if #taken < wanted then due_ms = math.floor(seldom("next_due", delayed)) end
end

-- Jobs that are left wake the next idle worker; a wake-up for nothing is taken back. Where the
-- marker is none, who waits for it finds out; what is done by now stands.
local has_line = not is_empty and redis.call("EXISTS", wait, prioritized) > 0
if not has_line then
  redis.pcall("ZREM", marker, "0")
elseif (limited_ms == 0 or was_limited) and not is_blocked(is_paused, concurrency, active) then
  redis.pcall("ZADD", marker, "0", "0")
end
if was_delayed then pcall(seldom, "mark_delayed", marker, delayed) end
local has_news = #taken > 0 or limited_ms > 0 or blocked or due_ms > 0
local drained = ended > 0 and not has_news and not has_line and redis.call("LLEN", active) == 0
if drained then redis.call("XADD", events, "*", "event", "drained") end
remember(lane, lane_ms, sequence, {codes, taken})
if #codes == 0 and #taken == wanted and not drained then return {taken, fields} end
return {codes, taken, fields, limited_ms, due_ms > 0 and string.format("%.0f", due_ms) or "0", blocked and 1 or 0,
  drained and 1 or 0, 0}
