-- Tell which of many jobs have finished, and how.
--
-- keys:    base completed failed
-- args:    ...
-- rest:    job ids, at most 1,000
-- returns: for each {0} not yet, {-1} no such job, {1, returnvalue}, {2, reason, stacktrace}

local answers = {}
for at = rest + 1, #ARGV do
  local job = base .. ARGV[at]
  local answer = {0}
  if redis.call("ZSCORE", completed, ARGV[at]) then
    answer = {1, redis.call("HGET", job, "returnvalue") or "null"}
  elseif redis.call("ZSCORE", failed, ARGV[at]) then
    local told = redis.call("HMGET", job, "failedReason", "stacktrace")
    answer = {2, told[1] or "", told[2] or "[]"}
  elseif redis.call("EXISTS", job) == 0 then
    answer = {-1}
  end
  answers[#answers + 1] = answer
end
return answers
