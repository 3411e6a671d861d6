# MQTT by clients that are not ours, 3.1.1 and 5: a device is added while the server runs, its readings and events become
# cases, nothing but its own topics is open to it, and what was acknowledged is there after kill -9.

mqtt=$(sed -n 's/^listen mqtt \([^ ]*\)$/\1/p' "$dir/out")
[ -n "$mqtt" ]; say $? "mqtt: the listener says where"
key=$("$bin" device add B-1 --model bath --data "$dir/$name" 2>"$dir/said"); say $? "mqtt: a device is added while the server runs"
grep -q 'no model is called bath: .* there are: .*climate, .*fire_panel, .*machine_room, .*power_meter, ' "$dir/said"; say $? "mqtt: and that its model is described nowhere is told"
"$bin" device add B-2 --model machine_room --data "$dir/$name" 2>"$dir/said" >/dev/null && [ ! -s "$dir/said" ]; say $? "mqtt: one of the demo's models goes without a word"
is "$(printf %s "$key" | jq -r '[.device, .community, (keys | join(" "))] | join(",")')" "B-1,yunshanli,community device password username" "mqtt: and its credentials are printed"
"$bin" device add B-1 --data "$dir/$name" 2>/dev/null; is $? 1 "mqtt: not twice"
"$bin" device list --json --data "$dir/$name" | jq -e '.[] | select(.device == "B-1") | .state == "normal" and .has_key' >/dev/null; say $? "mqtt: it is adopted"
user=$(printf %s "$key" | jq -r .username) password=$(printf %s "$key" | jq -r .password)
topic=linli/yunshanli/B-1
# pub VERSION TOPIC MESSAGE [options]; sub VERSION TOPIC [options]
pub() { timeout 20 mosquitto_pub -V "$1" -h "${mqtt%:*}" -p "${mqtt##*:}" -u "$user" -P "$password" -q 1 -t "$2" -m "$3" "${@:4}" 2>&1; }
sub() { timeout 20 mosquitto_sub -V "$1" -h "${mqtt%:*}" -p "${mqtt##*:}" -u "$user" -P "$password" -q 1 -t "$2" -W 1 -d "${@:3}" 2>&1; }
latest() { api GET "telemetry/latest?device=B-1" | head -n 1 | jq -r ".items[] | select(.metric == \"$1\") | .value"; }
log_in manager
for rule in '"kind":"above","metric":"level","limit_value":10,"clear_value":5,"message":"浴室水位"' '"kind":"event","event_code":"sos","message":"浴室求助"'; do
    is "$(status POST rules "{\"name\":\"浴室\",\"model\":\"bath\",\"severity\":\"bad\",\"case_type\":\"repair\",\"enabled\":true,$rule}")" 201 "mqtt: a rule watches its model"
done
sleep 3 # the engine reads rules anew within a second or two
for v in mqttv311 mqttv5; do
    pub $v $topic/telemetry '{"level":3.5}' >/dev/null; say $? "mqtt: $v: a reading is acknowledged"
    is "$(latest level)" 3.5 "mqtt: $v: and is there"
    pub $v $topic/telemetry '[{"a":1},{"ts":"2026-11-24T10:42:00+08:00","b":2}]' >/dev/null; say $? "mqtt: $v: a list of readings, too"
    pub $v linli/yunshanli/H-001/telemetry '{"temperature":99}' | grep -qE 'Not authorized|connection was lost'; say $? "mqtt: $v: another device's topic is refused"
    is "$(password=wrong pub $v $topic/telemetry '{"level":1}' | grep -ciE 'bad user ?name or password')" 1 "mqtt: $v: and so is a wrong password"
    sub $v $topic/command | grep -q 'Subscribed (mid: 1): [01]$'; say $? "mqtt: $v: its own commands may be subscribed to"
    sub $v linli/yunshanli/H-001/command | grep -qE 'Subscribed \(mid: 1\): (128|135)$'; say $? "mqtt: $v: others' may not"
    timeout 20 mosquitto_pub -V $v -h "${mqtt%:*}" -p "${mqtt##*:}" -u "$user" -P "$password" -t $topic/telemetry -q 2 -m '{"level":2}' 2>&1 | grep -qE 'QoS not supported|connection was lost'; say $? "mqtt: $v: QoS 2 is refused"
done
state() { "$bin" device list --json --data "$dir/$name" | jq -r '.[] | select(.device == "B-1") | .state'; }
mosquitto_sub -W 20 -V mqttv5 -h "${mqtt%:*}" -p "${mqtt##*:}" -u "$user" -P "$password" -t $topic/command --will-topic $topic/state --will-payload offline --will-retain >/dev/null 2>&1 &
client=$!
sleep 1
kill -KILL $client
wait $client 2>/dev/null
for _ in $(seq 50); do [ "$(state)" = offline ] && break; sleep 0.1; done
is "$(state)" offline "mqtt: the last will of a client that was killed"
pub mqttv5 $topic/state online -r >/dev/null; is "$(state)" normal "mqtt: and its return"

pub mqttv5 $topic/telemetry '{"level":' | grep -q 'Payload format invalid'; say $? "mqtt: half a reading is told in 5"
pub mqttv311 $topic/telemetry '{"level":' >/dev/null; say $? "mqtt: and acknowledged in 3.1.1, where nothing could be said"
is "$(curl -s -H "Authorization: Bearer $token" "$url/metrics" | sed -n 's/^linli_mqtt_bad_total //p')" 2 "mqtt: both are counted"
log_in admin
is "$(api GET "lines/$(api GET 'lines?f.kind=mqtt' | head -n 1 | jq -r '.items[0].id')/figures" | head -n 1 | jq -c '[.bad_samples[0, 1] | .text, .about, .peer, .at_ms > 0, .rule != null]')" \
    "[\"{\\\"level\\\":\",\"$topic/telemetry\",\"127.0.0.1\",true,true,\"{\\\"level\\\":\",\"$topic/telemetry\",\"127.0.0.1\",true,true]" "mqtt: and shown on their line"
log_in manager
pub mqttv5 $topic/telemetry '{"level":12}' >/dev/null; say $? "mqtt: a reading above the limit"
pub mqttv311 $topic/event '{"event":"sos","data":{"room":"卫生间"}}' >/dev/null; say $? "mqtt: an event"
is "$(api GET 'alarms?f.state=active&limit=100' | head -n 1 | jq '[.items[] | select(.title == "浴室求助")] | length')" 1 "mqtt: is an alarm by the time it is acknowledged"
is "$(cases 浴室水位)" 1 "mqtt: the reading has become a case"
is "$(cases 浴室求助)" 1 "mqtt: and the event another"

for v in mqttv311 mqttv5; do
    pub $v $topic/telemetry "{\"kept_$v\":7}" >/dev/null; say $? "mqtt: $v: one more reading is acknowledged"
    server_stop KILL
    server_start "$bin" demo --port 0 --mqtt 0 --lines 0 --data "$dir/$name"; say $? "mqtt: $v: killed right behind an answer, and back"
    mqtt=$(sed -n 's/^listen mqtt \([^ ]*\)$/\1/p' "$dir/out")
    log_in manager
    is "$(latest "kept_$v")" 7 "mqtt: $v: the reading is there"
done
second=$("$bin" device key B-1 --data "$dir/$name"); say $? "mqtt: a new password"
pub mqttv311 $topic/telemetry '{"level":1}' >/dev/null; is $? 4 "mqtt: ends the old one"
password=$(printf %s "$second" | jq -r .password)
pub mqttv311 $topic/telemetry '{"level":1}' >/dev/null; say $? "mqtt: and opens"

# Another estate on the same server sees what its own devices say, and who tries their log-ins; nobody else's.
log_in admin
first=$(one 'lines?f.kind=mqtt' 'items[0].id')
estate=$(make places "{\"name\":\"望海苑\",\"code\":\"wanghai\",\"kind\":\"estate\",\"keeps_records\":true,\"parent_id\":\"$(one 'places?f.kind=street' 'items[0].id')\"}")
second=$(make lines "{\"name\":\"望海 MQTT\",\"kind\":\"mqtt\",\"enabled\":true,\"community_id\":\"$estate\"}")
web=$(make lines "{\"name\":\"望海 HTTP\",\"kind\":\"http\",\"enabled\":true,\"community_id\":\"$estate\"}")
"$bin" user add manager2 --role manager --place wanghai --password "$LINLI_DEMO_PASSWORD" --data "$dir/$name" >/dev/null; say $? "mqtt: another estate has a manager"
key=$("$bin" device add W-1 --community wanghai --model climate --data "$dir/$name" 2>/dev/null); say $? "mqtt: and a device"
is "$(becomes open one "lines/$second" state)" open "mqtt: and a line"
own() { user=$(jq -r .username <<<"$key") password=${1:-$(jq -r .password <<<"$key")} pub mqttv5 linli/wanghai/W-1/telemetry "$2"; }
own '' '{"temperature":21}' >/dev/null; say $? "mqtt: which speaks"
! own wrong '{"temperature":22}' >/dev/null; say $? "mqtt: and once has a wrong password"
pub mqttv5 $topic/telemetry '{"level":1}' >/dev/null; say $? "mqtt: so does one of the first estate"
password=wrong pub mqttv5 $topic/telemetry '{"level":1}' >/dev/null
log_in manager2
samples='[.frames, .bad, [.good_samples[] | .about, .device, .text], [.bad_samples[] | .about, .rule]]'
is "$(api GET "lines/$second/figures" | head -n 1 | jq -c "$samples")" "[1,1,[\"linli/wanghai/W-1/telemetry\",\"W-1\",\"{\\\"temperature\\\":21}\"],[\"$(jq -r .username <<<"$key")\",\"wrong user or password\"]]" \
    "mqtt: its manager is shown that, and nothing of the first estate"
is "$(api GET "lines/$web/figures" | head -n 1 | jq -c "$samples")" '[0,0,[],[]]' "mqtt: nor over HTTP"
is "$(status GET "lines/$first/figures")" 404 "mqtt: whose line is not his"
log_in manager
is "$(api GET "lines/$first/figures" | head -n 1 | jq -c '[.frames > 1, ([.good_samples[], .bad_samples[] | .about | select(test("wanghai"))] | length), (.bad_samples | any(.about == "'"$user"'"))]')" '[true,0,true]' \
    "mqtt: nor that estate's to the first one's manager"
