# Platforms and gateways that `linli simulate` plays, against the real server: pushes over HTTP and what speaks over MQTT, with
# what goes wrong, and what they are told.

log_in admin; say $? "simulated: logs in"
estate=$(api GET 'lines?f.kind=gb26875' | head -n 1 | jq -r '.items[0].community_id')
comes_to() {
    local want=$1 got=''
    shift
    for _ in $(seq 100); do
        got=$("$@")
        [ "$got" != "$want" ] || break
        sleep 0.2
    done
    echo "$got"
}
metrics() { api GET "telemetry/latest?device=$(jq -rn --arg d "$1" '$d | @uri')" | head -n 1 | jq -r '[.items[].metric] | sort | join(" ")'; }
line_state() { api GET "lines/$pushed" | head -n 1 | jq -r .state; }

# ---- pushes ----

while read -r kind device want; do
    pushed=$(api POST lines "{\"name\":\"$kind\",\"kind\":\"$kind\",\"enabled\":true,\"community_id\":\"$estate\"}" | head -n 1)
    key=$(jq -r .push_key <<<"$pushed") pushed=$(jq -r .id <<<"$pushed")
    [ "$kind" != onenet ] || api POST "lines/$pushed/set_secret" '{"secret":"estate2026"}' >/dev/null
    is "$(comes_to open line_state)" open "simulated: a line of $kind"
    sleep 1 # its secret is read within a second
    faults=split,merge,replay
    [ "$kind" != onenet ] || faults=$faults,badsum
    play() { "$bin" simulate "$kind" --to "${url#http://}" --key "$key" --secret "$1" --first 7700 --devices 2 --rate 0 "${@:2}" --json 2>/dev/null; }
    is "$(play estate2026 --count 40 --faults $faults | jq -c '[.confirmed, .unanswered]') $(play estate2026 --count 2 --faults storm,drift | jq -c '[.confirmed, .unanswered]')" '[40,0] [2,0]' \
        "simulated: $kind: every push is answered, in a storm, too"
    is "$(api GET "lines/$pushed/figures" | head -n 1 | jq -c '[.frames > 40, (.bad_samples | map(.rule) | unique)]')" "$([ "$kind" = onenet ] && echo '[true,["the signature is wrong"]]' || echo '[true,[]]')" \
        "simulated: $kind: and understood"
    is "$(comes_to "$want" metrics "$device")" "$want" "simulated: $kind: what it measures is kept"
    [ "$kind" != onenet ] || { play estate2027 --count 2 >/dev/null; is $? 1 "simulated: onenet: with another secret the address is not ours"; }
done <<'END'
lift 31104403000000007700 direction door_closed door_zone entrapped floor passenger running runs service_mode
chirpstack 0004a30b00001e14 humidity rssi snr temperature
ctwing 40edca19b01244808600000000001e14 bat battery_state liquid
onenet 2023700 temp
itsapi linli-7700 confidence
END
