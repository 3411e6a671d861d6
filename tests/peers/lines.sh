# Lines by clients that are not ours and by our own devices: bad frames shown on their line, strangers with the line they
# came from, rows that open and close listeners, frames told by the command line.

line=$(sed -n 's/^listen gb26875 \([^ ]*\)$/\1/p' "$dir/out")
log_in admin; say $? "lines: logs in"
id=$(api GET 'lines?f.kind=gb26875' | head -n 1 | jq -r '.items[0].id')
figure() { api GET "lines/$id/figures" | head -n 1 | jq -c "$1"; }
field() { api GET "lines/$id" | head -n 1 | jq -r ".$1"; }
send() { printf "$(printf '\\x%s' $1)" | nc -q 2 -w 5 "${line%:*}" "${line##*:}" | od -An -v -tx1 | tr -d ' \n'; }

is "$(becomes open field state) $(field address)" "open $line" "lines: the row says where it listens"
is "$(becomes open sh -c "$(declare -f api); token=$token url=$url; api GET 'lines?f.kind=mqtt' | head -n 1 | jq -r '.items[0].state'")" open \
    "lines: and so does that of the MQTT listener"
frame='40 40 01 00 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 30 00 02 02 01 01 01 28 0A 00 02 00 02 00 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 00 02 3A 09 1A 09 0C 46 23 23'
answer=$(send "${frame/46 23 23/47 23 23}")
is "${answer:52:2}" 06 "lines: a frame with a wrong sum is denied"
is "$(figure '[.bad, .bad_samples[0].rule, .bad_samples[0].offset, .bad_samples[0].hex[-6:]]')" \
    '[1,"GB/T 26875.3 6.6: the sum is wrong",75,"472323"]' "lines: it is counted and shown with its clause and byte"
answer=$(send "${frame:0:98} $frame")
is "${answer:52:2}" 03 "lines: a frame behind one that lost bytes is confirmed at once"
is "$(figure '[.frames, .bad, .skipped_bytes]')" '[1,2,33]' "lines: what was lost is counted"
is "$(figure '.good_samples[0].frame.objects[0].component')" 40 "lines: the good frame is shown decoded"
post() { curl -s -m 10 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" -H "Content-Type: $1" --data-binary "$2" "$url/api/v1/ingest/$3"; }
web=$(api GET 'lines?f.kind=http' | head -n 1 | jq -r '.items[0].id')
is "$(post text/plain $'H-001 level=1\nH-001 level=' line) $(post application/json '[{"device":"H-001"}]' json) $(post text/plain 'm1 level=1' line)" '400 400 204' "lines: over HTTP, two bad requests and a good one"
is "$(api GET "lines/$web/figures" | head -n 1 | jq -c '[.frames, .bad, (.bad_samples[] | .text, .number, .peer)]')" \
    '[1,2,"{\"device\":\"H-001\"}",1,"127.0.0.1","H-001 level=",2,"127.0.0.1"]' "lines: are shown on its line with what was wrong"
is "$(api GET "lines/$web/figures" | head -n 1 | jq -c '.good_samples[0] | [.is_private, .length, .text, .hex]')" '[true,10,null,""]' "lines: but not what a device says that nobody knows"
log_in guard
is "$(status GET "lines/$id/figures")" 404 "lines: who may not see the line sees no figures"
log_in admin

devices=$("$bin" simulate gb26875 --to "$line" --count 60 --rate 0 --first 7001 --devices 2 --seed 3 \
    --faults noise,split,merge,badsum,lost,replay --json)
say $? "simulate: two panels over a bad line are answered, every message"
is "$(jq -c '[.sent == .confirmed, .denied > 0, .unanswered, (.faults | length)]' <<<"$devices")" '[true,true,0,6]' "simulate: and say so"
is "$(becomes 2 sh -c "$(declare -f api); token=$token url=$url; api GET 'devices?f.state=new&q=700' | head -n 1 | jq '[.items[] | select(.line_id != null)] | length'")" 2 \
    "lines: panels nobody knows are put aside with the line they came from"
is "$("$bin" simulate gb26875 --to "$line" --count 40 --rate 0 --first 7003 --devices 2 --faults storm,drift --json | jq -c '[.confirmed, .unanswered, .faults]')" \
    '[40,0,{"storm":40,"drift":40}]' "simulate: panels in a storm of alarms whose clocks run away are answered, too"
"$bin" simulate gb26875 --to 127.0.0.1:1 --count 1 >/dev/null 2>&1; is $? 1 "simulate: where nobody is, it exits 1"
"$bin" simulate gb26875 --to "$line" --faults thunder >/dev/null 2>&1; is $? 2 "simulate: a fault that is none is wrong usage"

air=$(api POST lines "{\"name\":\"环境监测\",\"kind\":\"hj212\",\"enabled\":true,\"community_id\":\"$(field community_id)\"}" | head -n 1 | jq -r .id)
air_address() { api GET "lines/$air" | head -n 1 | jq -r '.address // empty'; }
for _ in $(seq 50); do [ -z "$(air_address)" ] || break; sleep 0.2; done
stations=$("$bin" simulate hj212 --to "$(air_address)" --count 40 --rate 0 --devices 2 --first 5 --seed 4 --faults noise,split,merge,badsum,lost,replay --json)
say $? "simulate: two stations over a bad line are answered, every message"
is "$(jq -c '[.sent == .confirmed, .unanswered]' <<<"$stations")" '[true,0]' "simulate: all of them"
is "$(api GET "lines/$air/figures" | head -n 1 | jq -c '[.kind, .frames > 40, .bad > 0, (.bad_samples | map(.rule) | any(startswith("HJ 212")))]')" '["hj212",true,true,true]' \
    "lines: a station's frames are counted, and bad ones shown with their rule"
is "$(becomes 2 sh -c "$(declare -f api); token=$token url=$url; api GET 'devices?f.state=new&q=440300LINLI' | head -n 1 | jq '[.items[] | select(.line_id == \"'$air'\")] | length'")" 2 \
    "lines: stations nobody knows are put aside with their line"
is "$(api GET 'telemetry/latest?device=440300LINLI0000000000005' | head -n 1 | jq -c '[.items[] | select(.metric | test("_") | not) | [.metric, .unit]] | sort')" \
    '[["humidity","%"],["noise","dB(A)"],["pm10","ug/m3"],["pm25","ug/m3"],["temperature","Cel"]]' "lines: and their readings are kept"
# open_line KIND NAME: makes a line; sets line_id and line_at, where it listens.
open_line() {
    line_id=$(api POST lines "{\"name\":\"$2\",\"kind\":\"$1\",\"enabled\":true,\"community_id\":\"$(field community_id)\"}" | head -n 1 | jq -r .id)
    for _ in $(seq 50); do
        line_at=$(api GET "lines/$line_id" | head -n 1 | jq -r '.address // empty')
        [ -z "$line_at" ] || break
        sleep 0.2
    done
}
# strangers TEXT: how many devices nobody knows came over the line.
strangers() { api GET "devices?f.state=new&q=$1" | head -n 1 | jq "[.items[] | select(.line_id == \"$line_id\")] | length"; }
metrics() { api GET "telemetry/latest?device=$1" | head -n 1 | jq -c '[.items[] | [.metric, .unit]] | sort'; }

open_line watch 老人手环
watches=$("$bin" simulate watch --to "$line_at" --count 500 --rate 0 --devices 5 --first 5 --seed 4 --faults noise,split,merge,badsum,lost,replay --json)
say $? "simulate: watches of five makers over a bad line log in and are answered, every message"
is "$(jq -c '[.sent == .confirmed, .unanswered]' <<<"$watches")" '[true,0]' "simulate: all of them"
is "$(api GET "lines/$line_id/figures" | head -n 1 | jq -c '[.kind, .frames > 200, .bad > 0, (.bad_samples | map(.rule) | any(startswith("watch")))]')" '["watch",true,true,true]' \
    "lines: a watch's frames are counted, and bad ones shown with their rule"
is "$(becomes 2 strangers 8600000000000) $(becomes 1 strangers 0000000006) $(becomes 1 strangers 0000000008) $(becomes 1 strangers 0000000009)" '2 1 1 1' "lines: watches nobody knows are put aside with their line"
is "$(metrics 860000000000007 | jq -c '["battery","body_temperature","course","diastolic","heart_rate","latitude","longitude","satellites","signal","speed","spo2","steps","systolic","tumbles"] - [.[][0]]')" '[]' \
    "lines: what one of IW measures, too, of which only its log-in says who it is"
is "$(metrics 860000000000005)" \
    '[["altitude","m"],["battery","%"],["body_temperature","Cel"],["course","deg"],["diastolic","mm[Hg]"],["heart_rate","/min"],["latitude","deg"],["longitude","deg"],["satellites",null],["signal","%"],["speed","km/h"],["spo2","%"],["steps",null],["systolic","mm[Hg]"],["tumbles",null]]' \
    "lines: and where they are and how their wearers do is kept"
sos='[3G*8800000015*004F*AL,211126,003000,A,22.543096,N,114.057865,E,0.0,0.0,0.0,8,90,55,1200,0,00010000]'
is "$(printf '%s%s' "${sos:0:40}" "$sos" | nc -q 2 -w 5 "${line_at%:*}" "${line_at##*:}")" '[3G*8800000015*0002*AL][3G*8800000015*0002*CR]' "lines: an SOS behind a torn frame is answered, and asked where it is"
# A bracelet whose model says what of it is private: its readings and its frames are hidden alike.
hidden() { api GET "lines/$line_id/figures" | head -n 1 | jq -c '[[.good_samples[], .bad_samples[] | .hex, .text, .frame, .events | values | select(. != "")], ([.good_samples[].is_private, .bad_samples[].is_private] | unique)]'; }
is "$(hidden)" '[[],[true]]' "lines: what watches say that nobody knows is not shown, nor what of it cannot be read"
wearer=$(make devices "{\"name\":\"王奶奶\",\"code\":\"8800000099\",\"model\":\"elder_watch\",\"line_id\":\"$line_id\",\"community_id\":\"$(field community_id)\"}")
is "$(status POST "devices/$wearer/adopt" "{\"name\":\"王奶奶\",\"place_id\":\"$(field community_id)\"}")" 200 "lines: a bracelet is adopted"
sleep 3
printf %s "${sos/8800000015/8800000099}" | nc -q 2 -w 5 "${line_at%:*}" "${line_at##*:}" >/dev/null
shown() { api GET "lines/$line_id/figures" | head -n 1 | jq -c '.good_samples[0] | [.device, .is_private, .length, ([.readings[].key] | sort), .hex, has("frame"), has("events")]'; }
for who in repairer manager admin; do
    log_in $who
    is "$(shown)" "[\"8800000099\",true,100,$(api GET 'telemetry/latest?device=8800000099&community=yunshanli' | head -n 1 | jq -c '[.items[].metric] | sort'),\"\",false,false]" \
        "lines: of its frame a $who is shown the readings that he may see, and no more"
done
is "$(shown | jq -c '.[3]')" '["battery","satellites","signal"]' "lines: which are those of the device, not of who wears it"
is "$(status POST "lines/$line_id/find" '{}') $(api POST "lines/$line_id/find" '{}' | head -n 1 | jq -r .code)" "409 not_searchable" "lines: nobody is searched for where nobody could be found"
is "$(api POST "lines/$line_id/set_secret" '{"secret":"sesame"}' | head -n 1 | jq -r .code)" takes_no_secret "lines: and no secret is kept that nothing wants"

"$bin" simulate watch --to "$line_at" --forms 3G,XX >/dev/null 2>&1; is $? 2 "simulate: a form that is none is wrong usage"

open_line jt808 物业车辆
vehicles=$("$bin" simulate jt808 --to "$line_at" --count 600 --rate 0 --devices 3 --first 5 --seed 4 --faults noise,split,merge,badsum,lost,replay --json)
say $? "simulate: vehicles of 2013, 2019 and 2011 over a bad line register, authenticate and are answered, every message"
is "$(jq -c '[.sent == .confirmed, .unanswered, .denied, .max_ms > 4900]' <<<"$vehicles")" '[true,0,0,true]' "simulate: all of them, parts that were left out once they are asked for"
is "$(api GET "lines/$line_id/figures" | head -n 1 | jq -c '[.kind, .frames > 120, .bad > 0, (.bad_samples | map(.rule) | any(startswith("JT/T 808")))]')" '["jt808",true,true,true]' \
    "lines: a vehicle's frames are counted, and bad ones shown with their rule"
is "$(api GET "lines/$line_id/figures" | head -n 1 | jq '[.bad_samples[].rule | select(contains("parts"))] | length')" 0 "lines: what a vehicle left out of a message in parts it says when it is asked"
is "$(becomes 3 strangers 00000000000)" 3 "lines: vehicles nobody knows are put aside with their line"
is "$(metrics 00000000000000000006)" \
    '[["altitude","m"],["course","deg"],["ignition",null],["latitude","deg"],["longitude","deg"],["mileage","km"],["rssi",null],["satellites",null],["speed","km/h"]]' \
    "lines: and where they are is kept"

gate=$(api POST lines "{\"name\":\"大门相机\",\"kind\":\"vz\",\"enabled\":true,\"community_id\":\"$(field community_id)\"}" | head -n 1)
key=$(jq -r .push_key <<<"$gate") gate=$(jq -r .id <<<"$gate")
[[ $key =~ ^[0-9A-F]{32}$ ]]; say $? "push: a line of cameras has an address of its own"
is "$(becomes open sh -c "$(declare -f api); token=$token url=$url; api GET lines/$gate | head -n 1 | jq -r .state")" open "push: and is open"
push() { curl -s -m 20 -w ' %{http_code}' -H 'Content-Type: application/json' --data-binary "$2" "$url/api/v1/push/$1"; }
seen() { echo "{\"AlarmInfoPlate\":{\"serialno\":\"linli-889\",\"result\":{\"PlateResult\":{\"license\":\"$1\",\"confidence\":97,\"plateid\":$2}}}}"; }
opens() { push "$key" "$(seen "$1" "$2")" | sed 's/.*"info":"\([a-z]*\)".* \([0-9]*\)$/\1 \2/'; }
is "$(push "${key//[0-9]/0}" '{}' | tail -c 3)" 404 "push: another address is nobody's"
is "$(push "$key" '{"AlarmInfoPlate":' | tail -c 3)" 400 "push: what is no message is refused"
cameras=$("$bin" simulate vz --to "${url#http://}" --key "$key" --count 30 --rate 0 --devices 2 --seed 5 --faults split,merge,replay --json)
say $? "simulate: two cameras over HTTP are answered, every push"
is "$(jq -c '[.sent == .confirmed, .unanswered]' <<<"$cameras")" '[true,0]' "simulate: all of them"
"$bin" simulate vz --to "${url#http://}" --key 0 --count 1 >/dev/null 2>&1; is $? 1 "simulate: with another key it is refused"
is "$(api GET "lines/$gate/figures" | head -n 1 | jq -c '[.frames > 30, .bad, .bad_samples[0].rule, ([.good_samples[] | select(.length > 0 and .frame.message == "plate")] | length)]')" \
    '[true,1,"VZ push: this is no JSON",0]' "push: they are counted, and no plate is kept with them"
is "$("$bin" simulate vz --to "${url#http://}" --key "$key" --count 12 --rate 0 --faults storm --json | jq -c '[.confirmed, .unanswered, .denied > 0]')" '[12,0,true]' \
    "simulate: one in a storm is told that it is too fast, and is answered in the end"
sleep 2 # then it may push again
camera=$(api GET 'devices?f.state=new&q=linli-889' | head -n 1 | jq -r '.items[0].id')
[[ $camera =~ ^[0-9]+$ ]]; say $? "push: a camera nobody knows is put aside"
is "$(opens 粤B12345 1)" "no 200" "push: and opens for nobody"
place=$(api POST places "{\"name\":\"北门\",\"kind\":\"gate\",\"parent_id\":\"$(field community_id)\"}" | head -n 1 | jq -r .id)
is "$(status POST "devices/$camera/adopt" "{\"name\":\"北门相机\",\"place_id\":\"$place\"}")" 200 "push: it is adopted at a gate"
is "$(opens 粤B12345 2)" "no 200" "passes: without a pass the barrier stays closed"
is "$(api POST passes "{\"kind\":\"plate\",\"value\":\"粤b·12345\",\"place_id\":\"$(field community_id)\"}" | head -n 1 | jq -r .value)" 粤B12345 "passes: one is given, its plate in the form of cameras"
is "$(opens 粤B12345 3)" "ok 200" "passes: the answer opens"
is "$(opens 粤B12345 3)" "no 200" "passes: said again it opens no second time"
is "$(opens 粤B12345 5)" "ok 200" "passes: seen again it does"
is "$(opens 京A00001 4)" "no 200" "passes: for another plate it does not"

lift=31104403002018010001
lifts=$(api POST lines "{\"name\":\"电梯平台\",\"kind\":\"lift\",\"enabled\":true,\"community_id\":\"$(field community_id)\"}" | head -n 1)
lift_key=$(jq -r .push_key <<<"$lifts") lifts=$(jq -r .id <<<"$lifts")
is "$(becomes open sh -c "$(declare -f api); token=$token url=$url; api GET lines/$lifts | head -n 1 | jq -r .state")" open "lifts: their line is open"
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
stuck="{\"regCode\":\"$lift\",\"ts\":\"$(now)\",\"serviceMode\":1,\"carStatus\":0,\"doorZone\":false,\"carPosition\":\"12\",\"doorClosed\":true,\"passenger\":true}"
is "$(push "$lift_key" "$stuck")" '{"code":0,"message":"ok"} 200' "lifts: a record is answered as platforms do"
is "$(api GET "telemetry/latest?device=$lift" | head -n 1 | jq -c '[.items[] | [.metric, .value]] | sort')" \
    '[["door_closed",1],["door_zone",0],["entrapped",1],["floor",12],["passenger",1],["running",0],["service_mode",1]]' "lifts: it says that somebody is shut in"
is "$(push "$lift_key" '{"regCode":"3110"}' | tail -c 3)" 400 "lifts: one that names no lift is refused"
lift_id=$(api GET "devices?f.state=new&q=$lift" | head -n 1 | jq -r '.items[0].id')
is "$(status POST "devices/$lift_id/adopt" "{\"name\":\"一号梯\",\"model\":\"lift\",\"place_id\":\"$place\"}")" 200 "lifts: a lift that nobody knew is adopted"
sleep 3 # its rules come with it, and are read within a second or two
is "$(push "$lift_key" "{\"regCode\":\"$lift\",\"code\":\"90\",\"begin\":\"$(now)\"}" | tail -c 3)" 200 "lifts: somebody presses the button"
is "$(becomes 1 sh -c "$(declare -f api); token=$token url=$url; api GET 'alarms?f.device_id=$lift_id' | head -n 1 | jq '[.items[] | select(.severity == \"bad\")] | length'")" 1 \
    "lifts: that is an alarm"
is "$(api GET "passages?f.place_id=$place&sort=created_ms" | head -n 1 | jq -c '[.items[] | [.granted, .why]]')" \
    '[[false,"unknown"],[true,"given"],[false,"unknown"]]' "passes: each passage is a row with its reason"
log_in dispatcher
is "$(api GET "passages?f.place_id=$place&f.granted=true" | head -n 1 | jq -c '[.items[] | .value]')" '["粤**"]' "passes: at the desk plates are masked"
[[ $(api GET "lines/$gate" | head -n 1 | jq -r .push_key) != "$key" ]]; say $? "push: nor does the desk see the address"
log_in admin
# own LINE CODE KIND PASSWORD COMMANDS: makes a model that can be told these, and a device of it on the line; sets device.
own() {
    local place
    place=$(api GET 'places?f.kind=equipment&limit=1' | head -n 1 | jq -r '.items[0].id')
    api POST device_models "{\"code\":\"told_$3\",\"name\":\"told $3\",\"category\":\"fire\",\"protocol\":\"$3\",\"commands\":[$5]}" >/dev/null
    device=$(api POST devices "{\"name\":\"$2\",\"code\":\"$2\",\"model\":\"told_$3\",\"line_id\":\"$1\",\"community_id\":\"$(field community_id)\"}" | head -n 1 | jq -r .id)
    api POST "devices/$device/adopt" "{\"name\":\"$2\",\"place_id\":\"$place\"}" >/dev/null
    [ -z "$4" ] || api POST "devices/$device/set_password" "{\"password\":\"$4\"}" >/dev/null
}
# tell COMMAND [VALUE]: tells the device, and prints what became of it.
tell() {
    local order state
    order=$(api POST commands "{\"device_id\":\"$device\",\"command\":\"$1\",${2:+\"value\":\"$2\",}\"reason\":\"a test\",\"community_id\":\"$(field community_id)\"}" | head -n 1 | jq -r .id)
    for _ in $(seq 100); do
        state=$(api GET "commands/$order" | head -n 1 | jq -r '[.state, .answer // empty] | join(" ")')
        case $state in queued | sent) sleep 0.2 ;; *) break ;; esac
    done
    echo "$state"
}
code_is() { printf '{"command":"%s","name_zh":"%s","item":"%s"%s}' "$1" "$1" "$2" "${3:+,\"value\":\"$3\"}"; }
own "$id" 7100 gb26875 '' "$(code_is duty duty),$(code_is clock clock now),$(code_is state device_state read)"
"$bin" simulate gb26875 --to "$line" --first 7100 --count 1000000 --rate 1 >/dev/null & panel=$!
becomes '"7100"' sh -c "$(declare -f api); token=$token url=$url; api GET 'lines/$id/figures' | head -n 1 | jq '[.good_samples[].frame.source | select(. == 7100)][0] | tostring'" >/dev/null
is "$(tell clock), $(tell state), $(tell duty 1), $(tell duty never)" 'done, done, done, failed its protocol cannot say this' \
    "simulate: a panel's clock is set, its state read, its guard called"
is "$(becomes true sh -c "$(declare -f api); token=$token url=$url; api GET 'lines/$id/figures' | head -n 1 | jq '[.good_samples[].events[]?.code] | any(. == \"duty_answer\")'")" true \
    "simulate: and the guard answers"
kill "$panel"
wait "$panel" 2>/dev/null
own "$air" 440300LINLI0000000000077 hj212 123456 "$(code_is clock clock now),$(code_is interval interval),$(code_is hour hour)"
"$bin" simulate hj212 --to "$(air_address)" --first 77 --count 1000000 --rate 1 >/dev/null & station=$!
becomes true sh -c "$(declare -f api); token=$token url=$url; api GET 'telemetry/latest?device=440300LINLI0000000000077' | head -n 1 | jq '.items | length > 0'" >/dev/null
day=$(TZ=Asia/Shanghai date -d '2 days ago' +%Y-%m-%d)
is "$(tell clock), $(tell interval 30), $(tell hour "${day//-/}000000 ${day//-/}040000"), $(tell hour '20990101000000 now')" 'done, done, done, failed no_data' \
    "simulate: a station's clock and interval are set, its history read, or there is none"
is "$(api GET "telemetry?device=440300LINLI0000000000077&metric=pm25_hour_avg&from=${day}T00:00:00%2B08:00&to=${day}T05:00:00%2B08:00" | head -n 1 | jq '.points | length')" 5 \
    "lines: and what it kept of those hours is stored"
api POST "devices/$device/set_password" '{"password":"654321"}' >/dev/null
is "$(becomes true sh -c "$(declare -f api); token=$token url=$url; api GET 'lines/$air/figures' | head -n 1 | jq '[.good_samples[].frame | select(.mn == \"440300LINLI0000000000077\" and .cn == 2011) | .data | contains(\"PW=654321\")] | any'")" true \
    "lines: a station whose row gets another password is told it, and goes on with it"
is "$(api GET "devices/$device/doctor" | head -n 1 | jq -r '.findings[0].code')" well "lines: and all is well with it"
kill "$station"
wait "$station" 2>/dev/null
"$bin" simulate hj212 --to "$(air_address)" --first 77 --count 1000000 --rate 1 >/dev/null & station=$! # with that of before
is "$(becomes wrong_password sh -c "$(declare -f api); token=$token url=$url; api GET 'devices/$device/doctor' | head -n 1 | jq -r '.findings[0].code'")" wrong_password \
    "lines: a station that bears another password than its row is not heard, and the doctor says why"
kill "$station"
wait "$station" 2>/dev/null

is "$(status PATCH "lines/$id" '{"enabled":false}')" 200 "lines: the row is switched off"
is "$(becomes closed field state)" closed "lines: and closes"
nc -z "${line%:*}" "${line##*:}" 2>/dev/null; is $? 1 "lines: nobody listens there any more"
is "$(status PATCH "lines/$id" '{"enabled":true}')" 200 "lines: it is switched on"
is "$(becomes open field state)" open "lines: and listens again"
is "$(status PATCH "lines/$id" '{"bind":"192.0.2.1"}')" 200 "lines: an address of no machine"
is "$(becomes failed field state)" failed "lines: fails"
[[ $(field problem) = *192.0.2.1* ]]; say $? "lines: and says why"
is "$(status GET ../../readyz)" 503 "lines: so the server is not ready"
is "$(status PATCH "lines/$id" '{"bind":null}')" 200 "lines: mended"
is "$(becomes open field state)" open "lines: it listens"
is "$(status POST lines '{"name":"x","kind":"gb26875","bind":"localhost","port":1}')" 400 "lines: a name is no address"

f01=$("$bin" decode gb26875 "$frame"); say $? "decode: a good frame exits 0"
is "$(jq -c '[.protocol, .ok, .events[0].code, .events[0].device, .frame.objects[0].address, (.reply | length)]' <<<"$f01")" \
    '["gb26875",true,"fire_alarm","889",131082,60]' "decode: says what it means, and the answer"
is "$("$bin" encode gb26875 - <<<"$f01")" "${frame// /}" "encode: the way back gives the same bytes"
told=$("$bin" decode gb26875 - <<<"${frame/46 23 23/47 23 23}"); is $? 1 "decode: a bad frame exits 1"
is "$told" '{"ok":false,"rule":"GB/T 26875.3 6.6: the sum is wrong","at":75}' "decode: and names rule and byte"
"$bin" decode nothing 00 >/dev/null 2>&1; is $? 2 "decode: an unknown protocol is wrong usage"
is "$("$bin" decode --list | cut -d' ' -f1 | sort | paste -sd' ')" "bacnet chirpstack cjt188 ctwing dlt645 door esphome gb26875 hj212 homeassistant itsapi jt808 lift modbus modbus_rtu mqtt mqtt5 onenet osdp plate sparkplug tasmota ttn vz watch wiegand zigbee2mqtt" "decode: names what there is"
is "$("$bin" decode dlt645 '68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16' | jq -c '.readings[0] | [.device, .key, .value, .unit]')" \
    '["000000000161","energy",0.26,"kWh"]' "decode: a meter's energy"
is "$("$bin" encode dlt645 '{"address":"000000000161","function":"read","di":"00010000"}')" FEFEFEFE68610100000000681104333334331416 "encode: and the question for it"
station='##0149QN=20061121083000000;ST=22;CN=2011;PW=123456;MN=88888880000001;Flag=1;CP=&&DataTime=20061121083000;107-Rtd=0.061,107-Flag=N;B03-Rtd=52.3,B03-Flag=N&&4A40'
is "$("$bin" decode hj212 "$station" | jq -c '[.readings[].key, (.reply | length > 0)]')" '["tsp","noise",true]' "decode: a station, and that it is answered"
is "$("$bin" decode hj212 "$station" | "$bin" encode hj212 -)" "$station" "encode: and the same text again"
hex() { od -An -v -tx1 | tr -s ' \n' ' '; }
is "$("$bin" decode hj212 "$(printf %s "$station" | hex)")" "$("$bin" decode hj212 "$station")" "decode: a line's page shows its text as hex, which is understood, too"
is "$("$bin" decode hj212 "$(printf %s "${station/Rtd=52/Rtd=53}" | hex)")" "$("$bin" decode hj212 "${station/Rtd=52/Rtd=53}")" "decode: and what is wrong with it is told of the text"
is "$(printf %s '{"devEUI":1}' | hex | "$bin" decode chirpstack)" "$("$bin" decode chirpstack '{"devEUI":1}')" "decode: of JSON, too"
is "$("$bin" decode wiegand 01101111101100100000111101 | jq -r .rule)" 'Wiegand parity: the first half is even' "decode: bits of a card are no hex"
is "$("$bin" decode mqtt 3003000161 | "$bin" encode mqtt)" 3003000161 "decode, encode: MQTT, too"
is "$("$bin" decode watch "$sos" | jq -c '[.frame.maker, .events[0].code, .events[0].set, .readings[0].value, .readings[0].at, .events[0].at]')" '["3G","sos",true,22.543096,"2026-11-21T00:30:00.000Z","2026-11-21T00:30:00.000Z"]' "decode: an SOS, who, where and when"
is "$("$bin" decode watch "$sos" | "$bin" encode watch -)" "$sos" "encode: and the same text again"
is "$("$bin" encode watch '{"id":"8800000015","item":"text","value":"吃药"}')" '[3G*8800000015*0010*MESSAGE,5403836F]' "encode: what a watch is told"
"$bin" encode watch '{"id":"8800000015","item":"sos_1","value":"1]"}' >/dev/null; is $? 1 "encode: not what would end its frame"
is "$("$bin" encode sparkplug '{"topic":"spBv1.0/estate/NCMD/gw1","item":"Node Control/Rebirth","value":"true"}' | jq -r .rule)" 'item: means nothing in such a frame' "encode: what it does not read it names"
is "$("$bin" encode gb26875 '{"command":"request","type":81,"time":"2026-11-24T10:42:00","objects":[{"state":1,"sate":1}]}' | jq -r .rule | cut -d: -f1)" objects.0.state "encode: within an object, too"
is "$("$bin" decode ctwing '{"messageType":"commandResult","deviceId":"40edca19b0124480864366de4621de99","timestamp":1795221000000}' | jq -c '[.events[0] | .code, .at, .kept]')" '["message_unread","2026-11-21T00:30:00.000Z",true]' "decode: an event, when it was and that it is no news"
emergency=7E0200002E094027587492000A000000010000000A03083DB7001329F3000000140000130412164952010400000012360A0002341502CB0C20085C107E
is "$("$bin" decode jt808 "$emergency" | jq -c '[.events[0].code, .readings[1].value, .frame.location.time, .reply]')" \
    '["sos",-1.255923,"2013-04-12T16:49:52","7E80010005094027587492000A000A020000567E"]' "decode: an emergency, where, when, and its answer"
is "$("$bin" decode jt808 "$emergency" | "$bin" encode jt808 -)" "$emergency" "encode: and the same bytes again"
is "$("$bin" encode jt808 '{"terminal":"013800138000","item":"interval","value":"30","serial":1}')" 7E8103000A01380013800000010100000029040000001E117E "encode: how often a vehicle is to say where it is"
