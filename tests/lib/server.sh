# What parts of ./test that drive the real program share.  Sourced; needs the folder $dir and calls of sum_up at the end.

ok=0 bad=0
# say CODE WORDS: counts a check that ended with CODE.
say() {
    if [ "$1" = 0 ]; then ok=$((ok + 1)); echo "ok $2"; else bad=$((bad + 1)); echo "not ok $2"; fi
}
# is A B WORDS: counts whether A and B are the same, and shows both when not.
is() {
    [ "$1" = "$2" ] && say 0 "$3" && return
    say 1 "$3"
    echo "#   $1, not $2"
}
sum_up() {
    echo "$ok passed, $bad failed"
    [ "$bad" = 0 ] && [ "$ok" -gt 0 ]
}

export LINLI_DEMO_PASSWORD=open-the-door
dir=$(mktemp -d /tmp/linli-part.XXXXXX)
server='' url='' token=''

# server_start COMMAND...: runs it in the background and waits for its "ready" line; sets server and url.  Takes at most 60 s.
server_start() {
    : >"$dir/out" # or the line of the server before could be read
    "$@" >"$dir/out" 2>"$dir/err" </dev/null &
    server=$!
    for _ in $(seq 1200); do
        url=$(sed -n 's/^ready \(http[^ ]*\).*/\1/p' "$dir/out")
        [ -z "$url" ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    echo "# not ready: $(tail -n 3 "$dir/err")"
    return 1
}
# server_stop [SIGNAL]: gives the server's exit code.
server_stop() {
    local code=0
    [ -n "$server" ] || return 0
    kill "-${1:-TERM}" "$server" 2>/dev/null
    wait "$server" 2>/dev/null || code=$?
    server=
    return $code
}
# log_in USER: sets token.
log_in() {
    token=$(curl -s -m 10 -H 'Content-Type: application/json' -d "{\"user\":\"$1\",\"password\":\"$LINLI_DEMO_PASSWORD\"}" "$url/api/v1/login" | jq -r .token)
    [ -n "$token" ] && [ "$token" != null ]
}
# api METHOD PATH [JSON [curl options]]: the body, then a line with the status.
api() {
    local method=$1 path=$2 body=${3:-}
    shift $(($# < 3 ? $# : 3))
    curl -s -m 20 -X "$method" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        ${body:+--data-binary "$body"} -w '\n%{http_code}' "$@" "$url/api/v1/$path"
}
status() { api "$@" | tail -n 1; }

finish() {
    server_stop KILL || true
    [ -z "${pg_data:-}" ] || pg_stop immediate || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

# A PostgreSQL of the part's own: unprivileged, on a Unix socket in its own folder, with fsync on.
pg_data='' pg_url=''
pg_run() {
    local bin as=()
    bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
    [ "$(id -u)" != 0 ] || as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    (cd "$pg_dir" && "${as[@]}" env -i PATH="$bin:/usr/bin:/bin" HOME="$pg_dir" LC_ALL=C TZ=UTC "$@")
}
pg_start() {
    if [ -z "$pg_data" ]; then
        pg_dir=$dir/pg pg_data=$dir/pg/data
        mkdir "$pg_dir" && chmod 711 "$dir"
        [ "$(id -u)" != 0 ] || chown postgres:postgres "$pg_dir"
        pg_run initdb -D "$pg_data" -A trust -U linli --locale=C -E UTF8 -N >"$dir/initdb.log" 2>&1 || return 1
        printf "listen_addresses = ''\nunix_socket_directories = '%s'\nshared_buffers = 32MB\n" "$pg_dir" >>"$pg_data/postgresql.conf"
        pg_url="postgres://linli@/linli?host=$pg_dir"
        pg_run pg_ctl -D "$pg_data" -l "$pg_dir/log" -w -s start 2>/dev/null && pg_run createdb -h "$pg_dir" -U linli linli
    else
        pg_run pg_ctl -D "$pg_data" -l "$pg_dir/log" -w -s start 2>/dev/null # a stale pid file makes it talk
    fi
}
pg_stop() { pg_run pg_ctl -D "$pg_data" -m "${1:-fast}" -w -s stop; }

# cases TITLE: waits up to 10 s for its case and prints how many there are.
cases() {
    local n
    for _ in $(seq 50); do
        n=$(api GET 'cases?limit=100' | head -n 1 | jq "[.items[] | select(.title == \"$1\")] | length")
        [ "$n" = 0 ] || break
        sleep 0.2
    done
    echo "$n"
}
