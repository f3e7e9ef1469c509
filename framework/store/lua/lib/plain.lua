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

-- How many fields the hash of a job has that was new when it was taken, and got none since: none
-- of the first ones is ever removed, so it has no parent and no deduplication id either.
local new_size = name == "" and 8 or 9

-- Returns how many attempts a job has made now if it is plain, else nothing.
local function plain_attempts(place)
  local job = jobs[place]
  if were_new[place] and redis.pcall("HLEN", job) == new_size then return "1" end
  local found, parent_key, dedup_id, made =
    unpack(redis.pcall("HMGET", job, "name", "parentKey", "deid", "atm"))
  if not found or parent_key or dedup_id then return nil end
  return made and (tonumber(made) or 0) + 1 or "1"
end

-- Returns the places of those that are plain, the place of each id, and how many attempts each has
-- made now. An id that stands twice counts once.
local function find_plain(locks)
  local plain, place_of, attempts, count = {}, {}, {}, 0
  for place = 1, #ids do
    local id = ids[place]
    if locks[place + 2] == tokens[place] and not others[place] and not place_of[id] then
      local made = plain_attempts(place)
      if made then
        count = count + 1
        plain[count], place_of[id], attempts[place] = place, place, made
      end
    end
  end
  return plain, place_of, attempts
end
