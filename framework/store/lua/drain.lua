-- Remove what waits in one place, but for the next runs of schedules.
--
-- keys:    base place
-- args:    skip count
-- returns: {how many went, how many of those looked at stay, 1 at the end}. Looks at `count` jobs,
--          1,000 at most, behind the first `skip`.
-- include: lib/sift

local gone, stay, is_end = sift(base, place, tonumber(skip), tonumber(count), tonumber(count),
  function(id) return is_next_run(base, id) end)
return {#gone, stay, is_end and 1 or 0}
