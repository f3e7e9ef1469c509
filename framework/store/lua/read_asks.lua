-- Tell a worker what is asked of the jobs that it runs, and take back its wake-up.
--
-- keys:    base meta calls
-- args:    ...
-- rest:    job ids, at most 1,000
-- returns: for each of which anything is asked: id, why it is cancelled or "", `fw.held` or ""
-- include: lib/asks

redis.call("DEL", calls)
local asked = {}
if redis.call("HEXISTS", meta, ASKS) == 0 then return asked end
for at = rest + 1, #ARGV do
  local cancelled, held = unpack(redis.call("HMGET", base .. ARGV[at], "fw.cancelled", "fw.held"))
  if cancelled or held then asked[#asked + 1] = {ARGV[at], cancelled or "", held or ""} end
end
return asked
