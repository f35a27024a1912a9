-- What wrk asks for. BENCH_PATHS names a file with a path a line; without it every request is the one of the command
-- line. BENCH_ORDER is `random`, or `each` for one after the other, every thread its own share.
local paths = os.getenv("BENCH_PATHS")
local threads = 0
local requests, at = {}, 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

if paths then
  function init()
    local shares = tonumber(os.getenv("BENCH_THREADS"))
    local all = os.getenv("BENCH_ORDER") == "random"
    local headers = { Authorization = "Bearer " .. os.getenv("BENCH_KEY") }
    local method = os.getenv("BENCH_METHOD")
    local body = method == "POST" and "" or nil
    math.randomseed(tonumber(os.getenv("BENCH_SEED")) + number)
    local line = 0
    for path in io.lines(paths) do
      if all or line % shares == number then
        requests[#requests + 1] = wrk.format(method, path, headers, body)
      end
      line = line + 1
    end
  end

  if os.getenv("BENCH_ORDER") == "random" then
    function request()
      return requests[math.random(#requests)]
    end
  else
    function request()
      at = at % #requests + 1
      return requests[at]
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
