# What gateways of homes say, by mosquitto_pub: through our own listener, and through a broker that the estate has already
# (mosquitto), which goes and comes, keeps what is for us while we are away, and speaks TLS.

mqtt=$(sed -n 's/^listen mqtt \([^ ]*\)$/\1/p' "$dir/out")
B3='"voltage":3005,"linkquality":102'
m05="{\"contact\":false,\"battery\":97,$B3,\"tamper\":false}"
m06='{"smoke":true,"battery_low":false,"linkquality":60}'
m07='{"Time":"2026-11-21T08:30:00","ENERGY":{"TotalStartTime":"2026-01-01T00:00:00","Total":3.185,"Yesterday":0.210,"Today":0.031,"Power":52,"ApparentPower":60,"ReactivePower":30,"Factor":0.87,"Voltage":228,"Current":0.263}}'
m08='{"name":"Temperature","unique_id":"estate_b3_12f_th_t","device_class":"temperature","unit_of_measurement":"°C","state_topic":"estate/b3/12f/th","value_template":"{{ value_json.t }}","availability_topic":"estate/b3/12f/th/status","device":{"identifiers":["estate_b3_12f_th"],"name":"TH B3-12F"},"origin":{"name":"estate-gw","sw":"1.0"}}'
m08_topic=homeassistant/sensor/estate_b3_12f_th/t/config
latest() { api GET "telemetry/latest?device=$(jq -rn --arg d "$1" '$d | @uri')" | head -n 1 | jq -r ".items[] | select(.metric == \"$2\") | [.value, .unit] | map(select(. != null and . != \"\")) | join(\" \")"; }
alarms() { api GET "alarms?f.state=active&limit=200" | head -n 1 | jq "[.items[] | select(.title == \"$1\")] | length"; }
log_in admin
api POST device_models '{"code":"smoke_head","name":"户内烟感","category":"home","events":[{"event":"smoke","name_zh":"烟","name_en":"Smoke"}]}' >/dev/null
log_in manager
place=$(api GET 'places?f.kind=equipment&limit=1' | head -n 1 | jq -r '.items[0].id')
aside() { api GET "devices?f.state=new&f.code=$(jq -rn --arg d "$1" '$d | @uri')" | head -n 1 | jq '.items | length'; }
# adopt CODE: a device that is put aside.
adopt() {
    local id
    id=$(api GET "devices?f.state=new&f.code=$(jq -rn --arg d "$1" '$d | @uri')" | head -n 1 | jq -r '.items[0].id')
    status POST "devices/$id/adopt" "{\"name\":\"$1\",\"model\":\"smoke_head\",\"place_id\":\"$place\"}"
}
is "$(status POST rules '{"name":"烟","kind":"event","model":"smoke_head","event_code":"smoke","severity":"bad","message":"户内烟感","enabled":true}')" 201 "homes: a rule watches smoke"

# ---- our own listener ----

key=$("$bin" device add Z-1 --speaks 'zigbee2mqtt tasmota esphome homeassistant' --data "$dir/$name" 2>/dev/null); say $? "homes: a gateway is added"
user=$(printf %s "$key" | jq -r .username) password=$(printf %s "$key" | jq -r .password)
pub() { timeout 20 mosquitto_pub -V "$1" -h "${mqtt%:*}" -p "${mqtt##*:}" -u "$user" -P "$password" -q 1 -t "$2" -m "$3" "${@:4}" 2>&1; }
"$bin" device add Z-2 --speaks zwave --data "$dir/$name" 2>/dev/null; is $? 1 "homes: not one of another convention"
for v in mqttv311 mqttv5; do
    pub $v zigbee2mqtt/B3-12F-door "$m05" >/dev/null; say $? "homes: $v: Zigbee2MQTT: a contact is acknowledged"
    is "$(latest Z-1:B3-12F-door open), $(latest Z-1:B3-12F-door battery)" "1, 97 %" "homes: $v: and is a reading of the gateway's device"
    pub $v tele/plug-17/SENSOR "$m07" >/dev/null; say $? "homes: $v: Tasmota"
    is "$(latest Z-1:plug-17 power), $(latest Z-1:plug-17 energy)" "52 W, 3.185 kWh" "homes: $v: a plug's power and energy"
    pub $v boiler/sensor/temperature/state 41.5 >/dev/null; say $? "homes: $v: ESPHome"
    is "$(latest Z-1:boiler temperature)" "41.5 Cel" "homes: $v: a node's temperature"
    pub $v $m08_topic "$m08" -r >/dev/null && pub $v estate/b3/12f/th '{"t":21.5}' >/dev/null; say $? "homes: $v: Home Assistant's discovery, then what it describes"
    is "$(latest Z-1:estate_b3_12f_th temperature)" "21.5 Cel" "homes: $v: a temperature of the device that it names"
    pub $v zigbee2mqtt/H-001 '{"temperature":99}' >/dev/null; say $? "homes: $v: a name that another device has"
    is "$(latest Z-1:H-001 temperature)" "99 Cel" "homes: $v: is one of the gateway's"
    pub $v linli/yunshanli/H-001/telemetry '{"temperature":99}' | grep -qE 'Not authorized|connection was lost'; say $? "homes: $v: the other device's own topic is refused"
done
[ "$(latest H-001 temperature)" != "99 Cel" ]; say $? "homes: who was named so has said nothing"
pub mqttv5 zigbee2mqtt/B3-12F-smoke '{"smoke":false}' >/dev/null; say $? "homes: a smoke detector speaks"
is "$(becomes 1 aside Z-1:B3-12F-smoke)" 1 "homes: it is put aside"
is "$(adopt Z-1:B3-12F-smoke)" 200 "homes: and adopted"
sleep 3 # the engine reads devices anew within a second or two
pub mqttv5 zigbee2mqtt/B3-12F-smoke "$m06" >/dev/null; say $? "homes: smoke"
is "$(alarms 户内烟感)" 1 "homes: is an alarm by the time it is acknowledged"
pub mqttv311 zigbee2mqtt/B3-12F-smoke '{"smoke":false}' >/dev/null; is "$(alarms 户内烟感)" 0 "homes: and is over with the smoke"
pub mqttv5 zigbee2mqtt/B3-12F-door '{"contact":' | grep -q 'Payload format invalid'; say $? "homes: half a state is told in 5"
timeout 5 mosquitto_sub -V mqttv311 -h "${mqtt%:*}" -p "${mqtt##*:}" -u "$user" -P "$password" -q 1 -t homeassistant/status -C 1 2>/dev/null | grep -qx online; say $? "homes: who listens for Home Assistant's birth hears it"
head -c 300000 /dev/zero | tr '\0' ' ' >"$dir/much"
timeout 20 mosquitto_pub -V mqttv311 -h "${mqtt%:*}" -p "${mqtt##*:}" -u "$user" -P "$password" -q 1 -t zigbee2mqtt/bridge/devices -f "$dir/much"; say $? "homes: more than anybody listens to is passed over"
plain=$("$bin" device add P-1 --data "$dir/$name" 2>/dev/null)
user=$(printf %s "$plain" | jq -r .username) password=$(printf %s "$plain" | jq -r .password) pub mqttv5 zigbee2mqtt/B3-12F-door "$m05" | grep -q 'Not authorized'; say $? "homes: a device that is no gateway may not"

# ---- a broker that the estate has already ----

mkdir "$dir/broker" && chmod 755 "$dir" && chmod 777 "$dir/broker"
mosquitto_passwd -b -c "$dir/broker/passwd" linli sesame 2>/dev/null && chmod 644 "$dir/broker/passwd"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost' -keyout "$dir/broker/key" -out "$dir/broker/cert" 2>/dev/null
chmod 644 "$dir/broker/key"
broker='' port='' tls_port=''
trap '[ -z "$broker" ] || kill -KILL "$broker"; finish' EXIT
# broker_start: on the ports it had before, else on free ones.
broker_start() {
    for try in ${port:-$(shuf -i 20000-29998 -n 20)}; do
        port=$try tls_port=$((try + 1))
        printf '%s\n' "per_listener_settings false" "allow_anonymous false" "password_file $dir/broker/passwd" "persistence true" \
            "persistence_location $dir/broker/" "autosave_on_changes true" "autosave_interval 1" "max_queued_messages 0" "listener $port 127.0.0.1" \
            "listener $tls_port 127.0.0.1" "certfile $dir/broker/cert" "keyfile $dir/broker/key" >"$dir/broker/conf"
        mosquitto -c "$dir/broker/conf" >"$dir/broker/log" 2>&1 &
        broker=$!
        for _ in $(seq 100); do
            kill -0 $broker 2>/dev/null || break
            (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
            sleep 0.05
        done
    done
    echo "# no broker: $(tail -n 1 "$dir/broker/log")"
    return 1
}
broker_stop() {
    [ -z "$broker" ] || { kill "-${1:-TERM}" "$broker" 2>/dev/null; wait "$broker" 2>/dev/null; }
    broker=
}
there() { timeout 20 mosquitto_pub -h 127.0.0.1 -p "$port" -u linli -P sesame -q 1 -t "$1" -m "$2" "${@:3}" 2>&1; }
again() { # the server, on the same data
    server_start "${@:-env}" "$bin" demo --port 0 --mqtt 0 --lines 0 --data "$dir/$name"; say $? "homes: the server is back"
    log_in admin
}

broker_start; say $? "broker: it runs"
there zigbee2mqtt/B3-12F-smoke "$m06" -r >/dev/null; say $? "broker: it keeps a smoke of yesterday"
log_in admin
estate=$(api GET 'lines?f.kind=mqtt' | head -n 1 | jq -r '.items[0].community_id')
made=$(api POST lines "{\"name\":\"小区 MQTT\",\"kind\":\"mqtt-client\",\"host\":\"127.0.0.1\",\"port\":$port,\"username\":\"linli\",\"topics\":\"zigbee2mqtt tasmota esphome homeassistant linli/# building/#\",\"enabled\":true,\"community_id\":\"$estate\"}" | head -n 1)
id=$(printf %s "$made" | jq -r .id)
field() { api GET "lines/$id" | head -n 1 | jq -r ".$1 // empty"; }
is "$(becomes '127.0.0.1 does not let this user in' field problem)" '127.0.0.1 does not let this user in' "broker: without a password nobody is let in, and the row says so"
is "$(field state), $(status GET ../../readyz)" "failed, 503" "broker: so the server is not ready"
is "$(status POST "lines/$id/set_secret" '{"secret":"sesame"}')" 200 "broker: the password is set"
is "$(becomes open field state), $(field problem)" "open, " "broker: and opens"
[[ $(api GET "lines/$id") != *sesame* ]]; say $? "broker: the password is shown to nobody"
is "$(becomes 1 aside B3-12F-smoke)" 1 "broker: who was kept there is put aside"
log_in manager
is "$(adopt B3-12F-smoke)" 200 "broker: and adopted"
sleep 3
log_in admin
is "$(latest B3-12F-smoke smoke), $(alarms 户内烟感)" ", 0" "broker: what it kept is no news: neither a reading nor an alarm"
there zigbee2mqtt/B3-12F-smoke "$m06" >/dev/null; is "$(becomes 1 alarms 户内烟感)" 1 "broker: smoke of now is an alarm"
there zigbee2mqtt/B3-12F-smoke '{"smoke":false}' >/dev/null; is "$(becomes 0 alarms 户内烟感)" 0 "broker: until it is over"
there zigbee2mqtt/B3-12F-door "$m05" >/dev/null; is "$(becomes '97 %' latest B3-12F-door battery), $(latest B3-12F-door open)" "97 %, 1" "broker: Zigbee2MQTT"
there tele/plug-17/SENSOR "$m07" >/dev/null; is "$(becomes '52 W' latest plug-17 power)" "52 W" "broker: Tasmota"
there boiler/sensor/temperature/state 41.5 >/dev/null; is "$(becomes '41.5 Cel' latest boiler temperature)" "41.5 Cel" "broker: ESPHome"
there $m08_topic "$m08" -r >/dev/null
th() { there estate/b3/12f/th '{"t":21.5}' >/dev/null; latest estate_b3_12f_th temperature; }
is "$(becomes '21.5 Cel' th)" "21.5 Cel" "broker: Home Assistant, under a topic that its discovery names"
there linli/yunshanli/B-9/telemetry '{"level":3.5}' >/dev/null; is "$(becomes 3.5 latest B-9 level)" 3.5 "broker: our own topics"
there building/7/th '{"temperature":19,"note":"x"}' >/dev/null; is "$(becomes '19 Cel' latest building%2F7%2Fth temperature)" "19 Cel" "broker: plain JSON"
there linli/elsewhere/B-9/telemetry '{"level":9}' >/dev/null; there building/8 hello >/dev/null
figures() { api GET "lines/$id/figures" | head -n 1 | jq -c "$1"; }
is "$(becomes 2 figures .bad), $(figures '[.bad_samples[0, 1].about]')" '2, ["building/8","linli/elsewhere/B-9/telemetry"]' "broker: what cannot be read, or is another community's, is counted and shown"

broker_stop
is "$(becomes failed field state)" failed "broker: it goes"
[[ $(becomes "no broker listens at 127.0.0.1 port $port" field problem) = "no broker listens at 127.0.0.1 port $port" ]]; say $? "broker: and the row says so"
broker_start; say $? "broker: it comes back"
is "$(becomes open field state)" open "broker: it is called again"
there zigbee2mqtt/B3-12F-door '{"battery":96}' >/dev/null; is "$(becomes '96 %' latest B3-12F-door battery)" "96 %" "broker: and heard"

server_stop; say $? "broker: the server stops"
there zigbee2mqtt/B3-12F-door '{"battery":95}' >/dev/null; say $? "broker: a word while it is away"
again
is "$(becomes '95 %' latest B3-12F-door battery)" "95 %" "broker: is kept for it"
now=$(date +%s%3N)
for n in $(seq 400); do echo "{\"ts\":$((now - 1000 + n)),\"n\":$n}"; done >"$dir/burst"
timeout 60 mosquitto_pub -h 127.0.0.1 -p "$port" -u linli -P sesame -q 1 -t linli/yunshanli/B-10/telemetry -l <"$dir/burst" &
sleep 0.3
server_stop KILL
wait $! 2>/dev/null
again
points() { api GET "telemetry?device=B-10&metric=n&from=$((now - 2000))&to=$((now + 2000))" | head -n 1 | jq '.points | length'; }
is "$(becomes 400 points)" 400 "broker: four hundred words, the server killed amid them: none is lost"

log_in admin
is "$(status PATCH "lines/$id" "{\"tls\":true,\"port\":$tls_port,\"host\":\"localhost\"}")" 200 "broker: with TLS"
is "$(becomes "localhost port $tls_port speaks no TLS, or its certificate is not trusted" field problem)" "localhost port $tls_port speaks no TLS, or its certificate is not trusted" "broker: its certificate is not trusted"
server_stop
again env SSL_CERT_FILE="$dir/broker/cert"
is "$(becomes open field state), $(field address)" "open, localhost:$tls_port" "broker: until this machine trusts it"
is "$(status PATCH "lines/$id" '{"host":"127.0.0.1"}')" 200 "broker: under another name"
is "$(becomes "127.0.0.1 port $tls_port speaks no TLS, or its certificate is not trusted" field problem)" "127.0.0.1 port $tls_port speaks no TLS, or its certificate is not trusted" "broker: the certificate is none of its"
is "$(status PATCH "lines/$id" '{"host":"localhost"}')" 200 "broker: under its own"
is "$(becomes open field state)" open "broker: it is"
there zigbee2mqtt/B3-12F-door '{"battery":94}' >/dev/null; is "$(becomes '94 %' latest B3-12F-door battery)" "94 %" "broker: and is heard"
is "$(status PATCH "lines/$id" '{"enabled":false}')" 200 "broker: the row is switched off"
is "$(becomes closed field state)" closed "broker: and closes"
broker_stop
