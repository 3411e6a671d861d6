# The main loop by clients that are not ours: readings by curl, a fire frame by netcat; each raises an alarm and its case.

line=$(sed -n 's/^listen gb26875 \([^ ]*\)$/\1/p' "$dir/out")
[ -n "$line" ]; say $? "loop: the fire line listens"
log_in admin
is "$(status POST device_models '{"code":"leak","name":"泵房水浸","category":"pump","metrics":[{"metric":"level","unit":"cm"}]}')" 201 "loop: a model is made"
log_in manager; say $? "loop: logs in"
device='{"name":"泵房水浸","code":"W-1","model":"leak"}'
reply=$(api POST devices "$device"); id=$(printf %s "$reply" | head -n 1 | jq -r .id)
is "$(printf %s "$reply" | tail -n 1)" 201 "loop: a device is made"
place=$(api GET 'places?f.kind=equipment&limit=1' | head -n 1 | jq -r '.items[0].id')
is "$(status POST "devices/$id/adopt" "{\"name\":\"泵房水浸\",\"place_id\":\"$place\"}")" 200 "loop: and adopted"
rule='{"name":"水浸","kind":"above","model":"leak","metric":"level","limit_value":10,"clear_value":5,"severity":"bad","message":"泵房水浸","case_type":"repair","enabled":true}'
is "$(status POST rules "$rule")" 201 "loop: a rule watches it"
sleep 3 # the engine reads rules anew within a second or two
log_in admin
ingest() { api POST ingest/line "$1" -H 'Content-Type: text/plain' | tail -n 1; }
is "$(ingest 'leak,device=W-1 level=3.5')" 204 "loop: a reading is acknowledged"
is "$(ingest 'leak,device=W-1 level=')" 400 "loop: half a line is refused"
is "$(ingest 'leak,device=W-1 level=12')" 204 "loop: and one above the limit"
is "$(cases 泵房水浸)" 1 "loop: the alarm has become one case"
is "$(ingest 'leak,device=W-1 level=14')" 204 "loop: another reading of the same cause"
sleep 1
is "$(cases 泵房水浸)" 1 "loop: opens no second case"
is "$(api GET 'telemetry/latest?device=W-1' | head -n 1 | jq -r '.items[0].value')" 14 "loop: the latest reading is there"
is "$(ingest 'stranger,device=never-seen level=1')" 204 "loop: a reading of an unknown device is kept"
for _ in $(seq 50); do
    n=$(api GET 'devices?f.state=new&q=never-seen' | head -n 1 | jq '.items | length')
    [ "$n" = 0 ] || break
    sleep 0.2
done
is "$n" 1 "loop: and the device put aside for adoption"

# F01 of the codec's vectors: a smoke detector reports fire through device 889.  Its answer is a confirmation.
frame='40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 30 00 02 02 01 01 01 28 0A 00 02 00 02 00 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 00 02 3A 09 1A 09 0C 46 23 23'
send() { printf "$(printf '\\x%s' $1)" | nc -q 2 -w 5 "${line%:*}" "${line##*:}" | od -An -v -tx1 | tr -d ' \n'; }
answer=$(send "$frame")
is "${answer:0:12}" 404001000101 "loop: the fire frame is answered with its serial number"
is "${answer:52:2}" 03 "loop: by a confirmation"
is "$(cases 火灾报警主机报火警)" 1 "loop: and is a case"
broken=${frame/46 23 23/47 23 23}
answer=$(send "$broken")
is "${answer:52:2}" 06 "loop: a frame with a wrong sum is denied"
tail_at=$(mktemp)
curl -sN --max-time 20 -H "Authorization: Bearer $token" "$url/api/v1/telemetry/tail?device=W-1" >"$tail_at" &
for _ in $(seq 50); do grep -q '^:' "$tail_at" && break; sleep 0.1; done
is "$(ingest 'leak,device=W-1 level=13.25')" 204 "loop: a reading while somebody follows the device"
for _ in $(seq 50); do grep -q '^data' "$tail_at" && break; sleep 0.1; done
is "$(sed -n 's/^data: //p' "$tail_at" | jq -r '.[0] | .device + " " + .metric + " " + (.value | tostring)')" "W-1 level 13.25" \
    "loop: comes to him as it is stored"
kill $! 2>/dev/null
rm -f "$tail_at"
