-- Fail a job where it waits; of one that runs, ask its worker to stop it.
--
-- keys:    base wait paused active prioritized delayed waiting_children completed failed marker
--          meta events pc
-- args:    job_id now_ms reason count age_ms limit young_ms
-- returns: 0 failed, 1 its worker was told, 2 it fails when it would start next; -1 no job,
--          -3 finished. The last four arguments say how long failed jobs are kept.
-- emits:   failed; what its parent and its deduplication lead to
-- include: lib/asks lib/hold lib/finish lib/retention lib/requested lib/metrics

local job = base .. job_id
if redis.call("EXISTS", job) == 0 then return -1 end
if redis.call("ZSCORE", completed, job_id) or redis.call("ZSCORE", failed, job_id) then return -3 end
-- The next run of a schedule must start: that puts the one after it in line.
if is_next_run(base, job_id) then
  return ask(base, meta, job, "fw.cancelled", reason, "defa", reason)
end

local is_paused, mode, concurrency, max_len =
  unpack(redis.call("HMGET", meta, "paused", "x-fw.pause", "concurrency", "opts.maxLenEvents"))
redis.call("XTRIM", events, "MAXLEN", "~", max_events(meta, max_len))
local parent_key, parent, dedup_id =
  unpack(redis.call("HMGET", job, "parentKey", "parent", "deid"))
local q = {base = base, wait = line_of(wait, paused, is_paused, mode), active = active,
  prioritized = prioritized, delayed = delayed, waiting_children = waiting_children, pc = pc,
  events = events, marker = marker, meta = meta}
local _, prev = leave_line(q, job_id, now_ms)
if not prev then
  if not is_taken(job, job_id, active) then return -3 end
  -- Node fails a job with `defa` when it starts it; ours knows its own field first.
  return ask(base, meta, job, "fw.cancelled", reason, "defa", reason)
end

-- It has left the line: odd keys of others must not keep it from where it belongs.
if dedup_id then pcall(release_dedup, q, job_id, dedup_id, now_ms) end
if parent_key then pcall(child_failed, job, parent_key, parent, reason, tonumber(now_ms)) end
redis.call("XADD", events, "*", "event", "failed", "jobId", job_id, "failedReason", reason,
  "prev", prev)
q.metrics = metrics_kept(base)
pcall(count_ended, q, "failed", 1, now_ms)
if tonumber(count) == 0 then
  pcall(leave_parent, job)
  delete_job_keys({job})
else
  redis.call("HSET", job, "failedReason", reason, "finishedOn", now_ms)
  redis.call("HDEL", job, "defa", "fw.cancelled", "fw.held")
  redis.call("ZADD", failed, now_ms, job_id)
  pcall(apply_retention, base, failed, tonumber(now_ms), tonumber(count), tonumber(age_ms),
    tonumber(limit), tonumber(young_ms))
end
-- A payload that waited behind this job by its deduplication.
if q.has_ready and not is_blocked(is_paused, concurrency, active) then
  redis.call("ZADD", marker, 0, "0")
end
return 0
