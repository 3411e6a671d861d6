# BACnet/IP by others: tshark takes apart what we make, and netcat asks the controllers that we play.

# taken_apart HEX...: what tshark says of each datagram, a line each, with "malformed" where it finds it so.
taken_apart() {
    local hex
    for hex in "$@"; do printf '0000%s\n' "$(sed 's/../ &/g' <<<"$hex")"; done >"$dir/bacnet.txt"
    text2pcap -q -u 47808,47808 "$dir/bacnet.txt" "$dir/bacnet.pcap" >/dev/null 2>&1
    tshark -r "$dir/bacnet.pcap" -T fields -E separator=' ' -e bacapp.type -e bacapp.confirmed_service \
        -e bacapp.unconfirmed_service -e bacapp.objectType -e bacapp.instance_number -e bacapp.property_identifier \
        -e bacapp.present_value.real -e _ws.malformed -e _ws.expert.message 2>/dev/null
}
bacnet() { "$bin" encode bacnet "$1"; }
while IFS='|' read -r expect why json; do
    [ -n "$expect" ] || continue
    is "$(taken_apart "$(bacnet "$json")" | xargs)" "$expect" "tshark: $why"
done <<'ROWS'
1 8|who is there|{"kind":"unconfirmed","service":"who_is","low":1000,"high":1999}
1 0 8 1234|who I am|{"kind":"unconfirmed","service":"i_am","device":"device_1234","max_apdu":1476,"segmentation":"none","vendor":260}
1 7|who has it|{"kind":"unconfirmed","service":"who_has","name":"AHU"}
1 1 8,0 1234,1|I have|{"kind":"unconfirmed","service":"i_have","device":"device_1234","object":"ai_1","name":"AHU"}
1 6|the time|{"kind":"unconfirmed","service":"time","date_hex":"7E0B1506","clock_hex":"0A1E0000"}
0 12 0 1 85|a question|{"address":"1234","item":"ai_1"}
0 12 59 1 456|one of a lift|{"address":"1234.lift_1","item":"car_mode"}
0 14 0,3 1,7 85,117,85|a question for several|{"address":"1234","item":"ai_1 ai_1_units bi_7"}
0 15 1 3 85 21.5|what is written|{"address":"1234","item":"ao_3@8","value":"21.5"}
0 15 1 3 85|what is given up|{"address":"1234","item":"ao_3@8","value":"null"}
0 5 3 7|a subscription|{"service":"subscribe_cov","process":18,"object":"bi_7","confirmed":false,"remaining_s":300}
3 12 0 1 85 21.5|an answer|{"kind":"complex_ack","service":"read_property","object":"ai_1","property":"present_value","values":[{"real":21.5}]}
1 2 8,0 1234,1 85,111 21.5|a change|{"kind":"unconfirmed","function":"unicast","service":"cov_notification","process":18,"device":"device_1234","object":"ai_1","remaining_s":290,"points":[{"property":"present_value","values":[{"real":21.5}]},{"property":"status_flags","values":[{"bits":"0001"}]}]}
0 2 8,0 1234,1|an event|{"service":"event_notification","process":1,"device":"device_1234","object":"ai_1","stamp_hex":"1907","event_class":10,"event_priority":100,"event_type":"out_of_range","notify_type":"alarm","ack_required":true,"from_state":"normal","to_state":"high_limit","event_values_hex":"5E0C42C800001A04803C3F8000003C42B400005F"}
5 12|an error|{"kind":"error","service":"read_property","error_class":"object","error_code":"unknown_object"}
2 15|that it is written|{"kind":"simple_ack","service":"write_property"}
6|a rejection|{"kind":"reject","reason":9}
7|an abort|{"kind":"abort","flags":1,"reason":4}
ROWS
cut=810A0017010030010C0C0000000119553E4441AC000040 # a value that does not end
[[ $(taken_apart $cut) = *alformed* ]]; say $? "tshark: and says of a bad one that it is"
"$bin" decode bacnet $cut >/dev/null; is $? 1 "decode: as we do"

"$bin" simulate bacnet --at 127.0.0.1:0 --first 1234 --rate 20 --seed 3 --json >"$dir/controllers" 2>&1 &
controllers=$!
for _ in $(seq 50); do grep -q ^listen "$dir/controllers" && break; sleep 0.1; done
at=$(sed -n 's/^listen bacnet 127\.0\.0\.1:\([0-9]*\)$/\1/p' "$dir/controllers")
[ -n "$at" ]; say $? "simulate: controllers are there"
# asked JSON [FILTER]: the answer to what is encoded, as our decoder shows it.
asked() {
    local question hex
    question=$(bacnet "$1" | sed 's/../\\x&/g') # before netcat's second begins
    hex=$(printf "$question" | nc -u -w 1 127.0.0.1 "$at" | od -An -v -tx1 | tr -d ' \n')
    "$bin" decode bacnet "$hex" | jq -c "$2"
}
is "$(asked '{"kind":"unconfirmed","service":"who_is"}' .frame.device)" '"device_1234"' "simulate: it says who it is"
is "$(asked '{"address":"1234","item":"ai_1 ai_1_units"}' '[.readings[] | [.key, .unit]]')" '[["ai_1","Cel"]]' "simulate: it is read"
is "$(asked '{"address":"1234","item":"ao_1@8","value":"55.5"}' .frame.kind)" '"simple_ack"' "simulate: it is written"
is "$(asked '{"address":"1234","item":"ao_1"}' '.readings[0].value')" 55.5 "simulate: and says so"
is "$(asked '{"address":"1234","item":"ai_1","value":"1"}' .frame.error_code)" '"write_access_denied"' "simulate: what measures is not written"
is "$(asked '{"address":"1234.lift_1","item":"car_mode car_door_status car_position"}' '[.readings[] | [.device, .key]]')" \
    '[["lift_1","service_mode"],["lift_1","door_closed"],["lift_1","floor"]]' "simulate: its lift says what it does"
kill -TERM $controllers; wait $controllers; is $? 0 "simulate: controllers stop when they are told"
is "$(tail -n 1 "$dir/controllers" | jq -c '[.asked, .sent]')" '[6,6]' "simulate: and say what they were asked"
