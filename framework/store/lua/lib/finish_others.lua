-- Deciding endings that are not plain, each alone, and doing once what is done once.
-- include: lib/finish lib/trouble lib/retention lib/metrics lib/hold

local APPLY = {c = complete_job, f = fail_job, r = retry_job, d = back_off, g = give_back,
  k = give_back_crashed, s = stall, m = park_until, w = park_for_children, l = park_for_limit}

-- Which endings put a job before all others.
local TO_FRONT = {g = true, k = true, s = true, w = true, l = true}

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
    if keep ~= "all" then try(retain_as, keep, q.base, target, tonumber(now_ms)) end
  end
end

-- Decides one run and carries it out; returns its code. Notes in `run` how far it came.
local function end_one(q, run, lock, now_ms)
  local job = q.base .. run.id
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

-- Decides all that have no code yet, and notes theirs (a text: the error that kept it from ending;
-- {-22, reason}: it was cancelled). Returns whether any was delayed, how many ended for good, and
-- whether any limited the queue's rate.
local function finish_others(q, locks, names, may_wait, codes, now_ms)
  local done_locks, done_ids, ended, seen = {}, {}, {c = {}, f = {}}, {}
  for place, id in ipairs(ids) do
    if not codes[place] then
      local run = others[place] or {kind = "c", id = id, token = tokens[place],
        text = texts[place], keep = keep_of[place], may_wait = may_wait}
      run.is_kept = run.keep and run.keep ~= ""
      codes[place] = end_alone(q, run, locks[place + 2], now_ms)
      if run.is_leaving then
        done_locks[#done_locks + 1], done_ids[#done_ids + 1] = names[place + 2], id
      end
      if codes[place] == 0 then
        if ended[run.kind] then table.insert(ended[run.kind], run) end
        seen[run.kind] = true
      end
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
  return seen.d or seen.m or seen.k, #ended.c + #ended.f, seen.l
end
