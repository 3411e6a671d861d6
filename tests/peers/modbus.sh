# Modbus by others: tshark takes apart what we make, mbpoll reads and writes the devices that we play.

# taken_apart PORTS HEX...: what tshark says of each frame, RTU where 20002 is one of the ports, else TCP.
taken_apart() {
    local ports=$1 hex
    shift
    for hex; do printf '0000%s\n' "$(sed 's/../ &/g' <<<"$hex")"; done >"$dir/modbus.txt"
    text2pcap -q -T "$ports" "$dir/modbus.txt" "$dir/modbus.pcap" >/dev/null 2>&1
    tshark -r "$dir/modbus.pcap" -d tcp.port==20002,mbrtu -o mbrtu.crc_verification:TRUE -T fields -E separator=' ' -e mbtcp.trans_id \
        -e mbtcp.unit_id -e mbrtu.unit_id -e mbrtu.crc16.status -e modbus.func_code -e modbus.exception_code -e modbus.reference_num -e modbus.word_cnt \
        -e modbus.bit_cnt -e modbus.regval_uint16 -e modbus.data -e modbus.and_mask -e modbus.or_mask -e modbus.read_reference_num \
        -e modbus.read_word_cnt -e modbus.write_reference_num -e modbus.write_word_cnt -e modbus.read_device_id \
        -e modbus.object_str_value -e _ws.malformed 2>/dev/null
}
# Each over TCP, with transaction 7, to a device (>) and from one (<); and over RTU, of which it tells unit, CRC and function.
while IFS='|' read -r expect why way json; do
    [ -n "$expect" ] || continue
    member="\"unit\":17,${json#\{}"
    for wire in modbus modbus_rtu; do
        [ "$wire" = modbus ] && port=502 head='7 17' || port=20002 head='17 1'
        [ "$way" = '>' ] && both=50000,$port || both=$port,50000
        frame=$("$bin" encode $wire "{\"transaction\":7,$member")
        [ "$wire" = modbus ] && sees=1- || sees=1-3
        is "$(taken_apart "$both" "$frame" | xargs | cut -d' ' -f$sees)" "$(cut -d' ' -f$sees <<<"$head $expect")" "tshark: $wire: $why"
    done
done <<'ROWS'
1 19 37|read coils|>|{"function":"read_coils","address":19,"count":37}
2 196 22|read inputs|>|{"function":"read_discrete","address":196,"count":22}
3 107 3|read registers|>|{"function":"read_holding","address":107,"count":3}
4 8 1|read an input register|>|{"function":"read_input","address":8,"count":1}
3 2|an exception|<|{"function":"read_holding","exception":"illegal_address"}
3 11|another|<|{"function":"read_holding","exception":"gateway_no_answer"}
5 172 ff00|a coil on|>|{"function":"write_coil","address":172,"on":true}
6 1 0003|write a register|>|{"function":"write_register","address":1,"value":3}
15 19 10 cd01|write coils|>|{"function":"write_coils","address":19,"bits":"1011001110"}
16 1 2 10,258|write registers|>|{"function":"write_registers","address":1,"registers":[10,258]}
22 4 0x00f2 0x0025|mask a register|>|{"function":"mask_register","address":4,"and":242,"or":37}
23 000100020003 3 6 14 3|read and write|>|{"function":"read_write","address":3,"count":6,"write_address":14,"registers":[1,2,3]}
43 1|who are you|>|{"function":"identify","code":1}
43 1 Linli,X1|that is said|<|{"function":"identify","from":"device","objects":[{"object":0,"value":"Linli"},{"object":1,"value":"X1"}]}
ROWS
is "$(taken_apart 50000,20002 1103006B000376FF | xargs)" '17 0 3 107 3' "tshark: sees a CRC that is wrong"
"$bin" decode modbus_rtu 1103006B000376FF >/dev/null; is $? 1 "decode: as we do"

# asked OPTIONS ...: values that mbpoll reads, or what it was refused with.
asked() { mbpoll -0 -1 -o 5 "$@" 2>&1 | sed -n 's/^\[[0-9]*\]: *\t*\([-0-9.]*\).*/\1/p; s/.*failed: //p' | paste -sd' '; }
"$bin" simulate modbus --listen 0 --devices 2 --json >"$dir/plc" 2>&1 &
plc=$!
for _ in $(seq 100); do
    plc_at=$(sed -n 's/^listen .*:\(.*\)$/\1/p' "$dir/plc")
    [ -z "$plc_at" ] || break
    sleep 0.1
done
tcp=(-m tcp -p "$plc_at" 127.0.0.1)
asked -a 2 -t 4 -r 20 "${tcp[@]}" 17 65535 >/dev/null
is "$(asked -a 2 -t 4 -r 20 -c 2 "${tcp[@]}")" '17 65535' "mbpoll: two registers stand where it wrote them"
is "$(asked -a 1 -t 4 -r 20 -c 2 "${tcp[@]}")" '0 0' "mbpoll: of that unit, not of another"
asked -a 1 -t 0 -r 3 "${tcp[@]}" 1 0 1 >/dev/null
is "$(asked -a 1 -t 0 -r 2 -c 5 "${tcp[@]}") $(asked -a 1 -t 1 -r 2 -c 5 "${tcp[@]}")" '0 1 0 1 0 0 1 0 1 0' "mbpoll: so do coils, and inputs show them"
volts=$(asked -a 1 -t 3 -r 0 -c 1 "${tcp[@]}")
[ "${volts:-0}" -gt 2100 ] && [ "$volts" -lt 2300 ]; say $? "mbpoll: there is a voltage"
is "$(asked -a 1 -t 3 -r 8 "${tcp[@]}")" 'Illegal data address' "mbpoll: is refused what is not there"
kill "$plc"
wait "$plc"; say $? "simulate: ends when it is told to"
is "$(tail -n 1 "$dir/plc" | jq -c '[.answered == .heard, .refused, .ignored]')" '[true,1,0]' "simulate: and counts what it was asked"

socat -d -d pty,raw,echo=0 pty,raw,echo=0 >"$dir/ptys" 2>&1 &
cable=$!
for _ in $(seq 50); do [ "$(grep -c 'PTY is' "$dir/ptys")" = 2 ] && break; sleep 0.1; done
mapfile -t ports < <(sed -n 's/.*PTY is \(.*\)/\1/p' "$dir/ptys")
timeout --foreground 600 "$bin" simulate modbus_rtu --serial "${ports[0]}" --devices 3 --faults split >"$dir/rtu" 2>&1 &
rtu=$!
serial=(-m rtu -b 9600 -P none "${ports[1]}")
for _ in $(seq 20); do [ "$(asked -a 3 -t 1 -r 0 -c 1 "${serial[@]}")" = 0 ] && break; sleep 0.2; done
asked -a 3 -t 0 -r 1 "${serial[@]}" 1 >/dev/null
is "$(asked -a 3 -t 1 -r 0 -c 2 "${serial[@]}") $(asked -a 1 -t 1 -r 0 -c 2 "${serial[@]}")" '0 1 0 0' "mbpoll: a coil of one of three on a serial line"
kill "$rtu" "$cable"
wait "$rtu" "$cable"
