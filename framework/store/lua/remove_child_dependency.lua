-- Part a child from its parent, which no longer waits for it. Both stay.
--
-- keys:    base
-- args:    job_id
-- returns: 0 done, 1 no parent waits for it, -1 no job, -5 its parent is gone
-- emits:   waiting, for a parent that waited for it alone
-- include: lib/removal

local job = base .. job_id
if redis.call("EXISTS", job) == 0 then return -1 end
local parent_key, parent = unpack(redis.call("HMGET", job, "parentKey", "parent"))
if not parent_key then return 1 end
if redis.call("EXISTS", parent_key) == 0 then return -5 end
if redis.call("SISMEMBER", parent_key .. ":dependencies", job) == 0 then return 1 end
local id, queue = part_from(parent_key, parent, job)
if id then release_parent_to_front(queue, id) end
redis.call("HDEL", job, "parentKey", "parent")
return 0
