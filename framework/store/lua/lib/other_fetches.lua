-- Taking jobs that are not as most are, and putting back what cannot be taken.

-- Puts what was popped from the place `first` on back where it was.
local function push_back(line, popped, scores, first)
  for place = #popped, first, -1 do
    local id, score = popped[place], scores[place]
    if score then
      redis.call("ZADD", prioritized, score, id)
    else
      redis.call("RPUSH", line, id)
    end
  end
end

-- Returns the hash's size in bytes, how often the job has started now, whether it must fail at once, and
-- whether a peer let a job start that was held.
local function look_at(fields)
  local size, started, deferred, was_held = 0, 0, false, false
  for i = 1, #fields, 2 do
    size = size + #fields[i + 1]
    if fields[i] == "ats" then started = tonumber(fields[i + 1]) or 0
    elseif fields[i] == "defa" then deferred = true
    elseif fields[i] == "fw.held" and fields[i + 1] ~= "asked" then
      was_held, fields[i + 1] = true, ""
    end
  end
  return size, started + 1, deferred, was_held
end
