# Platforms and gateways that `linli simulate` plays, against the real server: pushes over HTTP and what speaks over MQTT, with
# what goes wrong, and what they are told.

log_in admin; say $? "simulated: logs in"
estate=$(api GET 'lines?f.kind=gb26875' | head -n 1 | jq -r '.items[0].community_id')
metrics() { api GET "telemetry/latest?device=$(jq -rn --arg d "$1" '$d | @uri')" | head -n 1 | jq -r '[.items[]?.metric] | sort | join(" ")'; }
line_state() { api GET "lines/$pushed" | head -n 1 | jq -r .state; }

# ---- pushes ----

while read -r kind device want; do
    pushed=$(api POST lines "{\"name\":\"$kind\",\"kind\":\"$kind\",\"enabled\":true,\"community_id\":\"$estate\"}" | head -n 1)
    key=$(jq -r .push_key <<<"$pushed") pushed=$(jq -r .id <<<"$pushed")
    [ "$kind" != onenet ] || api POST "lines/$pushed/set_secret" '{"secret":"estate2026"}' >/dev/null
    is "$(becomes open line_state)" open "simulated: a line of $kind"
    sleep 1 # its secret is read within a second
    faults=split,merge,replay
    [ "$kind" != onenet ] || faults=$faults,badsum
    play() { "$bin" simulate "$kind" --to "${url#http://}" --key "$key" --secret "$1" --first 7700 --devices 2 --rate 0 "${@:2}" --json 2>/dev/null; }
    is "$(play estate2026 --count 40 --faults $faults | jq -c '[.confirmed, .unanswered]') $(play estate2026 --count 2 --faults storm,drift | jq -c '[.confirmed, .unanswered]')" '[40,0] [2,0]' \
        "simulated: $kind: every push is answered, in a storm, too"
    is "$(api GET "lines/$pushed/figures" | head -n 1 | jq -c '[.frames > 40, (.bad_samples | map(.rule) | unique)]')" "$([ "$kind" = onenet ] && echo '[true,["the signature is wrong"]]' || echo '[true,[]]')" \
        "simulated: $kind: and understood"
    is "$(becomes "$want" metrics "$device")" "$want" "simulated: $kind: what it measures is kept"
    [ "$kind" != onenet ] || { play estate2027 --count 2 >/dev/null; is $? 1 "simulated: onenet: with another secret the address is not ours"; }
done <<'END'
lift 31104403000000007700 direction door_closed door_zone entrapped floor passenger running runs service_mode
chirpstack 0004a30b00001e14 humidity rssi snr temperature
ctwing 40edca19b01244808600000000001e14 bat battery_state liquid
onenet 2023700 temp
itsapi linli-7700 confidence
END

# ---- gateways over MQTT ----

mqtt=$(sed -n 's/^listen mqtt \([^ ]*\)$/\1/p' "$dir/out")
place=$(api GET 'places?f.kind=equipment&limit=1' | head -n 1 | jq -r '.items[0].id')
# order CODE COMMAND [VALUE]: tells a device, and confirms it where that is wanted; prints what became of it.
order() {
    local made id
    made=$(api POST commands "{\"device_id\":\"$(by_code "$1" id)\",\"command\":\"$2\",\"reason\":\"a test\",\"community_id\":\"$estate\"${3:+,\"value\":\"$3\"}}" | head -n 1)
    id=$(jq -r .id <<<"$made")
    [ "$(jq -r .state <<<"$made")" != asked ] || api POST "commands/$id/confirm" >/dev/null
    becomes done became "$id"
}
api POST device_models '{"code":"edge_valve","name":"valve","category":"water","commands":[{"command":"on","name_zh":"on","item":"Valve/Position:Int32","value":"40"}]}' >/dev/null
api POST device_models '{"code":"relay","name":"relay","category":"home","commands":[{"command":"on","name_zh":"on","item":"relay","value":"ON"}]}' >/dev/null
api POST device_models '{"code":"node_relay","name":"relay","category":"home","commands":[{"command":"on","name_zh":"on","item":"switch/relay","value":"ON"}]}' >/dev/null
# gateway KIND NUMBER DEVICE MODEL METRICS METRIC VALUE OPTIONS...: over a bad line to `at`, then quietly until it is stopped; it is
# told, and ends.
gateway() {
    local kind=$1 number=$2 device=$3 want=$5 metric=$6 value=$7 player
    is "$("$bin" simulate "$kind" --to "$at" --first $((number + 50)) "${@:8}" --count 40 --rate 0 --faults split,merge,storm,drift --json 2>/dev/null | jq -c '[.confirmed, .unanswered]')" '[40,0]' \
        "simulated: $kind: all it says is acknowledged, in a storm, too"
    "$bin" simulate "$kind" --to "$at" --first "$number" "${@:8}" --count 1000000 --rate 5 >/dev/null 2>&1 & player=$!
    is "$(becomes "$want" metrics "$device")" "$want" "simulated: $kind: what it measures is kept"
    becomes new by_code "$device" state >/dev/null
    api POST "devices/$(by_code "$device" id)/adopt" "{\"name\":\"$device\",\"model\":\"$4\",\"place_id\":\"$place\"}" >/dev/null
    sleep 3 # the engine reads devices anew within a second or two
    is "$(order "$device" on), $(becomes "$value" latest "$device" "$metric")" "done, $value" "simulated: $kind: it does what it is told, and says so"
    kill "$player"; wait "$player" 2>/dev/null
    [ "$kind" = zigbee2mqtt ] || is "$(becomes offline by_code "$device" state)" offline "simulated: $kind: once it is gone it is offline"
}
at=$mqtt
key=$("$bin" device add S-1 --speaks 'zigbee2mqtt tasmota esphome homeassistant sparkplug' --data "$dir/$name" 2>/dev/null); say $? "simulated: a gateway is added"
mine=(--user "$(jq -r .username <<<"$key")" --password "$(jq -r .password <<<"$key")")
gateway zigbee2mqtt 7801 S-1:linli-7801-plug smart_plug 'linkquality power state voltage' state 1 "${mine[@]}"
gateway tasmota 7802 S-1:linli-7802 smart_plug 'apparent_power current energy energy_today energy_yesterday linkquality power power_factor reactive_power rssi state uptime voltage' state 1 "${mine[@]}"
gateway esphome 7803 S-1:linli-7803 node_relay 'door humidity relay temperature' relay 1 "${mine[@]}"
gateway homeassistant 7804 S-1:linli-7804 relay 'humidity relay temperature' relay 1 "${mine[@]}"
gateway sparkplug 7805 S-1:linli:linli-7805:valve edge_valve 'Relay Temperature Valve_Position' Valve_Position 40 "${mine[@]}"
"$bin" simulate tasmota --to "$at" --user nobody --password none --count 1 >/dev/null 2>&1; is $? 1 "simulated: an account that is none is refused"

# ---- at a broker that the estate has already ----

# ---- what is told over a device's own connection: with a value, without one ----

api POST device_models '{"code":"vehicle","name":"vehicle","category":"green","commands":[{"command":"locate","name_zh":"locate","item":"locate","alone":true},{"command":"restart","name_zh":"restart","item":"restart","alone":true,"dangerous":true},{"command":"interval","name_zh":"interval","item":"interval"}]}' >/dev/null
while read -r kind device model orders; do
    pushed=$(api POST lines "{\"name\":\"$kind\",\"kind\":\"$kind\",\"enabled\":true,\"community_id\":\"$estate\"}" | head -n 1 | jq -r .id)
    becomes open line_state >/dev/null
    "$bin" simulate "$kind" --to "$(one "lines/$pushed" address)" --first 9100 --count 1000000 --rate 2 >/dev/null 2>&1 & player=$!
    is "$(becomes new by_code "$device" state)" new "simulated: $kind: it waits for adoption"
    api POST "devices/$(by_code "$device" id)/adopt" "{\"name\":\"$device\",\"model\":\"$model\",\"place_id\":\"$place\"}" >/dev/null
    sleep 2
    for order in $orders; do
        is "$(order "$device" ${order/=/ })" done "simulated: $kind: it does what it is told: $order"
    done
    kill "$player"; wait "$player" 2>/dev/null
done <<'END'
watch 860000000009100 elder_watch locate find measure_temperature restart power_off interval=60 center=13800138000
jt808 000000009100 vehicle locate restart interval=30
END

mkdir "$dir/broker" && chmod 755 "$dir" && chmod 777 "$dir/broker"
broker=''
trap '[ -z "$broker" ] || kill -KILL "$broker"; finish' EXIT
for port in $(shuf -i 20000-29999 -n 20); do
    printf '%s\n' "allow_anonymous true" "listener $port 127.0.0.1" >"$dir/broker/conf"
    mosquitto -c "$dir/broker/conf" >"$dir/broker/log" 2>&1 &
    broker=$!
    sleep 0.5
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    broker=
done
[ -n "$broker" ]; say $? "simulated: a broker runs"
at=127.0.0.1:$port
pushed=$(api POST lines "{\"name\":\"小区 MQTT\",\"kind\":\"mqtt-client\",\"host\":\"127.0.0.1\",\"port\":$port,\"topics\":\"tasmota sparkplug\",\"enabled\":true,\"community_id\":\"$estate\"}" | head -n 1 | jq -r .id)
is "$(becomes open line_state)" open "simulated: the line to it is open"
gateway tasmota 7812 linli-7812 smart_plug 'apparent_power current energy energy_today energy_yesterday linkquality power power_factor reactive_power rssi state uptime voltage' state 1
gateway sparkplug 7815 estate:linli-7815:valve edge_valve 'Relay Temperature Valve_Position' Valve_Position 40 --topic estate
kill "$broker"; wait "$broker" 2>/dev/null; broker=
