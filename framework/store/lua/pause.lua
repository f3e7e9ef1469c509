-- Let no worker take a job of this queue; running ones go on.
--
-- keys:    meta marker events
-- returns: 0
-- emits:   paused

redis.call("HSET", meta, "paused", 1)
redis.call("DEL", marker)
redis.call("XADD", events, "*", "event", "paused")
return 0
