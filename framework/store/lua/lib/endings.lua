-- What a call of `exchange` says of ended runs. All of one stands at its place in these; nothing is
-- made of a completion but that, since it is by far the most frequent.

local ids, jobs, tokens, texts, keep_of, were_new = {}, {}, {}, {}, {}, {}
-- By place: what ended otherwise.
local others = {}

-- Reads a group of completions that are kept alike; returns where the next record begins.
local function read_completed(at)
  local args, place, keep, was_new = ARGV, #ids, ARGV[at + 2], ARGV[at + 1] == "n"
  local last = at + 3 + args[at + 3] * 3
  for from = at + 4, last, 3 do
    place = place + 1
    local id = args[from]
    ids[place], jobs[place], keep_of[place], were_new[place] = id, base .. id, keep, was_new
    tokens[place], texts[place] = args[from + 1], args[from + 2]
  end
  return last
end
