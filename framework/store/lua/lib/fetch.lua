-- Taking jobs out of the line. A queue is described by a table `q` of its keys.
-- include: lib/line

-- Entries that begin with "0:" are markers of BullMQ 4 and no jobs.
local function is_job(id)
  return id:sub(1, 2) ~= "0:"
end

-- Puts the entries from `first` on back where they were.
local function push_back(q, entries, first)
  for i = #entries, first, -1 do
    local id, score = entries[i][1], entries[i][2]
    if score then
      redis.call("ZADD", q.prioritized, score, id)
    else
      redis.call("RPUSH", q.wait, id)
    end
  end
end

-- Pops at most `want` entries {id, score}; score is false for those out of `wait`.
local function pop_entries(q, want)
  local entries = {}
  for _, id in ipairs(redis.call("RPOP", q.wait, want) or {}) do
    if is_job(id) then entries[#entries + 1] = {id, false} end
  end
  if #entries == want then return entries end
  local is_done, scored = pcall(redis.call, "ZPOPMIN", q.prioritized, want - #entries)
  if not is_done then
    push_back(q, entries, 1)
    error(scored)
  end
  if #scored == 0 then redis.call("DEL", q.pc) end
  for i = 1, #scored, 2 do entries[#entries + 1] = {scored[i], scored[i + 1]} end
  return entries
end

-- Returns the hash's size in bytes and its attemptsStarted, whether it must fail at once, and
-- whether a peer let a job start that was held.
local function look_at(fields)
  local size, started, deferred, was_held = 0, 0, false, false
  for i = 1, #fields, 2 do
    size = size + #fields[i + 1]
    if fields[i] == "ats" then started = tonumber(fields[i + 1]) or 0
    elseif fields[i] == "defa" then deferred = true
    elseif fields[i] == "fw.held" and fields[i + 1] ~= "asked" then
      was_held, fields[i + 1] = true, ""
    end
  end
  return size, started, deferred, was_held
end

-- Locks one job and marks it started.
local function start_job(q, id, started, token, by)
  local job = q.base .. id
  redis.call("SET", job .. ":lock", token, "PX", by.lock_ms)
  redis.call("XADD", q.events, "*", "event", "active", "jobId", id, "prev", "waiting")
  if by.name == "" then
    redis.call("HSET", job, "processedOn", by.now_ms, "ats", started + 1)
  else
    redis.call("HSET", job, "processedOn", by.now_ms, "ats", started + 1, "pb", by.name)
  end
end

-- Starts the jobs of entries until they come to by.max_bytes, and fills `ids`. Returns their fields as
-- they were before, how many count against a rate limit, and the first entry that is left.
local function start_jobs(q, entries, ids, by)
  local hashes, counted, bytes, left = {}, 0, 0, #entries + 1
  for i, entry in ipairs(entries) do
    local id = entry[1]
    -- What is no hash is no job; the table of its error has no rows.
    local fields = redis.pcall("HGETALL", q.base .. id)
    if #fields > 0 then
      local size, started, deferred, was_held = look_at(fields)
      if #ids > 0 and bytes + size > by.max_bytes then
        left = i
        break
      end
      bytes = bytes + size
      local token = by.next_token and by.token .. (by.next_token + #ids) or by.token
      ids[#ids + 1], hashes[#hashes + 1] = id, fields
      start_job(q, id, started, token, by)
      if was_held then redis.call("HDEL", q.base .. id, "fw.held") end
      if not deferred then counted = counted + 1 end
    end
  end
  call_many("LPUSH", q.active, ids)
  return hashes, counted, left
end

-- Takes at most `want` jobs, at least one if there is one, and no more than by.max_bytes.
-- Ids whose hash is gone, or is none, are dropped. Returns ids, their fields, and how many count
-- against a rate limit. If keys of the queue are odd, all stay in line.
local function take_jobs(q, want, by)
  local entries, ids = pop_entries(q, want), {}
  local is_done, hashes, counted, left = pcall(start_jobs, q, entries, ids, by)
  if not is_done then
    for _, id in ipairs(ids) do redis.call("DEL", q.base .. id .. ":lock") end
    push_back(q, entries, 1)
    error(hashes)
  end
  push_back(q, entries, left)
  return ids, hashes, counted
end
