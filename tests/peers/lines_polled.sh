# Lines whose devices are asked: meters and controllers behind a serial server, a serial port, a gateway that connects to us;
# what they say, what they are told, who is silent and who is found; masters and devices of others.

# line NAME KIND MEMBERS: a new line, asked every second unless its models say otherwise; prints its id.
line() { make lines "{\"name\":\"$1\",\"kind\":\"$2\",\"community_id\":\"$community\",\"every_s\":1,\"enabled\":true,$3}"; }
dial() { line "$1" "$2" "\"reach\":\"dial\",\"host\":\"127.0.0.1\",\"port\":${3##*:}"; }
# device CODE MODEL LINE ADDRESS: a new one, adopted; prints its id.
device() {
    local row
    row=$(make devices "{\"name\":\"$1\",\"code\":\"$1\",\"model\":\"$2\",\"line_id\":\"$3\",\"address\":\"$4\",\"community_id\":\"$community\"}")
    api POST "devices/$row/adopt" "{\"name\":\"$1\",\"place_id\":\"$place\"}" >/dev/null
    echo "$row"
}
has() { [ -n "$(reading "$1" "$2")" ] && echo yes; }

log_in admin; say $? "polled: logs in"
community=$(one 'lines?f.kind=gb26875' 'items[0].community_id')
place=$(one 'places?f.kind=equipment' 'items[0].id')
[ -n "$community" ] && [ -n "$place" ]; say $? "polled: there is an estate"
model() { is "$(status POST device_models "$1")" 201 "polled: a model of $2"; }
sed -n '/^```json/,/^```/p' docs/models.md | sed '1d; $d; s/"code": "water_meter"/"code": "p_docs"/' >"$dir/model.json"
model "@$dir/model.json" "the documents' example, from its file"
model '{"code":"p_meter","name":"电表","protocol":"dlt645","metrics":[{"metric":"energy","unit":"kWh","item":"0001FF00","kind":"counter"},{"metric":"voltage_a","unit":"V","item":"0201FF00"},{"metric":"power","unit":"kW","item":"02030000"},{"metric":"relay_open","item":"04000503"}],"commands":[{"command":"trip","item":"1C","value":"trip","dangerous":true},{"command":"close","item":"1C","value":"close","dangerous":true}]}' "electricity meters"
model '{"code":"p_water","name":"水表","protocol":"cjt188","metrics":[{"metric":"volume","unit":"m3","item":"901F","kind":"counter"},{"metric":"valve","item":"901F"}],"commands":[{"command":"close","item":"A017","value":"close","dangerous":true},{"command":"open","item":"A017","value":"open","dangerous":true}]}' "water meters"
model '{"code":"p_plc","name":"控制器","protocol":"modbus","metrics":[{"metric":"voltage","unit":"V","item":"input:0:*0.1"},{"metric":"power","unit":"W","item":"input:2:f32"},{"metric":"energy","unit":"Wh","item":"input:4:u32","kind":"counter"},{"metric":"temperature","unit":"Cel","item":"input:6:s16:*0.1"},{"metric":"set_temperature","unit":"Cel","item":"holding:7:*0.1"},{"metric":"nothing","item":"holding:95"},{"metric":"beyond","item":"holding:110"},{"metric":"output","item":"discrete:3"}],"commands":[{"command":"switch","item":"coil:3"},{"command":"set","item":"holding:7:*0.1"},{"command":"wrong","item":"holding:500","value":"1"}]}' "controllers"
model '{"code":"p_lib","name":"libmodbus","protocol":"modbus","metrics":[{"metric":"temperature","unit":"Cel","item":"holding:0:*0.1"},{"metric":"below","item":"holding:3:s16"},{"metric":"voltage","unit":"V","item":"input:10:f32:cdab"},{"metric":"contact","item":"discrete:5"},{"metric":"lamp","item":"coil:7"}],"commands":[{"command":"lamp","item":"coil:7"},{"command":"set","item":"holding:20:u32:cdab"}]}' "what libmodbus is"

# ---- five meters of both editions on one bus: who is there?  Their answers mix, and the search tells them apart

start many "$bin" simulate dlt645 --listen 0 --devices 5 --first 101 --forms 2007,2007,2007,1997; say $? "polled: five meters, one of them of 1997, on one bus"
many=$started
crowd=$(dial 一线多表 dlt645 "$at")
is "$(becomes open one "lines/$crowd" state)" open "polled: the line to them is open"
old=$(device PO-1 p_meter "$crowd" 000000000104)
is "$(becomes yes has PO-1 energy)" yes "polled: a meter of 1997 is found to be one, and read by a model of 2007"
is "$(is_like PO-1 energy_t4 10 100000) $(is_like PO-1 voltage_c 210 230) $(is_like PO-1 power 0.3 3) $(has PO-1 relay_open)" 'true true true ' "polled: with its tariffs, voltages and power; what it does not have is left out"
is "$(one "devices/$old" state)" normal "polled: it is not silent for that"
is "$(status POST "lines/$crowd/find" '{}')" 200 "polled: who is there?"
searched() { api GET "lines/$1/figures" | head -n 1 | jq -c ".search | $2"; }
is "$(becomes "[true,true]" searched "$crowd" "[.began_ms > 0, .asked < .of]")" "[true,true]" "polled: how far the search is can be seen"

# ---- a serial server that we dial: three meters over a bad line, a fourth that is dead

start meters "$bin" simulate dlt645 --listen 0 --devices 3 --first 5001 --seed 7 --json --faults noise,split,merge,badsum,lost,slow,replay,storm
say $? "polled: meters behind a serial server"
meters=$started meters_at=$at
bus=$(dial 电表总线 dlt645 "$meters_at")
is "$(becomes open one "lines/$bus" state)" open "polled: the line to it is open"
for n in 1 2 3 4; do ids[n]=$(device "PM-$n" p_meter "$bus" "00000000500$n"); done
for n in 1 2 3; do
    is "$(becomes yes has "PM-$n" relay_open)" yes "polled: meter $n is read whatever the line does"
    is "$(is_like "PM-$n" energy 500 100000) $(is_like "PM-$n" energy_t4 10 100000) $(is_like "PM-$n" voltage_c 210 230) $(is_like "PM-$n" power 0.3 3)" 'true true true true' \
        "polled: its block in two parts, its voltages and its power"
done
is "$(becomes_s=60 becomes offline one "devices/${ids[4]}" state)" offline "polled: a meter that is not there is offline"
is "$(one "devices/${ids[1]}" state)" normal "polled: the others are not"
is "$(api GET "lines/$bus/figures" | head -n 1 | jq -c '[.frames > 10, .bad > 0, (.good_samples | map(.frame.from) | unique)]')" '[true,true,["meter"]]' \
    "polled: frames of meters are counted and shown, and what was none"
stop "$meters"
is "$(tail -n 1 "$dir/meters" | jq -c '[.protocol, .heard > 20, ([.faults[] | . > 0] | all)]')" '["dlt645",true,true]' "simulate: says what it heard and did"
is "$(becomes failed one "lines/$bus" state)" failed "polled: the serial server is gone, and the line says so"
start meters "$bin" simulate dlt645 --listen "${meters_at##*:}" --devices 4 --first 5001 --json; say $? "polled: it comes back with the fourth"
meters=$started
is "$(becomes normal one "devices/${ids[4]}" state)" normal "polled: who was offline is heard again"
is "$(becomes yes has PM-4 energy)" yes "polled: and read"

api POST "devices/${ids[2]}/set_password" '{"password":"02000000"}' >/dev/null
is "$(told "${ids[2]}" trip | paste -sd' ')" 'asked failed wrong_password' "polled: a relay is not opened by a wrong password"
is "$(becomes 0 reading PM-2 relay_open)" 0 "polled: it is closed still"
is "$(status POST "devices/${ids[2]}/set_password" '{"password":"02123456"}')" 200 "polled: the right one"
is "$(told "${ids[2]}" trip | paste -sd' ')" 'asked done' "polled: opens it, once confirmed"
is "$(becomes 1 reading PM-2 relay_open) $(becomes 0 reading PM-2 power)" '1 0' "polled: its meter says so, and nothing flows"
is "$(reading PM-1 relay_open)" 0 "polled: another's relay is as it was"
is "$(told "${ids[2]}" close | paste -sd' ') $(becomes 0 reading PM-2 relay_open)" 'asked done 0' "polled: it is closed again"
stop "$meters"

# ---- a gateway (DTU) that connects to us and says who it is

gate=$(line 水表网关 cjt188 '"reach":"listen","greeting":"LINLI-0007"')
is "$(becomes open one "lines/$gate" state)" open "polled: a line waits for a gateway"
gate_at=$(one "lines/$gate" address)
"$bin" simulate cjt188 --to "$gate_at" --greeting NOBODY --json >"$dir/nobody" 2>&1; is $? 1 "polled: one that says another name is hung up on"
is "$(api GET "lines/$gate/figures" | head -n 1 | jq -c '[.bad > 0, .frames, .bad_samples[0].rule]')" \
    '[true,0,"the gateway did not say the registration that the line asks for"]' "polled: and shown with what it said"
water=$(device PW-1 p_water "$gate" 00000000006001)
timeout --foreground 600 "$bin" simulate cjt188 --to "$gate_at" --greeting LINLI-0007 --devices 2 --first 6001 --json --faults noise,merge,split,replay,storm >"$dir/water" 2>&1 &
gateway=$!
pids+=("$gateway")
is "$(becomes yes has PW-1 volume)" yes "polled: the right one is asked, and answers"
is "$(becomes 1 reading PW-1 valve)" 1 "polled: the valve of a water meter is open"
is "$(told "$water" close | paste -sd' ')" 'asked done' "polled: it is told to close, confirmed, done"
is "$(becomes 0 reading PW-1 valve)" 0 "polled: and is closed"
is "$(one "commands?f.device_id=$water&f.state=done" 'items[0] | .ended_ms - .sent_ms >= 3000')" true "polled: which was said once the valve stood there"
volume=$(reading PW-1 volume)
is "$(told "$water" open | paste -sd' ') $(becomes 1 reading PW-1 valve)" 'asked done 1' "polled: it opens again"
is "$(jq -n "$(reading PW-1 volume) >= $volume")" true "polled: the volume did not fall"
stop "$gateway"

start early "$bin" simulate cjt188 --listen 0 --first 6101 --json --faults drift; say $? "polled: a water meter whose clock runs away"
early=$started
early_id=$(device PW-3 p_water "$(dial 水表走快 cjt188 "$at")" 00000000006101)
found() { api GET "devices/$1/doctor" | head -n 1 | jq -r '[.findings[].code] | join(" ")'; }
is "$(becomes clock_off found "$early_id")" clock_off "polled: the doctor says so"
is "$(told "$early_id" close | paste -sd" ")" "asked done" "polled: its valve closes all the same"
stop "$early"

# ---- a serial port, and who is there

socat -d -d pty,raw,echo=0 pty,raw,echo=0 >"$dir/ptys" 2>&1 &
pids+=($!)
for _ in $(seq 50); do [ "$(grep -c 'PTY is' "$dir/ptys")" = 2 ] && break; sleep 0.1; done
mapfile -t ports < <(sed -n 's/.*PTY is \(.*\)/\1/p' "$dir/ptys")
timeout --foreground 600 "$bin" simulate dlt645 --serial "${ports[0]}" --first 7001 >"$dir/single" 2>&1 &
single=$!
pids+=("$single")
wire=$(line 单表串口 dlt645 "\"reach\":\"serial\",\"serial\":\"${ports[1]}\",\"baud\":\"2400\"")
is "$(becomes open one "lines/$wire" state)" open "polled: a serial port is open"
stranger() { api GET 'devices?f.state=new&q=7001' | head -n 1 | jq -r "[.items[] | select(.line_id == \"$wire\") | .code] | join(\" \")"; }
is "$(status POST "lines/$wire/find" '{}')" 200 "polled: who is there?"
is "$(becomes 000000007001 stranger)" 000000007001 "polled: a meter nobody knew is put aside with its line"
stranger_id=$(one 'devices?f.state=new&q=7001' 'items[0].id')
is "$(status POST "devices/$stranger_id/adopt" "{\"name\":\"新表\",\"model\":\"p_meter\",\"place_id\":\"$place\"}")" 200 "polled: it is adopted"
is "$(becomes yes has 000000007001 voltage_b)" yes "polled: and read over the serial port"
stop "$single"

# ---- the search of the five

aside() { api GET "devices?f.state=new&f.line_id=$1" | head -n 1 | jq -r '[.items[].code] | sort | join(" ")'; }
is "$(becomes_s=150 becomes true searched "$crowd" '.ended_ms > 0')" true "polled: the search of five meters is over"
is "$(searched "$crowd" '[.found, .mixed, .asked == .of, .asked <= 110]')" '[5,0,true,true]' "polled: all five were found, which took a hundred questions"
is "$(aside "$crowd")" '000000000101 000000000102 000000000103 000000000105' "polled: and those that nobody knew are put aside"
is "$(api GET "lines/$crowd/figures" | head -n 1 | jq -c '[.asked > 100, .missed >= 0, (.good_samples | map(.asked | startswith("FEFEFEFE68")) | all)]')" '[true,true,true]' \
    "polled: questions are counted, and shown beside their answers"
stop "$many"

# ---- Modbus: our devices, and libmodbus

start plc "$bin" simulate modbus --listen 0 --devices 2 --json --faults noise,split,merge,replay,storm; say $? "polled: controllers over TCP"
plc=$started plc_at=$at
tcp=$(dial 控制器 modbus "$plc_at")
pump=$(device PP-1 p_plc "$tcp" 1)
is "$(becomes yes has PP-1 temperature)" yes "polled: a controller is read"
is "$(becomes yes has PP-1 nothing) $(has PP-1 beyond)" 'yes ' "polled: what stands beyond its registers hides nothing that is there"
is "$(is_like PP-1 voltage 210 230) $(is_like PP-1 power 1400 1600) $(is_like PP-1 energy 1000 4000000000)" 'true true true' "polled: numbers of one register and of two"
is "$(told "$pump" switch on | paste -sd' ') $(becomes 1 reading PP-1 output)" 'done 1' "polled: an output is switched"
is "$(told "$pump" set 21.5 | paste -sd' ') $(becomes 21.5 reading PP-1 set_temperature)" 'done 21.5' "polled: a set point is set, its factor undone"
is "$(told "$pump" set 21.55 | head -n 1)" failed "polled: one that the register cannot hold is not"
is "$(told "$pump" wrong | paste -sd' ')" 'failed illegal_address' "polled: a register that is not there refuses"
is "$(status POST "lines/$tcp/find" '{}')" 200 "polled: who is behind the controllers' address?"
is "$(becomes 控制器-2 aside "$tcp")" 控制器-2 "polled: the second, and the first is known"
poll() { mbpoll -0 -1 -o 5 "$@" 2>/dev/null | sed -n 's/^\[[0-9]*\]: *\t*\([-0-9.]*\).*/\1/p' | paste -sd' '; }
stop "$plc"
start plc "$bin" simulate modbus --listen "${plc_at##*:}"; plc=$started
is "$(becomes 0 reading PP-1 set_temperature)" 0 "polled: a controller begins anew"
is "$(told "$pump" set 19.5 | paste -sd' ')" 'done' "polled: it is told"
is "$(poll -m tcp -p "${plc_at##*:}" -a 1 -t 4 -r 7 -c 1 127.0.0.1)" 195 "mbpoll: sees the set point where it stands"
stop "$plc"
start plc "$bin" simulate modbus --listen "${plc_at##*:}" --faults badsum,slow --json; plc=$started
is "$(becomes 0 reading PP-1 set_temperature)" 0 "polled: it begins anew once more, and is read though every other answer is to another question, or shorter than it says"
stop "$plc"
is "$(tail -n 1 "$dir/plc" | jq -c '[.faults[] | . > 0] | all')" true "simulate: and says so"
cc -o "$dir/modbus_server" tests/peers/modbus_server.c $(pkg-config --cflags --libs libmodbus); say $? "libmodbus: a device of its own"
start theirs "$dir/modbus_server"; say $? "libmodbus: over TCP"
theirs=$started
lib=$(dial libmodbus modbus "$at")
theirs_id=$(device PL-1 p_lib "$lib" 9)
is "$(becomes 21.7 reading PL-1 temperature) $(reading PL-1 below) $(becomes 220.1 reading PL-1 voltage) $(becomes 1 reading PL-1 contact)" '21.7 -2 220.1 1' "libmodbus: is read, in all its tables"
is "$(told "$theirs_id" lamp on | paste -sd' ') $(becomes 1 reading PL-1 lamp)" 'done 1' "libmodbus: is told, and shows it"
is "$(told "$theirs_id" set 74565 | paste -sd' ')" 'done' "libmodbus: takes two registers"
answered() { jq -n "$(one "lines/$1/figures" frames) > $2"; }
before=$(one "lines/$lib/figures" frames)
is "$(status POST "lines/$lib/find" '{}') $(becomes true answered "$lib" $((before + 250)))" '200 true' "libmodbus: who is there?  It answers to every unit over TCP"
is "$(aside "$lib")" libmodbus-1 "libmodbus: and is put aside once"
stop "$theirs"
is "$(status PATCH "lines/$wire" '{"enabled":false}') $(becomes closed one "lines/$wire" state)" '200 closed' "polled: a serial port is given back"
start theirs "$dir/modbus_server" "${ports[0]}"; say $? "libmodbus: on a serial port"
theirs=$started
is "$(status PATCH "lines/$lib" '{"enabled":false}')" 200 "libmodbus: its first line is closed"
serial=$(line 串口控制器 modbus_rtu "\"reach\":\"serial\",\"serial\":\"${ports[1]}\",\"baud\":\"9600\",\"parity\":\"none\"")
device PL-2 p_lib "$serial" 9 >/dev/null
is "$(becomes 21.7 reading PL-2 temperature) $(becomes -2 reading PL-2 below) $(becomes 220.1 reading PL-2 voltage)" '21.7 -2 220.1' "libmodbus: is read over it, too"
for pid in "${pids[@]}"; do stop "$pid"; done
