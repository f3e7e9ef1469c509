-- Adding jobs that do not just go to the end of the line.
-- include: lib/delayed lib/line

-- Returns what puts a stored job where its options say.
local function other_adder()
  return function(line, job_id, due, priority, lifo)
    if due then
      add_delayed(base .. "delayed", job_id, due)
      redis.call("XADD", events, "*", "event", "delayed", "jobId", job_id,
        "delay", string.format("%.0f", due))
      return
    end
    if priority ~= "0" then
      add_prioritized(base .. "prioritized", base .. "pc", job_id, tonumber(priority))
    else
      redis.call("RPUSH", line, job_id)
    end
    redis.call("XADD", events, "*", "event", "waiting", "jobId", job_id)
  end
end
