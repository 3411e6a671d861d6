# Real kills: writers over HTTP and a device over MQTT, kill -9 at a moment of chance, and a look at what was acknowledged.  Sourced by parts of
# ./test after server.sh.

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

# What the store holds, as "name id" lines: by list pages of 1,000.
held() {
    local cursor='' page
    for _ in $(seq 200); do
        page=$(api GET "places?limit=1000&sort=created_ms&f.kind=public${cursor:+&cursor=$cursor}" | head -n 1)
        printf %s "$page" | jq -r '.items[] | "\(.name) \(.id)"'
        cursor=$(printf %s "$page" | jq -r '.next // empty')
        [ -n "$cursor" ] || break
    done | sed -n 's/^crash //p' | sort
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

# crash_rounds STORE ROUNDS COMMAND...: the checks, counted by say.
crash_rounds() {
    local store=$1 rounds=$2 estate n acked unsure user password topic publisher publishes=0
    shift 2
    server_start "$@"; say $? "$store: the server is ready"
    device "$store"; say $? "$store: a device is added beside it"
    for round in $(seq "$rounds"); do
        rm -f "$dir/stop"
        log_in admin || { say 1 "$store, kill $round: no log-in"; return; }
        estate=$(api GET 'places?f.kind=estate' | head -n 1 | jq -r '.items[0].id')
        publish_begin "$dir/published"
        for n in $(seq $WRITERS); do writer "$n" "$dir/$store.$n" "$estate" & done
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
        cat "$dir/$store".[0-9]* >"$dir/told"
        # The same key again tells what became of a write without an answer; it must not double it.
        grep ' ?$' "$dir/told" | cut -d' ' -f1 | while read -r key; do
            status POST places "{\"name\":\"crash $key\",\"kind\":\"public\",\"parent_id\":\"$estate\"}" -H "Idempotency-Key: $key" >/dev/null
        done
        held >"$dir/held"
        grep -v ' ?$' "$dir/told" | sort >"$dir/acked"
        acked=$(wc -l <"$dir/acked") unsure=$(grep -c ' ?$' "$dir/told")
        is "$(comm -23 "$dir/acked" "$dir/held" | wc -l)" 0 "$store, kill $round: none of $acked acknowledged writes is lost"
        is "$(cut -d' ' -f1 "$dir/held" | uniq -d | wc -l)" 0 "$store, kill $round: none of $unsure unanswered ones, asked again, is doubled"
        is "$(wc -l <"$dir/held")" $((acked + unsure)) "$store, kill $round: each is there once"
        published "$store"
    done
    [ "$(wc -l <"$dir/acked")" -gt "$rounds" ] && [ $publishes -gt "$rounds" ]; say $? "$store: the kills met a server at work"
    server_stop; say $? "$store: and it still stops cleanly"
}
