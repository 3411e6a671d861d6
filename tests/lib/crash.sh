# Real kills: writers and a device over HTTP, one over MQTT, a fire panel; kill -9 at a moment of chance, and a look at what
# was acknowledged.  Sourced by parts of ./test after server.sh.

WRITERS=4
# writer NUMBER FILE ESTATE: one place after the other, each with a key of its own.  FILE gets "key id" for what was
# acknowledged and "key ?" for what got no answer; ends when the server is gone.
writer() {
    local n=0 key reply
    while [ ! -e "$dir/stop" ] && [ $n -lt 10000 ]; do
        n=$((n + 1)) key=$round-$1-$n
        reply=$(api POST places "{\"name\":\"crash $key\",\"kind\":\"public\",\"parent_id\":\"$3\"}" -H "Idempotency-Key: $key")
        case $reply in
            *$'\n201') echo "$key $(printf %s "$reply" | head -n 1 | jq -r .id)" ;;
            *) echo "$key ?"; return ;;
        esac
    done >>"$2"
}

# sensor FILE: readings of one device, five a request and one a millisecond.  FILE gets "time value" for each that was
# acknowledged.
sensor() {
    local n=0 lines i from=$(($(date +%s%3N) - 100000))
    while [ ! -e "$dir/stop" ] && [ $n -lt 100000 ]; do
        lines=
        for i in 1 2 3 4 5; do
            n=$((n + 1))
            lines+="crash,device=crash-$round level=$n $((from + n))"$'\n'
        done
        [ "$(status POST 'ingest/line?precision=ms' "$lines" -H 'Content-Type: text/plain')" = 204 ] || return
        printf %s "$lines" | sed 's/.*level=\([0-9]*\) \([0-9]*\)$/\2 \1/'
    done >>"$1"
}

# backfill FILE: readings of three days ago, each before the one sent last; every third is erased again.  FILE gets "put time
# value" for what was acknowledged, "maybe time" before an erasing and "gone time" once it is acknowledged.
backfill() {
    local n=0 at from=$(($(date +%s%3N) - 259200000))
    while [ ! -e "$dir/stop" ] && [ $n -lt 100000 ]; do
        n=$((n + 1)) at=$((from - n * 1000))
        [ "$(status POST 'ingest/line?precision=ms' "crash,device=crash late$round=$n $at" -H 'Content-Type: text/plain')" = 204 ] || return
        echo "put $at $n"
        [ $((n % 3)) = 0 ] || continue
        echo "maybe $at"
        [ "$(status DELETE "telemetry?device=crash&metric=late$round&from=$at&to=$((at + 1))&reason=crash")" = 204 ] || return
        echo "gone $at"
    done >>"$1"
}

# Frame 1 of the GB/T 26875.3 vectors, a smoke detector on fire, with serial number N (1 .. 65535) and from part N of
# device 889.
fire_frame() {
    local number sum=0 byte
    number=$(printf '%02X %02X' $(($1 % 256)) $(($1 / 256)))
    set -- 40 40 $number 01 01 20 3A 09 1A 09 0C 79 03 00 00 00 00 38 5B 01 00 00 00 30 00 02 02 01 01 01 28 $number 02 00 \
        02 00 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 00 02 3A 09 1A 09 0C
    for byte in "${@:3}"; do sum=$(((sum + 0x$byte) % 256)); done
    printf '\\x%s' "$@" "$(printf %02X $sum)" 23 23
}
# confirmed N TRIES: sends frame N and waits for its confirmation (command 3), 5 s a try.
confirmed() {
    local answer
    for _ in $(seq "$2"); do
        printf "$(fire_frame "$1")" >&4 || return
        while answer=$(timeout 5 head -c 30 <&4 | od -An -v -tx1 | tr -d ' \n') && [ ${#answer} = 60 ]; do
            [ "${answer:4:4}" != "$(printf '%02x%02x' $(($1 % 256)) $(($1 / 256)))" ] || break # else one of a try before
        done
        [ "${answer:52:2}" != 03 ] || return 0
    done
    return 1
}

# panel FILE PORT [TRIES]: one part after the other is on fire.  FILE gets each that was confirmed, as alarms name it.
panel() {
    local n
    exec 4<>"/dev/tcp/127.0.0.1/$2" || return
    for n in $(seq $((round * 1000)) $((round * 1000 + 999))); do
        [ ! -e "$dir/stop" ] && confirmed "$n" "${3:-1}" || break
        echo "1.1.$((n + 0x20000))"
    done 2>/dev/null >>"$1"
    exec 4>&-
}

# device STORE: adds the device that publishes, once; sets user, password and topic.
device() {
    local key where=(--data "$dir/$1")
    [ "$1" != postgres ] || where+=(--db "$pg_url")
    key=$("$bin" device add crash "${where[@]}") || return 1
    user=$(printf %s "$key" | jq -r .username) password=$(printf %s "$key" | jq -r .password)
    topic=linli/$(printf %s "$key" | jq -r .community)/crash/telemetry
}

# publish_begin FILE: readings of this round, one behind the other, a thousand a second, so that the writers get their turn.
# FILE gets what the client says, answers among it; sets publisher.
readings() {
    local n began
    began=$(date +%s%3N)
    for n in $(seq 5000); do
        echo "{\"ts\":$((began + n)),\"r$round\":$n}"
        [ $((n % 20)) != 0 ] || sleep 0.02
    done 2>/dev/null
}
publish_begin() {
    local mqtt
    mqtt=$(sed -n 's/^listen mqtt .*:\([0-9]*\)$/\1/p' "$dir/out")
    mosquitto_pub -p "$mqtt" -u "$user" -P "$password" -q 1 -l -d -t "$topic" < <(readings) >"$1" 2>&1 &
    publisher=$!
}
# published STORE: what was answered and what is there, by numbers.
published() {
    sed -n 's/.*received PUBACK (Mid: \([0-9]*\),.*/\1/p' "$dir/published" | sort >"$dir/answered"
    api GET "telemetry?device=crash&metric=r$round&from=0&to=4000000000000" | head -n 1 | jq -r '.points[][1]' | sort >"$dir/stored"
    is "$(comm -23 "$dir/answered" "$dir/stored" | wc -l)" 0 "$1, kill $round: none of $(wc -l <"$dir/answered") answered publishes is lost"
    publishes=$((publishes + $(wc -l <"$dir/answered")))
}

# What the store holds, as "name id" lines: by list pages of 1,000.
pages() {
    local cursor='' page
    for _ in $(seq 200); do
        page=$(api GET "$1${cursor:+&cursor=$cursor}" | head -n 1)
        printf %s "$page" | jq -r "$2"
        cursor=$(printf %s "$page" | jq -r '.next // empty')
        [ -n "$cursor" ] || break
    done
}
held() { pages 'places?limit=1000&sort=created_ms&f.kind=public' '.items[] | "\(.name) \(.id)"' | sed -n 's/^crash //p' | sort; }
burning() { pages 'alarms?limit=1000' '.items[].part // empty' | sort; }
# Readings of this round's device as "time value" lines.
measured() {
    api GET "telemetry?device=crash-$round&metric=level&limit=100000" | head -n 1 | jq -r '.points[]? | "\(.[0]) \(.[1])"' | sort
}

# backfilled STORE: late readings that were acknowledged are there, those whose erasing was are not.
backfilled() {
    api GET "telemetry?device=crash&metric=late$round&from=0" | head -n 1 | jq -r '.points[]? | "\(.[0]) \(.[1])"' | sort >"$dir/late"
    awk '{ if ($1 == "put") put[$2] = $3; else delete put[$2] } END { for (at in put) print at, put[at] }' "$dir/$1.late" | sort >"$dir/put"
    is "$(comm -23 "$dir/put" "$dir/late" | wc -l)" 0 "$1, kill $round: none of $(wc -l <"$dir/put") late readings is lost"
    sed -n 's/^gone //p' "$dir/$1.late" | sort >"$dir/gone"
    is "$(cut -d' ' -f1 "$dir/late" | sort | comm -12 - "$dir/gone" | wc -l)" 0 "$1, kill $round: none of $(wc -l <"$dir/gone") erased ones is back"
    late=$((late + $(wc -l <"$dir/put"))) gone=$((gone + $(wc -l <"$dir/gone")))
}

# after_kill STORE ESTATE: what was acknowledged before the kill is there, once.
after_kill() {
    local acked unsure
    cat "$dir/$1".[0-9]* >"$dir/told"
    # The same key again tells what became of a write without an answer; it must not double it.
    grep ' ?$' "$dir/told" | cut -d' ' -f1 | while read -r key; do
        status POST places "{\"name\":\"crash $key\",\"kind\":\"public\",\"parent_id\":\"$2\"}" -H "Idempotency-Key: $key" >/dev/null
    done
    held >"$dir/held"
    grep -v ' ?$' "$dir/told" | sort >"$dir/acked"
    acked=$(wc -l <"$dir/acked") unsure=$(grep -c ' ?$' "$dir/told")
    is "$(comm -23 "$dir/acked" "$dir/held" | wc -l)" 0 "$1, kill $round: none of $acked acknowledged writes is lost"
    is "$(cut -d' ' -f1 "$dir/held" | uniq -d | wc -l)" 0 "$1, kill $round: none of $unsure unanswered ones, asked again, is doubled"
    is "$(wc -l <"$dir/held")" $((acked + unsure)) "$1, kill $round: each is there once"
    measured >"$dir/measured"
    sort "$dir/$1.readings" >"$dir/readings"
    is "$(comm -23 "$dir/readings" "$dir/measured" | wc -l)" 0 "$1, kill $round: none of $(wc -l <"$dir/readings") acknowledged readings is lost"
    burning >"$dir/burning"
    is "$(sort "$dir/$1.fires" | comm -23 - "$dir/burning" | wc -l)" 0 "$1, kill $round: each of $(wc -l <"$dir/$1.fires") confirmed fires has its alarm"
    is "$(uniq -d "$dir/burning" | wc -l)" 0 "$1, kill $round: and only one"
    told=$((told + $(wc -l <"$dir/readings"))) fires=$(wc -l <"$dir/$1.fires")
}

# crash_rounds STORE ROUNDS COMMAND...: the checks, counted by say.
crash_rounds() {
    local store=$1 rounds=$2 estate n told=0 fires=0 late=0 gone=0 user password topic publisher publishes=0
    shift 2
    server_start "$@"; say $? "$store: the server is ready"
    device "$store"; say $? "$store: a device is added beside it"
    for round in $(seq "$rounds"); do
        rm -f "$dir/stop" "$dir/$store.readings" "$dir/$store.late"
        log_in admin || { say 1 "$store, kill $round: no log-in"; return; }
        estate=$(api GET 'places?f.kind=estate' | head -n 1 | jq -r '.items[0].id')
        publish_begin "$dir/published"
        for n in $(seq $WRITERS); do writer "$n" "$dir/$store.$n" "$estate" & done
        sensor "$dir/$store.readings" &
        backfill "$dir/$store.late" &
        panel "$dir/$store.fires" "$(sed -n 's/^listen gb26875 .*:\([0-9]*\)$/\1/p' "$dir/out")" &
        sleep "0.$((RANDOM % 900 + 100))"
        server_stop KILL
        touch "$dir/stop"
        kill -KILL "$publisher" # it would connect again
        wait 2>/dev/null
        # On PostgreSQL every other kill takes the database along.
        if [ "$store" = postgres ] && [ $((round % 2)) = 0 ]; then
            kill -KILL "$(head -n 1 "$pg_data/postmaster.pid")"
            for _ in $(seq 100); do pg_run pg_ctl -D "$pg_data" status >/dev/null || break; sleep 0.05; done
            pg_start || { say 1 "$store, kill $round: the database did not come back"; return; }
        fi
        server_start "$@" || { say 1 "$store, kill $round: the server did not come back"; return; }
        log_in admin
        after_kill "$store" "$estate"
        published "$store"
        backfilled "$store"
    done
    [ "$(wc -l <"$dir/acked")" -gt "$rounds" ] && [ $publishes -gt "$rounds" ] && [ "$told" -gt 0 ] && [ "$fires" -gt 0 ] && [ "$gone" -gt 0 ]
    say $? "$store: the kills met a server at work: $(wc -l <"$dir/acked") writes, $publishes publishes, $told readings, $late late ones, $gone erased, $fires fires"
    server_stop; say $? "$store: and it still stops cleanly"
}
