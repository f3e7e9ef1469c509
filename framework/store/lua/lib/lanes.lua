-- What a lane was answered last, so that a call sent twice acts once: its sequence, a space, and the
-- answer as MessagePack, which is read only where it is asked for again.

-- Returns the stored answer when this sequence was served before, false when it is new, and
-- nil when a later one was served already.
local function answered(said, sequence)
  if not said then return false end
  local last = said:match("^%d+")
  if last == sequence then return cmsgpack.unpack(said:sub(#last + 2)) end
  if tonumber(last) < tonumber(sequence) then return false end
  return nil
end

local function remember(lane, lane_ms, sequence, answer)
  redis.call("SET", lane, sequence .. " " .. cmsgpack.pack(answer), "PX", lane_ms)
end
