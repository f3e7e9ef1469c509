-- Taking jobs out of the line.
-- include: lib/many lib/as_new
-- lazy:    lib/other_fetches:look_at lib/other_fetches:push_back

-- Pops at most `most` ids; returns them, by place the scores of those that have a priority, and
-- whether they stand among the active ones already: a lone one takes a shorter way. Entries that
-- begin with "0:" are markers of BullMQ 4 and no jobs.
local function pop_jobs(line, most)
  local popped, scores = {}, {}
  if most == 1 then
    local id = redis.call("LMOVE", line, active, "RIGHT", "LEFT")
    if id and id:sub(1, 2) ~= "0:" then return {id}, scores, true end
    if id then redis.call("LREM", active, 1, id) end
  else
    for _, id in ipairs(redis.call("RPOP", line, most) or popped) do
      if id:sub(1, 2) ~= "0:" then popped[#popped + 1] = id end
    end
    if #popped == most then return popped, scores, false end
  end
  local is_done, scored = pcall(redis.call, "ZPOPMIN", prioritized, most - #popped)
  if not is_done then
    seldom("push_back", line, popped, scores, 1)
    error(scored)
  end
  if #scored == 0 then redis.call("DEL", base .. "pc") end
  for i = 1, #scored, 2 do
    popped[#popped + 1] = scored[i]
    scores[#popped] = scored[i + 1]
  end
  return popped, scores, false
end

-- Locks popped jobs and marks them started until they come to max_bytes, and fills `taken`. Returns their fields as they
-- were before, how many count against a rate limit, and the first place that is left.
local function start_jobs(popped, taken, are_active)
  local hashes, uncounted, bytes, count, left = {}, 0, 0, 0, #popped + 1
  local most, number = tonumber(max_bytes), tonumber(next_token)
  for place = 1, #popped do
    local id = popped[place]
    local job = base .. id
    -- What is no hash is no job; the table of its error has no rows.
    local fields = redis.pcall("HGETALL", job)
    if #fields > 0 then
      local size, times, deferred, was_held = 0, "1", false, false
      local values = as_new(fields)
      if values then
        fields = values
        size = #fields[2] + #fields[3]
      else
        size, times, deferred, was_held = seldom("look_at", fields)
      end
      bytes = bytes + size
      if count > 0 and bytes > most then
        left = place
        break
      end
      local holder = number and token .. string.format("%d", number + count) or token
      count = count + 1
      taken[count], hashes[count] = id, fields
      redis.call("SET", job .. ":lock", holder, "PX", lock_ms)
      redis.call("XADD", events, "*", "event", "active", "jobId", id, "prev", "waiting")
      if name == "" then
        redis.call("HSET", job, "processedOn", now_ms, "ats", times)
      else
        redis.call("HSET", job, "processedOn", now_ms, "ats", times, "pb", name)
      end
      if was_held then redis.call("HDEL", job, "fw.held") end
      if deferred then uncounted = uncounted + 1 end
    end
  end
  if not are_active then
    call_many("LPUSH", active, taken)
  elseif count == 0 then
    redis.call("LREM", active, 1, popped[1])
  end
  return hashes, count - uncounted, left
end

-- Takes at most `most` jobs, at least one if there is one, and no more than max_bytes.
-- Ids whose hash is gone, or is none, are dropped. Returns ids, their fields, how many count
-- against a rate limit, and whether this emptied the line. If keys of the queue are odd, all stay
-- in line.
local function take_jobs(line, most)
  local popped, scores, are_active = pop_jobs(line, most)
  local taken = {}
  local is_done, hashes, counted, left = pcall(start_jobs, popped, taken, are_active)
  if not is_done then
    if are_active then redis.call("LREM", active, 1, popped[1]) end
    for _, id in ipairs(taken) do redis.call("DEL", base .. id .. ":lock") end
    seldom("push_back", line, popped, scores, 1)
    error(hashes)
  end
  if left <= #popped then seldom("push_back", line, popped, scores, left) end
  return taken, hashes, counted, #popped < most and left > #popped
end
