-- Parcels of jobs that are added whole or not at all: reading them, and refusing one.

local MOST_LEVELS = 10000
local ODD = {string = true, list = true, hash = true, zset = true, stream = true}

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

-- Why a job cannot be added, or 0; reads only. `known`: the parents that are there, or will be.
local function refusal_of(job, known, parent_of_job)
  local parent, key = job.parent_key, job.key
  if parent ~= "" and not known[parent] then
    if redis.call("EXISTS", parent) == 0 then return -5 end
    if ODD[redis.call("TYPE", parent .. ":dependencies").ok] then return -20 end
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
