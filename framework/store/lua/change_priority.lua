-- Give a job another priority; if it waits, move it to where that belongs.
--
-- keys:    base wait paused active prioritized meta marker pc
-- args:    job_id priority lifo
-- returns: 0 done, -1 no job
-- include: lib/back_in_line

local job = base .. job_id
local q = {wait = wait, paused = paused, active = active, prioritized = prioritized,
  meta = meta, marker = marker, pc = pc}
if redis.call("EXISTS", job) == 0 then return -1 end
if redis.call("ZREM", prioritized, job_id) == 1 or redis.call("LREM", wait, -1, job_id) == 1
    or redis.call("LREM", paused, -1, job_id) == 1 then
  if lifo == "1" and priority ~= "0" then
    front_prioritized(prioritized, job_id, tonumber(priority))
  else
    line_up(q, job_id, tonumber(priority), lifo == "1")
  end
end
redis.call("HSET", job, "priority", priority)
return 0
