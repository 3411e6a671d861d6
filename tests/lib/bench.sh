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
