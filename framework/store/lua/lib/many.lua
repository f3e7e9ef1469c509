-- Commands that take many values.

-- At most 7,000 values fit into one unpack.
local function call_many(command, key, ids)
  for first = 1, #ids, 5000 do
    redis.call(command, key, unpack(ids, first, math.min(first + 4999, #ids)))
  end
end
