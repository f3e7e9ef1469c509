-- What a lane was answered last, so that a call sent twice acts once.

-- Returns the stored answer {seq, a, b} when this sequence was served before,
-- false when it is new, and nil when a later one was served already.
local function recall(lane, sequence)
  local said = redis.call("GET", lane)
  if not said then return false end
  local answer = cmsgpack.unpack(said)
  local last = tonumber(answer[1])
  if last < tonumber(sequence) then return false end
  if last == tonumber(sequence) then return answer end
  return nil
end

local function remember(lane, lane_ms, sequence, a, b)
  redis.call("SET", lane, cmsgpack.pack({tonumber(sequence), a, b}), "PX", lane_ms)
end
