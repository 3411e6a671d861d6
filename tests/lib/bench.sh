# What benches share: figures against floors.  Sourced.
missed=0
# figure NAME VALUE UNIT [below|above FLOOR]
figure() {
    local verdict=
    if [ $# -gt 3 ]; then
        verdict=$(awk -v v="$2" -v how="$4" -v floor="$5" 'BEGIN { print v == "" || (how == "below" ? v + 0 >= floor : v + 0 <= floor) ? "MISSED" : "ok" }')
        [ "$verdict" = ok ] || missed=1
    fi
    printf '%-28s %12s %-6s %s\n' "$1" "$2" "$3" "${4:+$4 $5: $verdict}"
}
# figures_of COMMAND...: runs a bench of the binary; given NAME UNIT [below|above FLOOR] then shows one of its figures.
figures_of() { json=$("$@" --json 2>/dev/null) || { echo "# failed: $*"; return 1; }; }
given() {
    local name=$1
    shift
    figure "$name" "$(jq ".$name | if . == null then \"\" elif fabs < 100 then . * 100 | round / 100 else round end" -r <<<"$json")" "$@"
}
