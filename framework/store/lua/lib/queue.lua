-- What holds for the whole queue: how many events to keep, and where jobs wait.
-- include: lib/blocked

-- A number that Redis would not take counts as the usual one: an error half way loses jobs.
local function max_events(meta, found)
  if found then return found:match("^%d+$") and #found < 19 and found or 10000 end
  redis.call("HSET", meta, "opts.maxLenEvents", 10000)
  return 10000
end

-- The list where jobs without priority wait. With pause mode "v5" a paused queue keeps them in the
-- list `paused`, as BullMQ 5 does.
local function line_of(wait, paused, is_paused, mode)
  return is_paused and mode == "v5" and paused or wait
end
