-- The queues of a call that touches several: each read once, each woken once at the end.
-- include: lib/queue lib/delayed

local QUEUES = {}

local function queue_at(base)
  local q = QUEUES[base]
  if q then return q end
  q = {base = base, active = base .. "active", prioritized = base .. "prioritized",
    delayed = base .. "delayed", completed = base .. "completed", failed = base .. "failed",
    waiting_children = base .. "waiting-children", pc = base .. "pc",
    events = base .. "events", marker = base .. "marker"}
  local is_paused, mode, concurrency, max_len = unpack(redis.call("HMGET", base .. "meta",
    "paused", "x-fw.pause", "concurrency", "opts.maxLenEvents"))
  q.is_paused, q.concurrency = is_paused, concurrency
  q.wait = line_of(base .. "wait", base .. "paused", is_paused, mode)
  q.max_len = max_events(base .. "meta", max_len)
  QUEUES[base] = q
  return q
end

-- For the workers: what was put in line, and the first delayed job; and trims the events.
local function wake_queues()
  for _, q in pairs(QUEUES) do
    if q.has_ready and not is_blocked(q.is_paused, q.concurrency, q.active) then
      redis.call("ZADD", q.marker, 0, "0")
    end
    if q.has_delayed then mark_delayed(q.marker, q.delayed) end
    redis.call("XTRIM", q.events, "MAXLEN", "~", q.max_len)
  end
end
