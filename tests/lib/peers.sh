# What peers of devices share: clients and devices in the background, rows, readings, commands.  Sourced behind server.sh, once
# for each peer, so that none has what another left.

pids=()
# start LOG COMMAND...: in the background, until it says where it listens or 10 s are over.  Sets started (its process) and at.
start() {
    local log=$dir/$1
    shift
    : >"$log"
    timeout --foreground 600 "$@" >"$log" 2>&1 </dev/null &
    started=$!
    pids+=("$started")
    for _ in $(seq 100); do
        at=$(sed -n 's/^listen \(bacnet \)\?\(.*\)$/\2/p' "$log")
        [ -z "$at" ] || return 0
        kill -0 "$started" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
stop() { kill "$1" 2>/dev/null; wait "$1" 2>/dev/null; }
# becomes VALUE COMMAND...: waits until the command prints it, up to 30 s or becomes_s, and prints what it printed last.
becomes_s=30
becomes() {
    local want=$1 got=''
    shift
    for _ in $(seq $((becomes_s * 5))); do
        got=$("$@")
        [ "$got" != "$want" ] || break
        sleep 0.2
    done
    echo "$got"
}
# one PATH MEMBER: of what is there; make PATH JSON: the id of a new row.
one() { api GET "$1" | head -n 1 | jq -r ".$2 // empty"; }
make() { api POST "$1" "$2" | head -n 1 | jq -r .id; }
# reading DEVICE METRIC; is_like DEVICE METRIC LOW HIGH
reading() { api GET "telemetry/latest?device=$1" | head -n 1 | jq -r "[.items[] | select(.metric == \"$2\") | .value | if . == (. | floor) then floor else . end] | first // empty"; }
is_like() { jq -n "[$(reading "$1" "$2")] | length == 1 and .[0] >= $3 and .[0] <= $4"; }
# told DEVICE-ID COMMAND [VALUE]: "asked", where it waits for a confirmation; what it becomes then, and what was answered.
told() {
    local row state
    row=$(make commands "{\"device_id\":\"$1\",\"command\":\"$2\",\"reason\":\"peers try it\"${3:+,\"value\":\"$3\"},\"community_id\":\"$community\"}")
    state=$(one "commands/$row" state)
    if [ "$state" = asked ]; then
        echo asked
        api POST "commands/$row/confirm" '{}' >/dev/null
    fi
    for _ in $(seq 150); do
        state=$(one "commands/$row" state)
        case $state in queued | sent | asked) sleep 0.2 ;; *) break ;; esac
    done
    echo "$state"
    one "commands/$row" answer
}
# by_code DEVICE MEMBER; latest DEVICE METRIC: any code will do; became COMMAND-ID: its state and answer.
by_code() { api GET "devices?f.code=$(jq -rn --arg d "$1" '$d | @uri')" | head -n 1 | jq -r ".items[0].$2 // empty"; }
became() { api GET "commands/$1" | head -n 1 | jq -r '[.state, .answer // empty] | join(" ")'; }
latest() { api GET "telemetry/latest?device=$(jq -rn --arg d "$1" '$d | @uri')" | head -n 1 | jq -r ".items[] | select(.metric == \"$2\") | .value"; }
