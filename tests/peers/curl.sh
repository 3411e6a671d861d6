# curl: an HTTP client that is not ours.

# code OPTIONS...: the status that curl got; it may be given up by curl's own limits only after 10 s.
code() { curl -s -m 10 -o "$dir/body" -w '%{http_code}' "$@"; }
json='Content-Type: application/json'

log_in manager; say $? "curl: logs in"
auth="Authorization: Bearer $token"
is "$(code -I "$url/healthz")" 200 "curl: HEAD is answered without waiting for a body"
is "$(code --http1.0 "$url/healthz")" 200 "curl: HTTP/1.0"
is "$(curl -s -m 10 -o /dev/null -o /dev/null -w '%{num_connects} ' "$url/healthz" "$url/readyz")" '1 0 ' "curl: the connection is kept"
is "$(code -H 'Expect: 100-continue' -H "$json" -d '{"user":"nobody","password":"wrong-password"}' "$url/api/v1/login")" 401 "curl: Expect: 100-continue"
is "$(code -H 'Transfer-Encoding: chunked' -H "$json" -d '{"user":"nobody","password":"wrong-password"}' "$url/api/v1/login")" 401 "curl: a chunked body"
is "$(code -c "$dir/jar" -H "$json" -d "{\"user\":\"guard\",\"password\":\"$LINLI_DEMO_PASSWORD\"}" "$url/api/v1/login")" 200 "curl: a cookie comes with the log-in"
grep -q '^#HttpOnly_127' "$dir/jar"; say $? "curl: for HTTP only"
is "$(code -b "$dir/jar" "$url/api/v1/me")" 200 "curl: and is enough for the next request"

is "$(code -H "$auth" "$url/api/v1/no_such_things")" 404 "curl: an unknown resource"
is "$(code -H "$auth" -X PUT "$url/api/v1/visits")" 405 "curl: a wrong method"
is "$(code -H "$auth" "$url/api/v1/visits?cursor=nonsense")" 400 "curl: a bad cursor"
is "$(code -H "$auth" "$url/api/v1/visits?limit=1001")" 400 "curl: a limit past the limit"
is "$(code -H "$auth" "$url/api/v1/visits?sort=-no_such_field")" 400 "curl: sorting by a field that is not there"
is "$(code -H "$auth" -H "$json" -d '{' "$url/api/v1/visits")" 400 "curl: half a JSON"
is "$(code -H "$auth" -H "$json" -d '{"name":"a","name":"b"}' "$url/api/v1/visits")" 400 "curl: a key twice"
is "$(printf '[%.0s' $(seq 5000) | code -H "$auth" -H "$json" --data-binary @- "$url/api/v1/visits")" 400 "curl: JSON five thousand deep"
is "$(printf '{"name":"\300\257"}' | code -H "$auth" -H "$json" --data-binary @- "$url/api/v1/visits")" 400 "curl: text that is no UTF-8"
is "$(code -H "$auth" -H "$json" -d '{"nonsense":1}' "$url/api/v1/visits")" 400 "curl: an unknown field"
is "$(jq -r '[.errors[] | select(.field == "nonsense") | .code] | first' "$dir/body")" unknown_field "curl: is named with its rule"
is "$(curl -s -m 10 -o /dev/null -w '%{content_type}' -H "$auth" "$url/api/v1/no_such_things")" application/problem+json "curl: errors are problem+json"
is "$(head -c 40000000 /dev/zero | tr '\0' ' ' | code -H "$auth" -H "$json" --data-binary @- "$url/api/v1/visits")" 413 "curl: forty megabytes of body"
is "$(code --path-as-is "$url/../../etc/passwd")" 400 "curl: a path that climbs"
is "$(code -H "Authorization: Bearer $(head -c 20000 /dev/zero | tr '\0' a)" "$url/api/v1/me")" 431 "curl: a header of 20,000 bytes"
curl -sN -m 3 -H "$auth" "$url/api/v1/events" >"$dir/sse"; head -n 1 "$dir/sse" | grep -qE '^(retry|:)'; say $? "curl: the event stream opens at once"
curl -s -m 10 "$url/api/openapi.json" | jq -e '.openapi == "3.1.0" and (.paths | length > 10)' >/dev/null; say $? "curl: the description is OpenAPI 3.1, without a log-in"
is "$(curl -s -m 10 -H "$auth" "$url/api/v1/places?limit=3&format=csv" | head -c 3 | od -An -tx1 | tr -d ' ')" efbbbf "curl: CSV begins with a byte order mark"
for _ in 1 2 3 4 5; do code -H "$json" -d '{"user":"elder","password":"wrong-password"}' "$url/api/v1/login" >/dev/null; done
is "$(code -H "$json" -d "{\"user\":\"elder\",\"password\":\"$LINLI_DEMO_PASSWORD\"}" "$url/api/v1/login")" 429 "curl: five failures lock the pair of account and address"
is "$(code -X POST -H "$auth" "$url/api/v1/logout")" 204 "curl: logs out"
is "$(code -H "$auth" "$url/api/v1/me")" 401 "curl: and the token is worth nothing"
