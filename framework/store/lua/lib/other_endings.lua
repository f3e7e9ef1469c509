-- Reading what a call of `exchange` says of runs that did not just complete.

local WIDTHS = {f = 7, q = 10, r = 6, d = 6, g = 3, k = 6, s = 8, m = 4, w = 4, l = 4}

-- Reads all records from the first that is no completion on: kind, id, token, then what the kind
-- needs (see exchange.lua).
local function read_others(at)
  while at < #ARGV do
    local kind = ARGV[at + 1]
    if kind == "c" or kind == "n" then
      at = read_completed(at)
    else
      local _, id, token, text, stack, extra, seventh = unpack(ARGV, at + 1, at + WIDTHS[kind])
      local run = {kind = kind, id = id, token = token, text = text, stack = stack, extra = extra}
      if kind == "f" then run.keep = seventh end
      if kind == "s" then
        run.most, run.text, run.stack, run.extra = text, stack, extra, seventh
        run.keep = ARGV[at + 8]
      end
      if kind == "q" then
        run.kind, run.keep = "f", ARGV[at + 10]
        run.crash = {seventh, ARGV[at + 8], ARGV[at + 9]}
      end
      local place = #ids + 1
      ids[place], jobs[place], tokens[place], others[place] = id, base .. id, token, run
      at = at + WIDTHS[kind]
    end
  end
end
