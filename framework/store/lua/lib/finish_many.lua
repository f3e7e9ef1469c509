-- Deciding a batch of outcomes, each alone, and doing once what is done once.
-- include: lib/finish lib/plain_endings lib/retention lib/metrics lib/hold

local WIDTHS = {c = 5, f = 7, q = 10, r = 6, d = 6, g = 3, k = 6, m = 4, w = 4, l = 4}

-- Reads the records: kind, id, token, then what the kind needs (see exchange.lua).
local function read_runs(at, keeps)
  local runs = {}
  while at < #ARGV do
    local kind, id, token, text, fifth, sixth, seventh = unpack(ARGV, at + 1, at + WIDTHS[ARGV[at + 1]])
    local run = {kind = kind, id = id, token = token, text = text}
    if kind == "c" then
      run.keep = keeps[tonumber(fifth)]
    else
      run.stack, run.extra = fifth, sixth
      if kind == "f" then run.keep = keeps[tonumber(seventh)] end
      if kind == "q" then
        run.kind, run.keep = "f", keeps[tonumber(ARGV[at + 10])]
        run.crash = {seventh, ARGV[at + 8], ARGV[at + 9]}
      end
    end
    run.is_kept = run.keep and run.keep[1] ~= 0
    runs[#runs + 1] = run
    at = at + WIDTHS[kind]
  end
  return runs
end

local APPLY = {c = complete_job, f = fail_job, r = retry_job, d = back_off, g = give_back,
  k = give_back_crashed, m = park_until, w = park_for_children, l = park_for_limit}

-- Which endings put a job before all others.
local TO_FRONT = {g = true, k = true, w = true, l = true}

-- Why a run is to fail whatever it led to, or nothing: it was cancelled, and Redis heard of that
-- before it heard how the run ended. That it failed for good stands.
local function cancelled_by(q, run, job, lock)
  if not q.asks or run.kind == "f" or lock ~= run.token then return nil end
  return redis.call("HGET", job, "fw.cancelled") or nil
end

-- What was asked of a run that has ended. A job that goes on may have to be held.
local function answer_asks(q, run, job, now_ms)
  if run.kind == "f" then
    if run.is_kept then redis.call("HDEL", job, "fw.cancelled", "fw.held") end
  elseif run.kind ~= "c" then
    hold_if_asked(q, job, run.id, now_ms, TO_FRONT[run.kind])
  end
end

local function text_of(problem)
  return type(problem) == "table" and problem.err or tostring(problem)
end

-- Does what the ended jobs do not depend on: odd keys of others must not undo them.
local function try(action, ...)
  local is_done, problem = pcall(action, ...)
  if not is_done then redis.log(redis.LOG_WARNING, text_of(problem)) end
end

-- Adds what ended for good to its set, or deletes it, and lets retention work once a set.
local function settle(q, ended, now_ms, target)
  local members, unkept, used = {}, {}, {}
  for _, run in ipairs(ended) do
    if run.is_kept then
      members[#members + 1], members[#members + 2] = now_ms, run.id
      used[run.keep] = true
    else
      unkept[#unkept + 1] = q.base .. run.id
      try(leave_parent, q.base .. run.id)
    end
  end
  try(call_many, "ZADD", target, members)
  delete_job_keys(unkept)
  for keep in pairs(used) do
    try(apply_retention, q.base, target, tonumber(now_ms), unpack(keep))
  end
end

-- Decides one run and carries it out; returns its code. Notes in `run` how far it came.
local function end_one(q, run, lock, now_ms)
  local job = q.base .. run.id
  if run.facts then
    if not run.has_left then return -3 end
    complete_job(q, run, job, run.facts, now_ms)
    return 0
  end
  local facts = redis.call("HMGET", job, "processedOn", "parentKey", "deid", "atm", "parent",
    "priority")
  local reason = cancelled_by(q, run, job, lock)
  if reason then return {-22, reason} end
  local code = refusal_of(run, facts, lock, q.base)
  -- Of a job that was removed while it ran neither a lock nor its place stays.
  if code ~= 0 and not (code == -1 and lock == run.token) then return code end
  run.is_leaving = true
  run.has_left = redis.call("LREM", q.active, -1, run.id) > 0
  if code == 0 and not run.has_left then code = -3 end
  if code == 0 then APPLY[run.kind](q, run, job, facts, now_ms) end
  if code == 0 and q.asks then answer_asks(q, run, job, now_ms) end
  return code
end

-- What odd keys of one job do to its end must not reach the others: it stays active and locked.
-- An error that any job would meet is none of its own.
local function end_alone(q, run, lock, now_ms)
  local is_done, code = pcall(end_one, q, run, lock, now_ms)
  if is_done then return code end
  if run.is_leaving and not run.has_left then error(code) end
  if run.has_left then redis.call("LPUSH", q.active, run.id) end
  run.is_leaving = false
  return text_of(code)
end

-- Returns a code for each run (a text: the error that kept it from ending; {-22, reason}: it was
-- cancelled), whether any was delayed, whether any ended for good, and whether any limited the queue's rate.
local function finish_many(q, runs, now_ms)
  local codes, locks, done_locks, done_ids = {}, {}, {}, {}
  local ended, seen = {c = {}, f = {}}, {}
  for i, run in ipairs(runs) do locks[i] = q.base .. run.id .. ":lock" end
  local held = redis.call("MGET", unpack(locks))
  local may_wait = look_for_children(q.base, runs)
  if not may_wait and not q.asks then begin_plain(q, runs, held) end
  for i, run in ipairs(runs) do
    local code = end_alone(q, run, held[i], now_ms)
    codes[i] = code
    if run.is_leaving then
      done_locks[#done_locks + 1], done_ids[#done_ids + 1] = locks[i], run.id
    end
    if code == 0 then
      if ended[run.kind] then table.insert(ended[run.kind], run) end
      seen[run.kind] = true
    end
  end
  if #done_locks > 0 then
    redis.call("DEL", unpack(done_locks))
    redis.call("SREM", q.stalled, unpack(done_ids))
  end
  try(count_ended, q, "completed", #ended.c, now_ms)
  try(count_ended, q, "failed", #ended.f, now_ms)
  settle(q, ended.c, now_ms, q.completed)
  settle(q, ended.f, now_ms, q.failed)
  return codes, seen.d or seen.m or seen.k, #ended.c + #ended.f > 0, seen.l
end
