-- Going through what waits, part by part, and removing what need not stay.
-- include: lib/requested

-- Looks at `count` ids behind the first `skip`: of a list from its tail, of a sorted set from its
-- lowest score. Removes those that `stays` does not want, at most `most`.
-- Returns the ids that went, how many stay, and whether this was the end.
local function sift(base, place, skip, count, most, stays)
  local is_list = redis.call("TYPE", place).ok == "list"
  local ids = is_list and redis.call("LRANGE", place, -skip - count, -skip - 1)
    or redis.call("ZRANGE", place, skip, skip + count - 1)
  local first, last, step = 1, #ids, 1
  if is_list then first, last, step = #ids, 1, -1 end
  local gone, seen = {}, 0
  for n = first, last, step do
    if #gone == most then break end
    seen = seen + 1
    if not stays(ids[n]) then
      gone[#gone + 1] = ids[n]
      if is_list then redis.call("LSET", place, -skip - seen, "") end
    end
  end
  if is_list and #gone > 0 then
    redis.call("LREM", place, -#gone, "")
  else
    call_many("ZREM", place, gone)
  end
  for _, id in ipairs(gone) do remove_for_good(base, id) end
  return gone, seen - #gone, seen < count
end
