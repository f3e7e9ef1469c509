-- The short way of `exchange`: at most one job has ended, plainly, and one at most is there to take, or
-- wanted. Most calls of a worker that has little to do, or one slot, are such. The long way makes
-- many more functions and tables than that needs, and Redis mostly wakes up for it, with cold caches.
--
-- All that could stand against it is looked at before anything is written; if anything does, the long way
-- is gone. Both leave the same and answer the same.
-- include: lib/lanes lib/as_new
-- lazy:    lib/surplus:remove_surplus

repeat
  local kind, keep, many, id, holder, text = unpack(ARGV, rest + 1, rest + 6)
  local has_ended = #ARGV == rest + 6 and kind == "n" and many == "1" and keep ~= ""
  if kind and not has_ended or want == "0" or limit_max ~= "" or metrics ~= "0" then break end
  local job = has_ended and base .. id
  local said, is_fenced, lock = unpack(has_ended and redis.call("MGET", lane, fenced, job .. ":lock")
    or redis.call("MGET", lane, fenced))
  if is_fenced or has_ended and lock ~= holder or answered(said, sequence) ~= false then break end
  local paused, concurrency, max, limited, asks, max_len = unpack(redis.pcall("HMGET", meta,
    "paused", "concurrency", "max", "x-fw.limited", "x-fw.asks", "opts.maxLenEvents"))
  if paused or concurrency or max or asks then break end
  if limited and (tonumber(limited) or math.huge) > tonumber(now_ms) then break end
  if not max_len or #max_len > 18 or max_len:find("%D") then break end
  if has_ended then
    if redis.pcall("HLEN", job) ~= (name == "" and 8 or 9) or redis.call("EXISTS", delayed, prioritized,
        base .. "pc", stalled, job .. ":dependencies", job .. ":unsuccessful") > 0 then break end
  elseif redis.call("EXISTS", delayed, prioritized, base .. "pc") > 0 then break end
  local line = redis.pcall("LRANGE", wait, "-2", "-1")
  if line.err or want ~= "1" and #line == 2 then break end
  local other = line[#line]
  local fields = other and other:sub(1, 2) ~= "0:" and as_new(redis.pcall("HGETALL", base .. other))
  if other and not fields then break end

  if has_ended then
    if redis.pcall("LREM", active, "-1", id) ~= 1 then break end
    if type(redis.pcall("XADD", events, "*", "event", "completed", "jobId", id, "returnvalue", text,
        "prev", "active")) == "table" then
      redis.call("RPUSH", active, id)
      break
    end
    redis.call("HSET", job, "atm", "1", "returnvalue", text, "finishedOn", now_ms)
    redis.call("DEL", job .. ":lock")
    redis.pcall("ZADD", completed, now_ms, id)
    if keep ~= "all" then pcall(seldom, "remove_surplus", keep, base, completed, tonumber(now_ms)) end
  end
  if other then
    if type(redis.pcall("LMOVE", wait, active, "RIGHT", "LEFT")) == "table" then break end
    if type(redis.pcall("XADD", events, "*", "event", "active", "jobId", other, "prev", "waiting"))
        == "table" then
      redis.call("LMOVE", active, wait, "LEFT", "RIGHT")
      break
    end
    local number = tonumber(next_token)
    redis.call("SET", base .. other .. ":lock", number and token .. string.format("%d", number) or token,
      "PX", lock_ms)
    if name == "" then
      redis.call("HSET", base .. other, "processedOn", now_ms, "ats", "1")
    else
      redis.call("HSET", base .. other, "processedOn", now_ms, "ats", "1", "pb", name)
    end
  end
  -- One in ten trims: events go a hundred at a time anyway.
  if sequence:sub(-1) == "1" then redis.pcall("XTRIM", events, "MAXLEN", "~", max_len) end
  if #line == 2 then
    redis.pcall("ZADD", marker, "0", "0")
  else
    redis.pcall("ZREM", marker, "0")
  end
  local drained = has_ended and not other and redis.call("LLEN", active) == 0
  if drained then redis.call("XADD", events, "*", "event", "drained") end
  remember(lane, lane_ms, sequence, {{}, {other}})
  if want == "1" and other then return {{other}, {fields}} end
  return {{}, {other}, {fields or nil}, 0, "0", 0, drained and 1 or 0, 0}
until true
