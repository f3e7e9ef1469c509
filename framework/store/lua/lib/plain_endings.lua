-- Endings that touch no other job: completions without children, parent or deduplication, of which
-- nothing was asked. They take most of a batch, so they leave the active jobs together.
-- include: lib/line

-- One look at all: only if any completed job has children is each looked at.
local function look_for_children(base, runs)
  local keys = {}
  for _, run in ipairs(runs) do
    if run.kind == "c" then
      keys[#keys + 1] = base .. run.id .. ":dependencies"
      keys[#keys + 1] = base .. run.id .. ":unsuccessful"
    end
  end
  if #keys == 0 or redis.call("EXISTS", unpack(keys)) == 0 then return false end
  for _, run in ipairs(runs) do run.may_wait = true end
  return true
end

-- Takes ids out of the active ones; notes in each run whether it was there. Those that end were
-- mostly taken first, so they stand at the tail, and one look there finds nearly all.
local function leave_active(q, runs, by_id)
  local last, others = redis.call("RPOP", q.active, #runs) or {}, {}
  for i = #last, 1, -1 do
    local run = by_id[last[i]]
    if run and not run.has_left then run.has_left = true else others[#others + 1] = last[i] end
  end
  call_many("RPUSH", q.active, others)
  for _, run in ipairs(runs) do
    if not run.has_left then run.has_left = redis.call("LREM", q.active, -1, run.id) > 0 end
  end
end

-- Decides them. Whoever is left out, an id that stands twice too, is decided in its turn.
local function begin_plain(q, runs, held)
  local plain, by_id = {}, {}
  for i, run in ipairs(runs) do
    if run.kind == "c" and held[i] == run.token and not by_id[run.id] then
      local facts = redis.pcall("HMGET", q.base .. run.id, "processedOn", "parentKey", "deid", "atm")
      if facts[1] and not facts[2] and not facts[3] then
        run.facts, run.is_leaving = facts, true
        plain[#plain + 1] = run
        by_id[run.id] = run
      end
    end
  end
  if #plain > 0 then leave_active(q, plain, by_id) end
end
