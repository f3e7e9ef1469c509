-- What a lane was answered last, so that a call sent twice acts once.

-- Returns the stored answer {seq, a, b} when this sequence was served before,
-- false when it is new, and nil when a later one was served already.
local function answered(said, sequence)
  if not said then return false end
  local answer = cmsgpack.unpack(said)
  local last = tonumber(answer[1])
  if last < tonumber(sequence) then return false end
  if last == tonumber(sequence) then return answer end
  return nil
end

local function recall(lane, sequence)
  return answered(redis.call("GET", lane), sequence)
end

-- As `recall`, but nil whatever the lane was answered, if the caller is fenced off: it has died.
local function recall_unless(fenced, lane, sequence)
  local said, is_fenced = unpack(redis.call("MGET", lane, fenced))
  if is_fenced then return nil end
  return answered(said, sequence)
end

local function remember(lane, lane_ms, sequence, a, b)
  redis.call("SET", lane, cmsgpack.pack({tonumber(sequence), a, b}), "PX", lane_ms)
end
