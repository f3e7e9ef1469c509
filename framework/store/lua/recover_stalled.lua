-- Put jobs back in line whose worker vanished: active at the last check, and without a lock now.
-- Once an interval and queue, whoever asks first. One that stalled more than max_stalled times, which
-- is -1 where there is no limit, fails once it would start.
--
-- keys:    base wait paused active stalled stalled_check meta events marker
-- args:    now_ms interval_ms max_stalled
-- returns: the ids put back. Looks at every active job.
-- emits:   waiting, stalled
-- include: lib/queue lib/line

if not redis.call("SET", stalled_check, now_ms, "NX", "PX", interval_ms) then return {} end
local is_paused, mode, concurrency, max_len =
  unpack(redis.call("HMGET", meta, "paused", "x-fw.pause", "concurrency", "opts.maxLenEvents"))
local line = line_of(wait, paused, is_paused, mode)
redis.call("XTRIM", events, "MAXLEN", "~", max_events(meta, max_len))

local most = tonumber(max_stalled)
local suspects, recovered = redis.call("SMEMBERS", stalled), {}
redis.call("DEL", stalled)
for _, job_id in ipairs(suspects) do
  local job = base .. job_id
  if redis.call("EXISTS", job .. ":lock") == 0 and redis.call("LREM", active, 1, job_id) > 0
      and redis.call("EXISTS", job) == 1 then
    -- What is odd about it must not keep it, or those after it, out of the line.
    local stalls = redis.pcall("HINCRBY", job, "stc", 1)
    if most >= 0 and type(stalls) == "number" and stalls > most then
      redis.call("HSET", job, "defa", "job stalled more than allowable limit")
    end
    redis.pcall("HINCRBY", job, "fw.crashes", 1)
    redis.call("RPUSH", line, job_id)
    redis.call("XADD", events, "*", "event", "waiting", "jobId", job_id, "prev", "active")
    redis.call("XADD", events, "*", "event", "stalled", "jobId", job_id)
    recovered[#recovered + 1] = job_id
  end
end
if #recovered > 0 and not is_blocked(is_paused, concurrency, active) then
  redis.call("ZADD", marker, 0, "0")
end
call_many("SADD", stalled, redis.call("LRANGE", active, 0, -1))
return recovered
