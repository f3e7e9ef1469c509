-- What a job's hash has before it first starts, and most jobs nothing else.

-- Returns the values of name, data, opts, timestamp and delay of one that is as most are then, or nothing.
local function as_new(fields)
  if #fields == 12 and fields[1] == "name" and fields[3] == "data" and fields[5] == "opts"
      and fields[7] == "timestamp" and fields[9] == "delay" and fields[11] == "priority"
      and fields[12] == "0" then
    return {fields[2], fields[4], fields[6], fields[8], fields[10]}
  end
end
