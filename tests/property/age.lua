-- Let time pass for every key that expires: the server's own clock does not move in a test.
--
-- ARGV:    pattern, milliseconds

for _, key in ipairs(redis.call("KEYS", ARGV[1])) do
  local left = redis.call("PTTL", key)
  if left >= 0 then
    if left <= tonumber(ARGV[2]) then
      redis.call("DEL", key)
    else
      redis.call("PEXPIRE", key, left - tonumber(ARGV[2]))
    end
  end
end
