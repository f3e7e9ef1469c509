-- The runs of a schedule: when one is due, and putting it in line.
-- include: lib/queue lib/delayed lib/line

local function whole(number)
  return string.format("%.0f", number)
end

-- Returns when the run after `prev` (nil: the first) is due, and how far that is behind a whole
-- multiple of `every`. Runs that were missed are left out.
local function next_slot(prev, every, now, offset, start)
  local slot = math.floor(now / every) * every + offset
  local due
  if prev then
    due = prev + every
    if due < now then due = slot > now and slot or slot + every end
  elseif start then
    due = math.max(start, now)
  elseif offset > 0 then
    due = slot > now and slot or slot + every
  else
    due = now
  end
  if offset == 0 then offset = due % every end
  return due, offset
end

-- Stores a run and puts it in line. `opts` is a JSON text that ends within the member `repeat`;
-- `quoted` is the beginning of the job's id as it stands in JSON.
local function line_up_run(q, run)
  local is_paused, mode, concurrency, max_len = unpack(redis.call("HMGET", q.meta, "paused",
    "x-fw.pause", "concurrency", "opts.maxLenEvents"))
  local id = "repeat:" .. run.scheduler .. ":" .. whole(run.due)
  local delay = math.max(0, run.due - run.now)
  local opts = run.opts .. '},"delay":' .. whole(delay) .. ',"jobId":"' .. run.quoted
    .. whole(run.due) .. '"}'
  redis.call("INCR", q.id)
  redis.call("HSET", q.base .. id, "name", run.name, "data", run.data, "opts", opts, "timestamp",
    whole(run.now), "delay", whole(delay), "priority", run.priority, "rjk", run.scheduler)
  redis.call("XADD", q.events, "*", "event", "added", "jobId", id, "name", run.name)
  if delay > 0 then
    add_delayed(q.delayed, id, run.due)
    redis.call("XADD", q.events, "*", "event", "delayed", "jobId", id, "delay", whole(run.due))
    mark_delayed(q.marker, q.delayed)
  else
    if run.priority ~= "0" then
      add_prioritized(q.prioritized, q.pc, id, tonumber(run.priority))
    else
      redis.call(run.push, line_of(q.wait, q.paused, is_paused, mode), id)
    end
    redis.call("XADD", q.events, "*", "event", "waiting", "jobId", id)
    if not is_blocked(is_paused, concurrency, q.active) then
      redis.call("ZADD", q.marker, 0, "0")
    end
  end
  redis.call("XTRIM", q.events, "MAXLEN", "~", max_events(q.meta, max_len))
  return id, whole(delay)
end
