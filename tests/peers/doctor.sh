# Why a device is silent: eleven set-ups that are broken as they are in the field, and what the doctor says of each.

log_in admin; say $? "doctor: logs in"
community=$(one 'lines?f.kind=gb26875' 'items[0].community_id')
place=$(one 'places?f.kind=equipment' 'items[0].id')
# line NAME KIND [MEMBERS]: a new one, open; sets line and at, where it listens.
open_line() {
    line=$(make lines "{\"name\":\"$1\",\"kind\":\"$2\",\"enabled\":true,\"community_id\":\"$community\"${3:+,$3}}")
    becomes open one "lines/$line" state >/dev/null
    at=$(one "lines/$line" address)
}
# device CODE MODEL [ADDRESS]: on that line, adopted; prints its id.
device() {
    local id
    id=$(make devices "{\"name\":\"$1\",\"code\":\"$1\",\"model\":\"$2\",\"line_id\":\"$line\",\"community_id\":\"$community\"${3:+,\"address\":\"$3\"}}")
    api POST "devices/$id/adopt" "{\"name\":\"$1\",\"place_id\":\"$place\"}" >/dev/null
    echo "$id"
}
# found DEVICE [JQ]: the codes of what is found; with JQ that of the first finding.
found() {
    local of='[.findings[].code] | join(" ")'
    [ -z "${2:-}" ] || of=".findings[0] | $2"
    api GET "devices/$1/doctor" | head -n 1 | jq -c "$of" | tr -d '"'
}
# held AT [HEX]: a connection that says that and stays.
held() {
    { bytes "${2:-}"; exec sleep 60; } 2>/dev/null | timeout --foreground 120 nc "${1%:*}" "${1##*:}" >/dev/null 2>&1 &
    pids+=($!)
}
bytes() { printf "$(sed 's/../\\x&/g' <<<"$1")"; }
# panel SOURCE: a frame of that panel, now.
panel() {
    local now
    now=$(TZ=Asia/Shanghai date +%Y-%m-%dT%H:%M:%S)
    "$bin" encode gb26875 "{\"command\":\"send\",\"serial\":1,\"version\":[1,1],\"time\":\"$now\",\"source\":$1,\"destination\":1,\"type\":2,\"objects\":[{\"system\":1,\"system_address\":1,\"component\":40,\"address\":7,\"state\":1,\"text\":\"\",\"time\":\"$now\"}]}"
}

open_line 一 gb26875
dev=$(device 401 fire_panel)
is "$(found "$dev")" nothing_connects "doctor: 1, nothing connects"
held "$at"
is "$(becomes nothing_arrives found "$dev")" nothing_arrives "doctor: 1, somebody does and says nothing"

open_line 二 gb26875
dev=$(device 402 fire_panel)
broken=$(panel 402)
broken=${broken:0:-6}FF2323
bytes "$broken" | nc -q 1 "${at%:*}" "${at##*:}" >/dev/null
is "$(becomes not_decodable found "$dev")" not_decodable "doctor: 2, who spoke nonsense and hung up"
held "$at" "$broken"
is "$(becomes not_decodable found "$dev")" not_decodable "doctor: 2, what comes is not understood"
is "$(found "$dev" '[.rule, .peer] | join(", ")')" "GB/T 26875.3 6.6: the sum is wrong, 127.0.0.1" "doctor: 2, at which clause, from whom"

open_line 三 gb26875
dev=$(device 403 fire_panel)
"$bin" simulate gb26875 --to "$at" --count 300 --rate 5 --first 404 >/dev/null 2>&1 </dev/null &
pids+=($!)
is "$(becomes unknown_address found "$dev")" unknown_address "doctor: 3, it speaks under another address"
is "$(becomes '[404]' found "$dev" .strangers)" '[404]' "doctor: 3, under which"

open_line 四 hj212
dev=$(device 440300LINLI0000000000044 dust_station)
hour_ago=$(TZ=Asia/Shanghai date -d '-1 hour' +%Y%m%d%H%M%S)
said=$("$bin" encode hj212 "{\"data\":\"QN=${hour_ago}000;ST=22;CN=2011;PW=123456;MN=440300LINLI0000000000044;Flag=5;CP=&&DataTime=$hour_ago;a34004-Rtd=20.5,a34004-Flag=N&&\"}")
held "$at" "$(printf '%s\n' "$said" | od -An -v -tx1 | tr -d ' \n')"
is "$(becomes clock_off found "$dev")" clock_off "doctor: 4, its clock is off"
is "$(found "$dev" '.ahead_ms / 60000 | round')" -60 "doctor: 4, by how much"

open_line 五 gb26875
dev=$(device 405 fire_panel)
"$bin" simulate gb26875 --to "$at" --count 300 --rate 5 --first 405 >/dev/null 2>&1 </dev/null &
pids+=($!)
for n in 2 3 4; do
    bytes "$(panel 405)" | nc -q 1 -s 127.0.0.$n "${at%:*}" "${at##*:}" >/dev/null
done
is "$(becomes duplicate_address found "$dev")" duplicate_address "doctor: 5, two have its address"

port=$((20000 + $$ % 10000))
{ while sleep 0.3; do head -c 24 /dev/urandom; done; } 2>/dev/null | timeout --foreground 120 nc -l 127.0.0.1 $port >/dev/null 2>&1 &
pids+=($!)
open_line 六 dlt645 "\"reach\":\"dial\",\"host\":\"127.0.0.1\",\"port\":$port,\"every_s\":1"
dev=$(device DOC-6 meter_3ph 000000000406)
is "$(becomes wrong_baud found "$dev")" wrong_baud "doctor: 6, the baud rate or parity is wrong"

mqtt=$(sed -n 's/^listen mqtt \([^ ]*\)$/\1/p' "$dir/out")
line=$(one 'lines?f.kind=mqtt' 'items[0].id')
key=$("$bin" device add DOC-7 --model machine_room --data "$dir/$name")
dev=$(one 'devices?q=DOC-7' 'items[0].id')
user=$(jq -r .username <<<"$key") password=$(jq -r .password <<<"$key") community_code=$(jq -r .community <<<"$key")
pub() { timeout 20 mosquitto_pub -V mqttv5 -h "${mqtt%:*}" -p "${mqtt##*:}" -u "$user" -P "$1" -q 1 -t "linli/$community_code/DOC-7/telemetry" -m "$2" >/dev/null 2>&1; }
is "$(found "$dev")" never_heard "doctor: 7, before it ever came"
pub wrong '{"level":1}'
is "$(becomes wrong_password found "$dev")" wrong_password "doctor: 7, its password is wrong"
is "$(found "$dev" .peer)" 127.0.0.1 "doctor: 7, where it came from"

pub "$password" "$(jq -nc '[range(1100) | {key: "m\(.)", value: 1}] | from_entries')"
is "$(becomes over_limit found "$dev")" over_limit "doctor: 8, what it says is over a limit"
is "$(found "$dev" .rule)" "over the limit: too many values" "doctor: 8, which one"
pub "$password" '{"level":1}'; say $? "doctor: 8, and once it says what may be said"
is "$(becomes well found "$dev")" well "doctor: all is well"

open_line 九 onenet
dev=$(device DOC-9 smoke_detector)
key=$(one "lines/$line" push_key)
push() { curl -s -m 10 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "$1" "$url/api/v1/push/$key"; }
is "$(found "$dev")" nothing_pushed "doctor: 9, nothing was ever pushed"
is "$(push '{"msg":"{}","nonce":"a","signature":"b"}') $(found "$dev")" "401 no_secret" "doctor: 9, the line has no secret"
is "$(status POST "lines/$line/set_secret" '{"secret":"linli-token"}')" 200 "doctor: 9, which is set"
sleep 2
is "$(push '{"msg":"{}","nonce":"a","signature":"b"}') $(found "$dev")" "401 bad_signature" "doctor: 9, the platform has another"
open_line 十 hj212
dev=$(device 440300LINLI0000000000045 dust_station)
is "$(status POST "devices/$dev/set_password" '{"password":"right1"}')" 200 "doctor: 10, a station is given a password"
sleep 3 # which its line knows by then
said() { TZ=Asia/Shanghai date +"{\"data\":\"QN=%Y%m%d%H%M%S000;ST=22;CN=2011;PW=$1;MN=440300LINLI0000000000045;Flag=5;CP=&&DataTime=%Y%m%d%H%M%S;a34004-Rtd=20.5,a34004-Flag=N&&\"}"; }
"$bin" encode hj212 "$(said wrong1)" | nc -q 1 "${at%:*}" "${at##*:}" | grep -q .; is $? 1 "doctor: 10, what it says with another is not answered"
is "$(becomes wrong_password found "$dev")" wrong_password "doctor: 10, which is the cause"
"$bin" encode hj212 "$(said right1)" | nc -q 1 "${at%:*}" "${at##*:}" | grep -q 'CN=9014'; say $? "doctor: 10, with its own it is"
is "$(becomes well found "$dev")" well "doctor: 10, and all is well"

open_line 十一 ctwing '"senders":"192.0.2.0/24"'
dev=$(device DOC-11 smoke_detector)
key=$(one "lines/$line" push_key)
report='{"deviceId":"DOC-11","messageType":"dataReport","protocol":"mqtt","payload":{"smoke":0}}'
is "$(push "$report") $(found "$dev")" "403 not_a_sender" "doctor: 11, the platform pushes from an address that the line does not take"
is "$(api PATCH "lines/$line" '{"senders":"192.0.2.0"}' | head -n 1 | jq -r .senders) $(status PATCH "lines/$line" '{"senders":"nobody"}')" "192.0.2.0 400" "doctor: 11, addresses are checked"
is "$(status PATCH "lines/$line" '{"senders":"192.0.2.0/24 127.0.0.0/8"}')" 200 "doctor: 11, its address is added"
is "$(becomes 200 push "$report") $(becomes well found "$dev")" "200 well" "doctor: 11, and all is well"
kill "${pids[@]}" 2>/dev/null
