-- Endings that touch no other job: completions without children, parent or deduplication, of which
-- nothing was asked. They take most of a batch, so they are carried out together.
-- include: lib/plain lib/trouble lib/many
-- lazy:    lib/surplus:remove_surplus lib/metrics:count_ended lib/parts:delete_job_keys

-- Takes plain ones out of the active jobs; returns by place which were there. Those that end were
-- mostly taken first, so they stand at the tail, and one look there finds nearly all.
local function leave_active(plain, place_of)
  local has_left, strangers = {}, nil
  local last = redis.call("RPOP", active, #plain) or {}
  for n = #last, 1, -1 do
    local place = place_of[last[n]]
    if place and not has_left[place] then
      has_left[place] = true
    else
      strangers = strangers or {}
      strangers[#strangers + 1] = last[n]
    end
  end
  if not strangers and #last == #plain then return has_left end
  call_many("RPUSH", active, strangers or {})
  for _, place in ipairs(plain) do
    has_left[place] = has_left[place] or redis.call("LREM", active, -1, ids[place]) > 0
  end
  return has_left
end

local function complete_plain(plain, first, has_left, attempts, codes)
  for n = first, #plain do
    local place = plain[n]
    if has_left[place] then
      local text = texts[place]
      if keep_of[place] ~= "" then
        redis.call("HSET", jobs[place], "atm", attempts[place], "returnvalue", text,
          "finishedOn", now_ms)
      end
      redis.call("XADD", events, "*", "event", "completed", "jobId", ids[place],
        "returnvalue", text, "prev", "active")
    end
    codes[place] = has_left[place] and 0 or -3
  end
end

-- Adds what has ended to its set, or deletes it, and removes what is not to be kept any more.
-- Returns how many have ended.
local function settle_plain(plain, codes)
  local ended, members, unkept, used = 0, {}, nil, nil
  for n = 1, #plain do
    local place = plain[n]
    local keep = keep_of[place]
    if codes[place] == 0 then
      ended = ended + 1
      if keep == "" then
        unkept = unkept or {}
        unkept[#unkept + 1] = jobs[place]
      else
        members[#members + 1], members[#members + 2] = now_ms, ids[place]
      end
      if keep ~= "" and keep ~= "all" then
        used = used or {}
        used[keep] = true
      end
    end
  end
  try(call_many, "ZADD", completed, members)
  if unkept then seldom("delete_job_keys", unkept) end
  if used then
    for keep in pairs(used) do try(seldom, "remove_surplus", keep, base, completed, tonumber(now_ms)) end
  end
  return ended
end

-- Decides those that are plain, and notes their codes; returns how many have ended. What odd keys
-- do to one must not reach the others: it stays active and locked.
local function end_plain(locks, names, codes, has_stalled)
  local plain, place_of, attempts = find_plain(locks)
  if #plain == 0 then return 0 end
  local has_left, first = leave_active(plain, place_of), 1
  repeat
    local is_done, problem = pcall(complete_plain, plain, first, has_left, attempts, codes)
    if not is_done then
      while codes[plain[first]] do first = first + 1 end
      redis.call("LPUSH", active, ids[plain[first]])
      codes[plain[first]] = text_of(problem)
      first = first + 1
    end
  until is_done
  local gone, gone_locks = {}, {}
  for n = 1, #plain do
    local place = plain[n]
    if type(codes[place]) == "number" then
      gone[#gone + 1], gone_locks[#gone_locks + 1] = ids[place], names[place + 2]
    end
  end
  if #gone > 0 then
    redis.call("DEL", unpack(gone_locks))
    if has_stalled then redis.call("SREM", stalled, unpack(gone)) end
  end
  local ended = settle_plain(plain, codes)
  if ended > 0 and metrics ~= "0" then
    try(seldom, "count_ended", {base = base, metrics = tonumber(metrics)}, "completed", ended, now_ms)
  end
  return ended
end
