-- Look after parents that wait for children: one whose children have all ended, or are gone, gets
-- what each of them should have told it. At most 100 parents a call, each decided alone.
--
-- keys:    base waiting_children turn
-- args:    now_ms longest_ms skip turn_ms
-- times:   what waits for less than longest_ms is left alone; within turn_ms only who asks first
--          looks, with "" anybody does.
-- returns: {looked_at, repaired ids, ids held by a failed child that says nothing of its parent};
--          looked_at is -1 when it is not the caller's turn. A page is the last if it is short.
-- emits:   waiting or delayed, for a parent that goes on
-- include: lib/parents lib/tree

local PAGE = 100
if turn_ms ~= "" and not redis.call("SET", turn, now_ms, "NX", "PX", turn_ms) then
  return {-1, {}, {}}
end

-- What became of a child: "live", "gone", "held", or a function that tells its parent.
local function fate_of(key, parent_key, id)
  local child, queue = place_of(key, base)
  local own_parent, parent, value, reason =
    unpack(redis.call("HMGET", key, "parentKey", "parent", "returnvalue", "failedReason"))
  if own_parent ~= parent_key then return "gone" end
  local is_json, flags = pcall(cjson.decode, parent or "")
  if not is_json or type(flags) ~= "table" then flags = {} end
  -- Said anew: this parent's id is known, whatever stands in the child.
  local said = cjson.encode({id = id, queueKey = base:sub(1, -2), fpof = flags.fpof == true,
    cpof = flags.cpof == true, idof = flags.idof == true, rdof = flags.rdof == true})
  local now = tonumber(now_ms)
  if redis.call("ZSCORE", queue .. "completed", child) then
    return function() child_completed(key, parent_key, said, value or "null", now) end
  elseif not redis.call("ZSCORE", queue .. "failed", child) then
    return "live"
  elseif not (flags.fpof == true or flags.cpof == true or flags.idof == true
      or flags.rdof == true) then
    return "held"
  end
  return function() child_failed(key, parent_key, said, reason or "", now) end
end

-- Reads only as far as the first child that lives: a healthy parent costs next to nothing.
local function look_at(id)
  local parent_key, cursor, is_held = base .. id, "0", false
  local gone, tell = {}, {}
  repeat
    local page = redis.call("SSCAN", parent_key .. ":dependencies", cursor, "COUNT", 50)
    cursor = page[1]
    for _, key in ipairs(page[2]) do
      local fate = fate_of(key, parent_key, id)
      if fate == "live" then return "live" end
      if fate == "held" then is_held = true
      elseif fate == "gone" then gone[#gone + 1] = key
      else tell[#tell + 1] = fate end
    end
  until cursor == "0"
  call_many("SREM", parent_key .. ":dependencies", gone)
  for _, finish in ipairs(tell) do finish() end
  if has_no_children_left(parent_key) then release_parent(base, id, tonumber(now_ms)) end
  if not redis.call("ZSCORE", waiting_children, id) then return "repaired" end
  return is_held and "held" or "live"
end

local looked_at, repaired, held = 0, {}, {}
local newest = tonumber(now_ms) - tonumber(longest_ms)
local ids = redis.call("ZRANGEBYSCORE", waiting_children, "-inf", string.format("%.0f", newest),
  "LIMIT", skip, PAGE)
for _, id in ipairs(ids) do
  local is_done, fate = pcall(look_at, id)
  if not is_done then redis.log(redis.LOG_WARNING, type(fate) == "table" and fate.err or fate) end
  looked_at = looked_at + 1
  if fate == "repaired" then repaired[#repaired + 1] = id end
  if fate == "held" then held[#held + 1] = id end
end
return {looked_at, repaired, held}
