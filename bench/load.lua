-- wrk's part: sends the requests of a file, separated by NUL, over and over. COUNTER becomes another number each time. A refresh token
-- is good for once: the one that is answered takes the place of one that was sent, for the next time around.
local requests, position, answered, counter = {}, 0, 0, 0
local threads = {}
failed = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  local file = assert(io.open(arguments[1], 'rb'))
  for request in file:read('*a'):gmatch('[^%z]+') do
    table.insert(requests, { text = request, counts = request:find('COUNTER', 1, true) ~= nil })
  end
  file:close()
  counter = tonumber(arguments[2])
end

function request()
  position = position % #requests + 1
  local chosen = requests[position]
  if not chosen.counts then return chosen.text end
  counter = counter + 1
  return (chosen.text:gsub('COUNTER', tostring(counter), 1))
end

function response(status, _headers, body)
  if status ~= 200 or body:find('"errors":[{', 1, true) then
    if failed == 0 then io.stderr:write(status, ' ', body, '\n') end
    failed = failed + 1
  end
  answered = answered % #requests + 1
  local token = body:match('"refreshToken":"([%w_-]+)"')
  if token then requests[answered].text = requests[answered].text:gsub('"refreshToken":"[%w_-]+"', '"refreshToken":"' .. token .. '"') end
end

function done(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  for _, thread in ipairs(threads) do lost = lost + thread:get('failed') end
  print(string.format('RESULT {"requests":%d,"microseconds":%d,"failed":%d,"p50":%d,"p99":%d}',
    summary.requests, summary.duration, lost, latency:percentile(50), latency:percentile(99)))
end
