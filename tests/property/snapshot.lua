-- Everything below a pattern, in one look; of streams only what was added after an id.
--
-- ARGV:    pattern, then for each stream: key, id
-- returns: for each key {key, type, value, pttl}

local after = {}
for at = 2, #ARGV, 2 do after[ARGV[at]] = ARGV[at + 1] end

local readers = {
  string = function(key) return redis.call("GET", key) end,
  list = function(key) return redis.call("LRANGE", key, 0, -1) end,
  set = function(key) return redis.call("SMEMBERS", key) end,
  hash = function(key) return redis.call("HGETALL", key) end,
  zset = function(key) return redis.call("ZRANGE", key, 0, -1, "WITHSCORES") end,
  stream = function(key) return redis.call("XRANGE", key, "(" .. (after[key] or "0-0"), "+") end,
}

local seen = {}
for _, key in ipairs(redis.call("KEYS", ARGV[1])) do
  local kind = redis.call("TYPE", key).ok
  seen[#seen + 1] = {key, kind, readers[kind](key), redis.call("PTTL", key)}
end
return seen
