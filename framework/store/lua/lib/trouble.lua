-- Errors that must not undo what is done.

local function text_of(problem)
  return type(problem) == "table" and problem.err or tostring(problem)
end

-- Does what the ended jobs do not depend on: odd keys of others must not undo them.
local function try(action, ...)
  local is_done, problem = pcall(action, ...)
  if not is_done then redis.log(redis.LOG_WARNING, text_of(problem)) end
end
