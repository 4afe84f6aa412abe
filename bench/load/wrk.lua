-- Posts the file given as the first argument; prints what came of it as one line of JSON.
function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  wrk.headers["Content-Type"] = args[2] or "application/json"
  for index = 3, #args do
    local name, value = args[index]:match("^([^:]+): (.*)$")
    wrk.headers[name] = value
  end
  file:close()
end

function done(summary, latency, requests)
  local cpu_s = os.clock()  -- before the loop: each look at a bin walks all that are shorter
  local e, bins = summary.errors, {}
  for index = 1, #latency do
    bins[index] = string.format("[%d, %d]", latency(index))
  end
  io.write(string.format(
    '\n{"requests": %d, "us": %d, "most_us": %f, "refused": %d, "broken": %d, "cpu_s": %f, "histogram": [%s]}\n',
    summary.requests, summary.duration, latency.max, e.status, e.connect + e.read + e.write + e.timeout,
    cpu_s, table.concat(bins, ", ")))
end
