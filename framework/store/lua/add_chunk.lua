-- Append a chunk to what a running job streams, only for the worker that holds its lock.
--
-- keys:    base
-- args:    job_id token attempt data most lifetime_ms
-- returns: which chunk of the job it is, from 0; -1 no job, -2 no lock, -6 another worker's lock

local job = base .. job_id
if redis.call("EXISTS", job) == 0 then return -1 end
local holder = redis.call("GET", job .. ":lock")
if not holder then return -2 end
if holder ~= token then return -6 end
local index = redis.call("HINCRBY", job, "fw.chunks", 1) - 1
local chunks = job .. ":chunks"
redis.call("XADD", chunks, "MAXLEN", "~", most, "*", "index", index, "attempt", attempt, "data", data)
redis.call("PEXPIRE", chunks, lifetime_ms)
return index
