# Devices that mean harm, each kind of line in its turn and all at once: garbage without end, a byte a second, lengths that
# are never filled, 10,000 connections, another's address.  Meanwhile honest devices on the same lines are answered, every
# message, and nothing of the server grows.

log_in admin; say $? "hostile: logs in"
community=$(api GET 'lines?f.kind=gb26875' | head -n 1 | jq -r '.items[0].community_id')
cc -O1 -o "$dir/villain" tests/peers/hostile.c; say $? "hostile: means harm"
villains=()
# harm WHAT AT N [FRAME]: in the background, until `peace`.
harm() {
    local log=$dir/harm.${#villains[@]}
    printf "$(sed 's/../\\x&/g' <<<"${4:-}")" | timeout --foreground 300 "$dir/villain" "$1" "${2%:*}" "${2##*:}" "$3" >"$log" 2>&1 &
    villains+=("$!")
    for _ in $(seq 100); do [ ! -s "$log" ] || return 0; sleep 0.1; done
    say 1 "hostile: $1 begins at $2"
}
peace() {
    kill "${villains[@]}" 2>/dev/null
    wait "${villains[@]}" 2>/dev/null
    villains=()
}
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$server/status"; }
# open_line KIND: where a new one listens.
open_line() {
    local row at=''
    row=$(api POST lines "{\"name\":\"hostile $1\",\"kind\":\"$1\",\"enabled\":true,\"community_id\":\"$community\"}" | head -n 1 | jq -r .id)
    for _ in $(seq 50); do
        at=$(api GET "lines/$row" | head -n 1 | jq -r '.address // empty')
        [ -z "$at" ] || break
        sleep 0.2
    done
    echo "$at $row"
}
# honest KIND AT: its devices say 60 things while the harm is done; prints whether all were answered, at the first saying.
honest() { "$bin" simulate "$1" --to "$2" --count 60 --rate 20 --devices 2 --first 7001 --seed 3 --json | jq -c '[.sent == .confirmed, .unanswered]'; }

# A frame of each, so long that it promises more.  GB/T 26875.3: 65,535 bytes of data; HJ 212: 9,999 bytes; JT/T 808 and a
# watch: an end that never comes.
declare -A frame=(
    [gb26875]=40400100010120 [hj212]=232339393939515420 [jt808]=7e0200 [watch]=5b33472a383830303030303031352a464646462a
)
gb=$(sed -n 's/^listen gb26875 \([^ ]*\)$/\1/p' "$dir/out")
frame[gb26875]+=3a091a090c790300000000385b010000ffff0202
declare -A at=([gb26875]=$gb) row=([gb26875]=$(api GET 'lines?f.kind=gb26875' | head -n 1 | jq -r '.items[0].id'))
for kind in hj212 jt808 watch; do read -r at[$kind] row[$kind] <<<"$(open_line $kind)"; done
is "${#at[@]} ${at[*]/*:*/}" "4    " "hostile: four lines listen"
before=$(rss_kb)
for kind in gb26875 hj212 jt808 watch; do
    for what in garbage lengths trickle; do
        harm "$what" "${at[$kind]}" 8 "${frame[$kind]}"
        is "$(honest "$kind" "${at[$kind]}")" '[true,0]' "hostile: $kind, $what: who is honest is answered, every time"
        peace
    done
    harm crowd "${at[$kind]}" 10000
    is "$(honest "$kind" "${at[$kind]}")" '[true,0]' "hostile: $kind, 10,000 connections: who is honest is answered"
    is "$(status GET "lines/${row[$kind]}/figures")" 200 "hostile: $kind: and the page of its line"
    peace
    [ "$(api GET "lines/${row[$kind]}/figures" | head -n 1 | jq '.bad + .skipped_bytes')" -gt 0 ]; say $? "hostile: $kind: which counts the garbage"
done
# Beginnings of frames, one within the other, each of which would be summed up to its end: who sends them is cut off.
nested() { printf '##9998%.0s' $(seq 20000) | timeout 20 nc -q 2 "${at[hj212]%:*}" "${at[hj212]##*:}" >/dev/null; }
cut_off() { nested; api GET "lines/${row[hj212]}/figures" | head -n 1 | jq '[.bad_samples[].rule] | any(test("one within the other"))'; }
is "$(becomes true cut_off) $(honest hj212 "${at[hj212]}")" 'true [true,0]' "hostile: hj212, beginnings within beginnings: cut off; who is honest is answered"
# Made-up names, thousands of them: so many wait for adoption and no more, and the devices of other lines are seen.
made_up() { for i in $(seq 10000 13999); do printf '[3G*88000%05d*0002*LK]' "$i"; done | timeout 60 nc -q 2 "${at[watch]%:*}" "${at[watch]##*:}" >/dev/null; }
strangers() {
    local n=0 next='' page
    for _ in 1 2 3; do
        page=$(api GET "devices?f.state=new&f.line_id=${row[watch]}&limit=1000${next:+&cursor=$next}" | head -n 1)
        n=$((n + $(jq '.items | length' <<<"$page"))) next=$(jq -r '.next // empty' <<<"$page")
        [ -n "$next" ] || break
    done
    echo "$n"
}
flooded() { made_up; strangers; }
is "$(becomes 2000 flooded)" 2000 "hostile: watch, names that are made up: so many wait for adoption"
is "$(honest hj212 "${at[hj212]}") $(flooded)" '[true,0] 2000' "hostile: and no more; who is honest is answered"
http=${url#http://} mqtt=$(sed -n 's/^listen mqtt \([^ ]*\)$/\1/p' "$dir/out")
[ -n "$mqtt" ] || mqtt=$(sed -n 's/.* mqtt[^ ]*:\/\/\([0-9.]*:[0-9]*\).*/\1/p' "$dir/out" | head -n 1)
for door in "http $http" "mqtt $mqtt"; do
    read -r what where <<<"$door"
    harm crowd "$where" 10000; harm garbage "$where" 8
    is "$(honest gb26875 "$gb")" '[true,0]' "hostile: all of $what taken: panels are answered"
    log_in admin; say $? "hostile: all of $what taken: somebody logs in"
    peace
done
for kind in gb26875 hj212 jt808 watch; do harm garbage "${at[$kind]}" 8; harm crowd "${at[$kind]}" 2000; done
is "$(honest gb26875 "$gb")" '[true,0]' "hostile: on all lines at once: panels are answered"
is "$(api POST cases "{\"title\":\"in a storm\",\"type\":\"repair\",\"community_id\":\"$community\"}" | tail -n 1)" 201 "hostile: and work goes on"
peace
after=$(rss_kb)
[ $((after - before)) -lt 65536 ]; say $? "hostile: the server grew by less than 64 MB ($before to $after kB)"

# Another's address: what panel 7001 is, it is on its own line alone.
panel=$(api GET 'devices?f.state=new&q=7001' | head -n 1 | jq -r "[.items[] | select(.line_id == \"${row[gb26875]}\")][0].id")
place=$(api GET 'places?f.kind=building&limit=1' | head -n 1 | jq -r '.items[0].id')
is "$(status POST "devices/$panel/adopt" "{\"name\":\"panel 7001\",\"place_id\":\"$place\"}")" 200 "hostile: a panel is adopted on its line"
sleep 2 # which lines know within a second or two
read -r elsewhere other <<<"$(open_line gb26875)"
"$bin" simulate gb26875 --to "$elsewhere" --count 2 --rate 0 --first 7001 --seed 3 --json >"$dir/other.json"
is "$(jq .confirmed "$dir/other.json")" 0 "hostile: from another line nobody speaks for it"
is "$(api GET "lines/$other/figures" | head -n 1 | jq -c '[.frames, .bad > 0, (.bad_samples[0].rule | test("another line"))]')" '[0,true,true]' "hostile: where it is shown as what it is"
is "$(honest gb26875 "$gb")" '[true,0]' "hostile: the panel itself is answered as before"
