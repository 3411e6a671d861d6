# The demo estate by curl: outlines, life before today, and readings that come in over MQTT from devices with passwords.
log_in manager; say $? "demo: logs in"
plan=$(api GET 'places?limit=1000&f.kind=estate,building,gate,green,road' | head -n 1)
is "$(printf %s "$plan" | jq '[.items[] | select(.kind == "building")] | length')" 20 "demo: twenty buildings"
is "$(printf %s "$plan" | jq '[.items[] | select(.shape == null or (.shape_source | contains("OpenStreetMap") | not))] | length')" 0 "demo: each with its outline, and whose it is"
is "$(printf %s "$plan" | jq '[.items[] | select(.kind == "building") | select(.at.lat < 30.512 or .at.lat > 30.515 or .at.lon < 114.394 or .at.lon > 114.4)] | length')" 0 "demo: all of them in the estate"
is "$(status PATCH "places/$(printf %s "$plan" | jq -r '.items[0].id')" '{"shape":{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}}')" 400 "demo: an outline that is none is refused"
[ "$(api GET 'cases?limit=100&q=%E6%BC%8F%E6%B0%B4' | head -n 1 | jq '.items | length')" -ge 3 ]; say $? "demo: two characters find the leaks of the past"
closed=$(api GET 'cases?limit=1&f.state=closed' | head -n 1 | jq -r '.items[0].id')
is "$(api GET "cases/$closed/history" | head -n 1 | jq '[.items[].actor.name] | unique | length >= 3')" true "demo: a closed case tells who did what"
for what in visits ideas activities people; do
    [ "$(api GET "$what?limit=100" | head -n 1 | jq '.items | length')" -ge 3 ]; say $? "demo: there are $what to look at"
done

is "$(stat -c %a "$dir/demo/device-passwords")" 600 "demo: passwords of devices are kept where only the owner reads them"
log_in admin
figure() { curl -s -m 20 -H "Authorization: Bearer $token" "$url/metrics" | sed -n "s/^linli_mqtt_$1 \([0-9]*\).*/\1/p"; }
devices=$(wc -l <"$dir/demo/device-passwords")
[ "$devices" -gt 150 ]; say $? "demo: of every device that has something to tell"
for _ in $(seq 100); do
    [ "$(figure connections)" = "$devices" ] && break
    sleep 0.2
done
is "$(figure connections)" "$devices" "demo: every device has a connection of its own"
latest() { api GET 'telemetry/latest?device=H-001' | head -n 1 | jq -r '[.items[].at_ms] | max'; }
before=$(latest) messages=$(figure messages_total)
sleep 3
[ "$(latest)" -gt "$before" ]; say $? "demo: readings move"
[ "$(figure messages_total)" -gt "$((messages + devices))" ]; say $? "demo: all of them at a message a second"
is "$(figure refused_total)" 0 "demo: nobody is refused"
is "$(api GET today | head -n 1 | jq '.banner.zh | contains("MQTT 每秒报一行")')" true "demo: the page says what is replayed"
server_stop; is $? 0 "demo: stops cleanly"
rows=$(cat "$dir/demo/replay"); keys=$(sha256sum <"$dir/demo/device-passwords")
[ "$rows" -gt 0 ]; say $? "demo: and keeps where the replay was"
server_start "$bin" serve --port 0 --mqtt 0 --lines 0 --data "$dir/demo" && log_in manager; say $? "demo: its data can be served without a replay"
is "$(api GET today | head -n 1 | jq '.banner.zh | contains("没有在回放")')" true "demo: and the page says so"
server_stop
server_start "$bin" demo --port 0 --mqtt 0 --lines 0 --data "$dir/demo" && log_in admin; say $? "demo: a second start"
for _ in $(seq 100); do
    [ "$(figure connections)" = "$devices" ] && break
    sleep 0.2
done
is "$(figure connections)" "$devices" "demo: devices log in with the passwords that they had"
is "$(sha256sum <"$dir/demo/device-passwords")" "$keys" "demo: none was made anew"
