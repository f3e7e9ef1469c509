-- Put new jobs in line that hang on others: with a deduplication id, a parent, or children. Each
-- parcel is added whole or, where a parent refuses, not at all.
--
-- keys:    lane
-- args:    sequence lane_ms now_ms ...
-- rest:    parcels, each `count` jobs in groups of those that differ in id and data alone:
--          count, then: size base name opts timestamp delay_ms priority lifo waits de parent_key
--          parent, then `job_id data` of each. job_id is "" for counted ids; waits is 1 for a job
--          whose children follow it; de is the JSON of its deduplication, or "".
--          At most 10,000 jobs.
-- returns: {ids, places of those whose id was there or taken, refusals}: an id is "" where it is
--          the one that was asked for; a refusal is the place of a job, then -5 its parent is not
--          there, -7 it is there and has another parent, or is above this one.
--          {} when a later call was served on this lane.
-- emits:   added, then waiting, delayed or waiting-children; duplicated, deduplicated, removed;
--          waiting or delayed for a parent
-- include: lib/lanes lib/queues lib/new_job lib/claim lib/adopt lib/removal

local before = recall(lane, sequence)
if before == nil then return {} end
if before then return {before[2], before[3][1], before[3][2]} end

local MOST_LEVELS = 10000

local function read_parcel(at)
  local jobs, count = {}, tonumber(ARGV[at + 1])
  at = at + 1
  while #jobs < count do
    local size, base, name, opts, timestamp, delay, priority, lifo, waits, de, parent_key, parent =
      unpack(ARGV, at + 1, at + 12)
    at = at + 12
    for _ = 1, tonumber(size) do
      jobs[#jobs + 1] = {base = base, name = name, opts = opts, timestamp = timestamp,
        delay = delay, priority = priority, lifo = lifo == "1", waits = waits == "1",
        de = de ~= "" and cjson.decode(de), parent_key = parent_key, parent = parent,
        id = ARGV[at + 1], data = ARGV[at + 2], key = base .. ARGV[at + 1]}
      at = at + 2
    end
  end
  return jobs, at
end

-- Whether a job stands above another one. `parent_of_job`: what this parcel will write.
local function is_above(key, from, parent_of_job)
  for _ = 1, MOST_LEVELS do
    if from == key then return true end
    from = parent_of_job[from] or redis.call("HGET", from, "parentKey")
    if not from or from == "" then return false end
  end
  return true
end

-- `known`: the parents that are there, or will be.
local function refusal_of(job, known, parent_of_job)
  local parent, key = job.parent_key, job.key
  if parent ~= "" and not known[parent] then
    if redis.call("EXISTS", parent) == 0 then return -5 end
    known[parent] = true
  end
  if job.id == "" then return 0 end
  local name, other = unpack(redis.call("HMGET", key, "name", "parentKey"))
  other = parent_of_job[key] or other or ""
  if parent ~= "" and (name or parent_of_job[key]) then
    local is_others = other ~= "" and other ~= parent
      and (known[other] or redis.call("EXISTS", other) == 1)
    if is_others or is_above(key, parent, parent_of_job) then return -7 end
  end
  known[key] = true
  parent_of_job[key] = parent ~= "" and parent or other
  return 0
end

local function check(jobs)
  local known, parent_of_job = {}, {}
  for place, job in ipairs(jobs) do
    local code = refusal_of(job, known, parent_of_job)
    if code ~= 0 then return code, place end
  end
  return 0
end

-- Returns the id, and whether another job stands in for this one.
local function add_one(job)
  local q = queue_at(job.base)
  local counted = redis.call("INCR", job.base .. "id")
  if job.id == "" then
    job.id = string.format("%.0f", counted)
    job.key = job.base .. job.id
  elseif redis.call("EXISTS", job.key) == 1 then
    if job.parent_key ~= "" then adopt(q, job) end
    redis.call("XADD", q.events, "*", "event", "duplicated", "jobId", job.id)
    return job.id, true
  end
  if job.de then
    local holder = claim_dedup(q, job)
    if holder then return holder, true end
    job.deid = job.de.id
  end
  store_job(q, job)
  if job.waits then
    redis.call("ZADD", q.waiting_children, job.timestamp, job.id)
    redis.call("XADD", q.events, "*", "event", "waiting-children", "jobId", job.id)
  else
    line_up_job(q, job)
  end
  if job.parent_key ~= "" then tie(job) end
  return job.id, false
end

local ids, there, refusals, at = {}, {}, {}, rest
while at < #ARGV do
  local jobs
  jobs, at = read_parcel(at)
  local code, place = check(jobs)
  local first, parents = #ids, {}
  if code ~= 0 then
    refusals[#refusals + 1], refusals[#refusals + 2] = first + place, code
  end
  for n, job in ipairs(jobs) do
    ids[first + n] = ""
    if code == 0 then
      local asked, id, is_there = job.id, add_one(job)
      if id ~= asked then ids[first + n] = id end
      if is_there then there[#there + 1] = first + n end
      if job.parent_key ~= "" then parents[job.parent_key] = job.parent end
    end
  end
  release_free_parents(parents, tonumber(now_ms))
end
wake_queues()
remember(lane, lane_ms, sequence, ids, {there, refusals})
return {ids, there, refusals}
