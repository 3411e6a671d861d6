# What devices behind gateways are told, by mosquitto's clients: commands that go out and states that come back, through our
# own listener and through a broker that the estate has; and edge nodes of Sparkplug B, whose host we are in both.

mqtt=$(sed -n 's/^listen mqtt \([^ ]*\)$/\1/p' "$dir/out")
log_in admin
estate=$(api GET 'lines?f.kind=mqtt' | head -n 1 | jq -r '.items[0].community_id')
place=$(api GET 'places?f.kind=equipment&limit=1' | head -n 1 | jq -r '.items[0].id')
# adopt CODE MODEL: a device that is put aside, once it is.
adopt() {
    [ "$(becomes new by_code "$1" state)" = new ] || return 1
    [ "$(status POST "devices/$(by_code "$1" id)/adopt" "{\"name\":\"$1\",\"model\":\"$2\",\"place_id\":\"$place\"}")" = 200 ] || return 1
    sleep 3 # the engine reads devices anew within a second or two
}
# order CODE COMMAND [UNTIL_S]: tells a device something, confirms it where that is wanted; prints the order's id.
order() {
    local made id
    made=$(api POST commands "{\"device_id\":\"$(by_code "$1" id)\",\"command\":\"$2\",\"reason\":\"a test\",\"community_id\":\"$estate\"${3:+,\"until_ms\":\"$(date -u -d "+$3 seconds" +%Y-%m-%dT%H:%M:%SZ)\"}}" | head -n 1)
    id=$(jq -r .id <<<"$made")
    [ "$(jq -r .state <<<"$made")" != asked ] || api POST "commands/$id/confirm" >/dev/null
    echo "$id"
}
# players: ends those of our own that listen.
players=()
players_end() { for p in "${players[@]}"; do kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; done; players=(); }
# frame TOPIC SEQ METRICS: a payload of Sparkplug B.
frame() {
    local hex
    hex=$("$bin" encode sparkplug "{\"topic\":\"$1\",\"timestamp\":$(date +%s%3N),\"seq\":$2,\"metrics\":[$3]}")
    printf "$(sed 's/../\\x&/g' <<<"${hex:$((2 * ${#1} + 2))}")"
}
position() { printf '{%s"alias":7,"datatype":"Int32","int_value":%s}' "${2:+\"name\":\"$2\",}" "$1"; }
bd_seq() { printf '{"name":"bdSeq","datatype":"UInt64","long_value":%s}' "$1"; }
# told_node: what an edge node heard last, as "TOPIC METRIC VALUE"
told_node() {
    local topic payload
    read -r topic payload < <(tail -n 1 "$dir/node")
    "$bin" decode sparkplug "$(printf %s "$topic" | od -An -v -tx1 | tr -d ' \n')0a$payload" 2>/dev/null |
        jq -r '.frame | [.topic, .metrics[0].name, (.metrics[0] | .int_value // .boolean_value | tostring)] | join(" ")'
}

# play PUB SUB: a plug of Zigbee2MQTT and one of Tasmota that do what they hear, by those two commands.
play() {
    rm -f "$dir/play" && mkfifo "$dir/play" || return 1
    $2 -t 'zigbee2mqtt/+/set' -t 'cmnd/#' -v >"$dir/play" 2>/dev/null &
    players+=($!)
    while read -r topic payload; do
        echo "$topic $payload" >>"$dir/heard"
        name=$(cut -d/ -f2 <<<"$topic")
        case $topic in
        zigbee2mqtt/*) $1 -t "zigbee2mqtt/$name" -m "${payload%\}},\"linkquality\":90}" ;;
        cmnd/*/Power) $1 -t "stat/$name/RESULT" -m "{\"POWER\":\"$payload\"}" ;;
        cmnd/*) $1 -t "stat/$name/RESULT" -m '{"Command":"Unknown"}' ;;
        esac
    done <"$dir/play" >/dev/null 2>&1 & # ends with who writes
    sleep 1
}
: >"$dir/heard"
api POST device_models '{"code":"odd_plug","name":"odd","category":"home","commands":[{"command":"on","name_zh":"on","item":"state","value":"ON"},{"command":"odd","name_zh":"odd","item":"Nonsense","value":"1"}]}' >/dev/null
api POST device_models '{"code":"edge_valve","name":"valve","category":"water","commands":[{"command":"open","name_zh":"open","item":"Valve/Position:Int32","value":"40","dangerous":true}]}' >/dev/null

# ---- our own listener ----

key=$("$bin" device add T-1 --speaks 'zigbee2mqtt tasmota' --data "$dir/$name" 2>/dev/null); say $? "tells: a gateway is added"
user=$(jq -r .username <<<"$key") password=$(jq -r .password <<<"$key")
pub="timeout 20 mosquitto_pub -h ${mqtt%:*} -p ${mqtt##*:} -u $user -P $password -q 1"
sub="mosquitto_sub -h ${mqtt%:*} -p ${mqtt##*:} -u $user -P $password -q 1"
$pub -t zigbee2mqtt/plug -m '{"state":"OFF","linkquality":90}' && $pub -t tele/odd/STATE -m '{"POWER":"OFF"}'; say $? "tells: two plugs speak through it"
adopt T-1:plug smart_plug && adopt T-1:odd odd_plug; say $? "tells: they are adopted"
waiting=$(order T-1:plug on); sleep 1
is "$(became "$waiting"), $(wc -l <"$dir/heard")" "sent, 0" "tells: nobody listens yet: the command waits"
play "$pub" "$sub"
is "$(becomes done became "$waiting"), $(latest T-1:plug state)" "done, 1" "tells: once it does the plug is told, and its state ends the command"
is "$(cat "$dir/heard")" 'zigbee2mqtt/plug/set {"state":"ON"}' "tells: once"
is "$(becomes done became "$(order T-1:odd on)"), $(tail -n 1 "$dir/heard")" "done, cmnd/odd/Power ON" "tells: a plug of Tasmota in its own words"
is "$(becomes 'failed it does not know the command' became "$(order T-1:odd odd)")" 'failed it does not know the command' "tells: what it does not know fails with its answer"
$pub -t zigbee2mqtt/plug/availability -m '{"state":"offline"}'; is "$(becomes offline by_code T-1:plug state)" offline "tells: a plug that is away is offline"
late=$(order T-1:plug off 4)
is "$(becomes expired became "$late"), $(grep -c OFF "$dir/heard")" "expired, 0" "tells: what is not told before its time is over never is"
back=$(order T-1:plug off)
$pub -t zigbee2mqtt/plug/availability -m '{"state":"online"}'; is "$(becomes done became "$back"), $(by_code T-1:plug state)" "done, normal" "tells: it is back, normal, and told"
is "$(api GET "commands/$back/history" | head -n 1 | jq -r '[.items[] | .step // .verb] | sort | join(" ")')" "create finish send" "tells: each step is in its history"
players_end

key=$("$bin" device add T-2 --speaks sparkplug=plant --data "$dir/$name" 2>/dev/null); say $? "sparkplug: a gateway that is an edge node is added"
user=$(jq -r .username <<<"$key") password=$(jq -r .password <<<"$key")
node="-h ${mqtt%:*} -p ${mqtt##*:} -u $user -P $password -q 1"
timeout 5 mosquitto_sub $node -t spBv1.0/STATE/linli -C 1 2>/dev/null | jq -e '.online and .timestamp > 1700000000000' >/dev/null; say $? "sparkplug: it hears that its host is there"
# edge_node PUB SUB CODE WHAT: is asked to be born again, is, is told, dies; CODE: as which device it is known.
edge_node() {
    local topic=spBv1.0/plant
    mosquitto_sub $2 -t "$topic/NCMD/gw1" -t "$topic/DCMD/gw1/#" -F '%t %x' >"$dir/node" 2>/dev/null &
    players+=($!)
    sleep 1
    frame $topic/DDATA/gw1/valve 9 "$(position 5)" | timeout 20 mosquitto_pub $1 -t $topic/DDATA/gw1/valve -s
    is "$(becomes "$topic/NCMD/gw1 Node Control/Rebirth true" told_node)" "$topic/NCMD/gw1 Node Control/Rebirth true" "sparkplug: $4: who speaks before its birth is asked for it"
    frame $topic/NBIRTH/gw1 0 "$(bd_seq 3)" | timeout 20 mosquitto_pub $1 -t $topic/NBIRTH/gw1 -s
    frame $topic/DBIRTH/gw1/valve 1 "$(position 5 Valve/Position)" | timeout 20 mosquitto_pub $1 -t $topic/DBIRTH/gw1/valve -s
    adopt "$3" edge_valve && is "$(latest "$3" Valve_Position)" 5 "sparkplug: $4: its valve is adopted"
    opened=$(order "$3" open)
    is "$(becomes "$topic/DCMD/gw1/valve Valve/Position 40" told_node)" "$topic/DCMD/gw1/valve Valve/Position 40" "sparkplug: $4: a command that was confirmed is its DCMD"
    frame $topic/DDATA/gw1/valve 2 "$(position 40)" | timeout 20 mosquitto_pub $1 -t $topic/DDATA/gw1/valve -s
    is "$(becomes done became "$opened"), $(latest "$3" Valve_Position)" "done, 40" "sparkplug: $4: its data, by an alias, end it"
    frame $topic/NDEATH/gw1 0 "$(bd_seq 2)" | timeout 20 mosquitto_pub $1 -t $topic/NDEATH/gw1 -s; sleep 1
    is "$(by_code "$3" state)" normal "sparkplug: $4: the death of a session before is nobody's"
    frame $topic/NDEATH/gw1 0 "$(bd_seq 3)" | timeout 20 mosquitto_pub $1 -t $topic/NDEATH/gw1 -s
    is "$(becomes offline by_code "$3" state)" offline "sparkplug: $4: with its own it is offline, and all behind it"
    players_end
}
edge_node "$node" "$node" T-2:plant:gw1:valve here

# ---- a broker that the estate has already ----

mkdir "$dir/broker" && chmod 755 "$dir" && chmod 777 "$dir/broker"
broker=''
trap '[ -z "$broker" ] || kill -KILL "$broker"; players_end; finish' EXIT
for port in $(shuf -i 20000-29999 -n 20); do
    printf '%s\n' "allow_anonymous true" "listener $port 127.0.0.1" >"$dir/broker/conf"
    mosquitto -c "$dir/broker/conf" >"$dir/broker/log" 2>&1 &
    broker=$!
    sleep 0.5
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    broker=
done
[ -n "$broker" ]; say $? "broker: it runs"
there="-h 127.0.0.1 -p $port -q 1"
line=$(api POST lines "{\"name\":\"小区 MQTT\",\"kind\":\"mqtt-client\",\"host\":\"127.0.0.1\",\"port\":$port,\"topics\":\"zigbee2mqtt tasmota sparkplug=estate application/# big/#\",\"enabled\":true,\"community_id\":\"$estate\"}" | head -n 1 | jq -r .id)
row() { api GET "lines/$line" | head -n 1 | jq -r ".$1 // empty"; }
is "$(becomes open row state)" open "broker: the line is open"
host_is() { timeout 5 mosquitto_sub $there -t spBv1.0/STATE/estate -C 1 2>/dev/null | jq -r .online; }
is "$(becomes true host_is)" true "broker: and keeps that its host is there"
: >"$dir/heard"
play "timeout 20 mosquitto_pub $there" "mosquitto_sub $there"
timeout 20 mosquitto_pub $there -t zigbee2mqtt/B-plug -m '{"state":"OFF"}'; adopt B-plug smart_plug; say $? "broker: a plug speaks there, and is adopted"
is "$(becomes done became "$(order B-plug on)"), $(cat "$dir/heard"), $(becomes 1 latest B-plug state)" 'done, zigbee2mqtt/B-plug/set {"state":"ON"}, 1' "broker: it is told, and its state ends the command"
players_end
up=application/7/device/0101010101010101
timeout 20 mosquitto_pub $there -t $up/event/up -m '{"deviceInfo":{"devEui":"0101010101010101"},"fPort":2,"object":{"valve":0}}'; adopt 0101010101010101 valve_lorawan; say $? "broker: a valve of LoRaWAN, by ChirpStack"
timeout 60 mosquitto_sub $there -t $up/command/down -C 1 >"$dir/down" 2>/dev/null & players+=($!)
sleep 1
valve=$(order 0101010101010101 open)
is "$(becomes true sh -c "jq -c '.fPort == 10 and .confirmed and .object == {\"valve\":1}' '$dir/down'")" true "broker: its downlink is asked to be confirmed"
is "$(became "$valve")" sent "broker: it is sent, and no more, until the device says so"
timeout 20 mosquitto_pub $there -t $up/event/ack -m '{"deviceInfo":{"devEui":"0101010101010101"},"acknowledged":true}'; is "$(becomes done became "$valve")" done "broker: its acknowledgement ends it"
players_end
edge_node "$there" "$there" plant:gw1:valve there
head -c 300000 /dev/zero | tr '\0' '1' >"$dir/much"
bad() { api GET "lines/$line/figures" | head -n 1 | jq .bad; }; were=$(bad)
timeout 20 mosquitto_pub $there -t big/number -f "$dir/much"; timeout 20 mosquitto_pub $there -t big/number -m 7; is "$(becomes 7 latest big number), $(bad)" "7, $were" "broker: what is larger than it was told it does not send us"
is "$(status PATCH "lines/$line" '{"enabled":false}')" 200 "broker: the line is switched off"
is "$(becomes false host_is)" false "broker: and says that its host is gone"
kill "$broker"; wait "$broker" 2>/dev/null; broker=
