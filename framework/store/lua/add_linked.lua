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
--          there, -7 it is there and has another parent, or is above this one, -20 a key is not
--          of the type that it should be: what of its parcel was added before stays.
--          {} when a later call was served on this lane.
-- emits:   added, then waiting, delayed or waiting-children; duplicated, deduplicated, removed;
--          waiting or delayed for a parent
-- include: lib/lanes lib/queues lib/parcels lib/new_job lib/claim lib/adopt

local before = answered(redis.call("GET", lane), sequence)
if before == nil then return {} end
if before then return before end

local ids, there, refusals = {}, {}, {}

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

local function add_all(jobs, first)
  local parents = {}
  for n, job in ipairs(jobs) do
    local asked, id, is_there = job.id, add_one(job)
    if id ~= asked then ids[first + n] = id end
    if is_there then there[#there + 1] = first + n end
    if job.parent_key ~= "" then parents[job.parent_key] = job.parent end
  end
  release_free_parents(parents, tonumber(now_ms))
end

-- What odd keys of one parcel do must not reach the others.
local function try(action, ...)
  local is_done, code, place = pcall(action, ...)
  if is_done then return code or 0, place end
  local text = type(code) == "table" and code.err or tostring(code)
  if not text:find("WRONGTYPE", 1, true) then error(code) end
  redis.log(redis.LOG_WARNING, text)
  return -20, 1
end

local at = rest
while at < #ARGV do
  local jobs
  jobs, at = read_parcel(at)
  local first = #ids
  for n = 1, #jobs do ids[first + n] = "" end
  local code, place = try(check, jobs)
  if code == 0 then code, place = try(add_all, jobs, first) end
  if code ~= 0 then
    refusals[#refusals + 1], refusals[#refusals + 2] = first + place, code
  end
end
wake_queues()
remember(lane, lane_ms, sequence, {ids, there, refusals})
return {ids, there, refusals}
