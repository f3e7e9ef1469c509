-- Which endings are plain: completions that touch no other job.
-- include: lib/endings

-- One look at all: returns whether any completed job has children (then each is looked at), and
-- whether there may be any stalled or delayed jobs.
local function look_around()
  local keys, count = {}, 0
  for place = 1, #ids do
    if not others[place] then
      keys[count + 1] = jobs[place] .. ":dependencies"
      keys[count + 2] = jobs[place] .. ":unsuccessful"
      count = count + 2
    end
  end
  keys[count + 1], keys[count + 2] = stalled, delayed
  if redis.call("EXISTS", unpack(keys)) == 0 then return false, false end
  keys[count + 1], keys[count + 2] = nil, nil
  return count > 0 and redis.call("EXISTS", unpack(keys)) > 0, true
end

-- Returns the places of those that are plain, the place of each id, and how many attempts each has
-- made now. An id that stands twice counts once.
--
-- A job that was new when it was taken, and has got no field since, has no parent and no
-- deduplication id either: none of its first fields is ever removed.
local function find_plain(locks)
  local plain, place_of, attempts, count = {}, {}, {}, 0
  local new_size = name == "" and 8 or 9
  for place = 1, #ids do
    local id, job = ids[place], jobs[place]
    if locks[place + 2] == tokens[place] and not others[place] and not place_of[id] then
      local found, parent_key, dedup_id, made = true, nil, nil, nil
      if not were_new[place] or redis.pcall("HLEN", job) ~= new_size then
        found, parent_key, dedup_id, made =
          unpack(redis.pcall("HMGET", job, "name", "parentKey", "deid", "atm"))
      end
      if found and not parent_key and not dedup_id then
        count = count + 1
        plain[count], place_of[id] = place, place
        attempts[place] = made and (tonumber(made) or 0) + 1 or "1"
      end
    end
  end
  return plain, place_of, attempts
end
