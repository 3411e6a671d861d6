# A line of BACnet: the controllers of a building and their lifts are found, adopted, read, told and heard while the
# network loses and repeats; who is of other numbers is nobody there; what strangers say harms only themselves.

strangers() { api GET "devices?f.state=new&f.line_id=$bacnet&sort=code" | head -n 1 | jq -r '[.items[].code | ltrimstr("BA-")] | join(" ")'; }
id_of() { api GET "devices?f.line_id=$bacnet&q=$1" | head -n 1 | jq -r "[.items[] | select(.code == \"$1\") | .id] | first // empty"; }
# adopt CODE MODEL
adopt() { status POST "devices/$(id_of "$1")/adopt" "{\"name\":\"$1\",\"model\":\"$2\",\"place_id\":\"$place\"}"; }
finding() { api GET "devices/$1/doctor" | head -n 1 | jq -r '.findings[0].code'; }
figures() { api GET "lines/$bacnet/figures" | head -n 1 | jq -c "$1"; }

becomes_s=90 # points are read once a minute
log_in admin; say $? "bacnet: logs in"
community=$(one 'lines?f.kind=gb26875' 'items[0].community_id')
place=$(one 'places?f.kind=equipment' 'items[0].id')
[ -n "$community" ] && [ -n "$place" ]; say $? "bacnet: there is an estate"
start building "$bin" simulate bacnet --at 127.0.0.1:0 --devices 3 --first 2001 --rate 10 --seed 5 --json --faults noise,badsum,lost,replay,storm,drift
say $? "bacnet: there is a building"
building=$started building_at=$at
line() { api POST lines "{\"name\":\"$1\",\"kind\":\"bacnet\",\"community_id\":\"$community\",\"every_s\":1,\"enabled\":true,$2}" | head -n 1; }
is "$(line 楼控错 '"numbers":"9-1"' | jq -r '.errors[0].code')" bad_numbers "bacnet: a range that is none is refused"
is "$(line 楼控错 '"reach":"serial","serial":"/dev/ttyUSB0"' | jq -r '.errors[0].code')" bad_choice "bacnet: so is a serial port"
bacnet=$(line BA "\"reach\":\"dial\",\"host\":\"127.0.0.1\",\"port\":${building_at##*:},\"numbers\":\"2001-2002\"" | jq -r .id)
is "$(becomes open one "lines/$bacnet" state)" open "bacnet: its line is open"

# ---- who is there

is "$(status POST "lines/$bacnet/find" '{}')" 200 "bacnet: who is there?"
for _ in 1 2 3 4 5 6; do # an answer may be lost, too
    [ "$(strangers)" != '2001 2001.lift_1 2002 2002.lift_1' ] || break
    api POST "lines/$bacnet/find" '{}' >/dev/null
    sleep 5
done
is "$(strangers)" '2001 2001.lift_1 2002 2002.lift_1' "bacnet: controllers and lifts of these numbers wait for adoption"
is "$(api GET "devices/$(id_of BA-2001)" | head -n 1 | jq -c '[.name, (.attributes | if type == "string" then fromjson else . end).model]')" '["楼控","linli simulate"]' "bacnet: with the name and model that they say"
is "$(api GET "devices/$(id_of BA-2001)/doctor" | head -n 1 | jq -c '[.models[].code] | index("air_handler") != null')" true "bacnet: the doctor knows a model for it"
is "$(adopt BA-2001 air_handler) $(adopt BA-2001.lift_1 lift_bacnet) $(adopt BA-2002 air_handler)" '200 200 200' "bacnet: they are adopted"
ahu=$(id_of BA-2001)

# ---- what they measure

is "$(becomes true is_like BA-2001 supply_air_temperature 10 32)" true "bacnet: a controller is read"
is "$(becomes true is_like BA-2002 return_air_humidity 10 96)" true "bacnet: so is one behind a router"
is "$(becomes true is_like BA-2001.lift_1 floor 1 20) $(reading BA-2001.lift_1 service_mode)" 'true 1' "bacnet: its lift tells what it does"
is "$(becomes 24 reading BA-2001 set_temperature)" 24 "bacnet: its set point is there"
is "$(finding "$ahu")" well "bacnet: the doctor finds nothing wrong"
is "$(figures '[.kind, .frames > 10, .bytes > 100, (.connections // "none"), (.good_samples | map(.frame.kind) | length > 0), (.good_samples[0].hex[:2])]')" \
    '["bacnet",true,true,"none",true,"81"]' "bacnet: frames are counted and shown decoded beside their bytes"

# ---- what they are told, by a network that loses nothing: a command is said once

stop "$building"
is "$(tail -n 1 "$dir/building" | jq -c '[.asked > 20, .sent > 20, ([.faults[] | . > 0] | all), (.faults | length)]')" '[true,true,true,6]' "simulate: says what it was asked, and did"
start building "$bin" simulate bacnet --at "127.0.0.1:${building_at##*:}" --devices 3 --first 2001 --rate 10 --seed 5 --json; say $? "bacnet: the building begins anew"
building=$started
is "$(becomes normal one "devices/$ahu" state)" normal "bacnet: its controller is there"
is "$(told "$ahu" set_temperature 26.5 | paste -sd' ')" 'asked done' "bacnet: a set point is set, once confirmed"
is "$(becomes 26.5 reading BA-2001 set_temperature)" 26.5 "bacnet: and told by the controller at once, though it is read once a minute"
is "$(told "$ahu" set_temperature 99 | paste -sd' ')" 'asked failed value_out_of_range' "bacnet: one that it does not take says why"
is "$(told "$ahu" release_temperature | paste -sd' ') $(becomes 24 reading BA-2001 set_temperature)" 'done 24' "bacnet: what was written is given up again"

# ---- strangers, noise, silence

inodes=$(for fd in /proc/"$server"/fd/*; do readlink "$fd"; done | sed -n 's/^socket:\[\(.*\)\]$/\1/p' | paste -sd' ')
line_at=$((16#$(awk -v all=" $inodes " 'index(all, " " $10 " ") {split($2, at, ":"); print at[2]}' /proc/net/udp | head -n 1)))
for hex in 00 810A 810A0009010060FF01 "$(head -c 200 /dev/urandom | od -An -v -tx1 | tr -d ' \n')"; do
    printf "$(sed 's/../\\x&/g' <<<"$hex")" | nc -u -w 1 -q 0 127.0.0.1 "$line_at" >/dev/null
done
is "$(becomes true figures '.bad >= 3 and (.bad_samples | length >= 3)')" true "bacnet: bytes that are none are counted and shown with their rule"
printf "$("$bin" encode bacnet '{"kind":"unconfirmed","service":"i_am","device":"device_2003","max_apdu":1476,"segmentation":"none","vendor":7}' | sed 's/../\\x&/g')" | nc -u -w 1 -q 0 127.0.0.1 "$line_at"
sleep 1
is "$(strangers)" '2002.lift_1' "bacnet: who has a number that is not looked for is nobody there"
before=$(figures .frames)
is "$(becomes true figures ".frames > $before + 5")" true "bacnet: the others are as they were"
change='{"kind":"confirmed","service":"cov_notification","invoke":9,"process":1,"device":"device_2001","object":"ai_1","remaining_s":60,"points":[{"property":"present_value","values":[{"real":29.5}]}]}'
printf "$("$bin" encode bacnet "$change" | sed 's/../\\x&/g')" | nc -u -w 1 127.0.0.1 "$line_at" | od -An -v -tx1 | grep -q .
is $? 1 "bacnet: nobody speaks for a controller from another place"
stop "$building"
is "$(becomes offline one "devices/$ahu" state)" offline "bacnet: who answers nothing is offline"
start building "$bin" simulate bacnet --at "127.0.0.1:${building_at##*:}" --devices 3 --first 2001 --rate 10 --seed 6; say $? "bacnet: it comes back"
building=$started
is "$(becomes normal one "devices/$ahu" state)" normal "bacnet: and is heard again"
is "$(becomes true is_like BA-2001 supply_air_temperature 10 32)" true "bacnet: and read"
stop "$building"

# ---- a network that is only heard

timeout 60 nc -u -l 127.255.255.255 47908 >"$dir/everybody" 2>/dev/null </dev/null &
pids+=($!)
own=$(line 楼控网 '"bind":"127.0.0.1","port":47908,"numbers":"3001-3999"' | jq -r .id)
is "$(becomes open one "lines/$own" state) $(one "lines/$own" address)" 'open 127.0.0.1:47908' "bacnet: a line on a network of its own is open"
is "$(status POST "lines/$own/find" '{}')" 200 "bacnet: who is there?"
who() { head -c 18 "$dir/everybody" | od -An -v -tx1 | tr -d ' \n' | xargs -r "$bin" decode bacnet | jq -c '[.frame.service, .frame.low, .frame.high]'; }
is "$(becomes '["who_is",3001,3999]' who)" '["who_is",3001,3999]' "bacnet: everybody on it is asked"
for pid in "${pids[@]}"; do stop "$pid"; done
