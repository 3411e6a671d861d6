# linli ingest: files into the running server, ended at any moment and gone on with; what is there is counted and compared.

log_in admin; say $? "ingest: logs in"
port=${url##*:} port=${port%%/*}
files=$dir/files
mkdir "$files"
ingest() { LINLI_PASSWORD=$LINLI_DEMO_PASSWORD "$bin" ingest "$@" --to "http://127.0.0.1:$port" --user admin; }
# stored DEVICE METRIC: the points as "ms value" lines.
stored() { api GET "telemetry?device=$1&metric=$2&from=0&to=4000000000000&limit=100000" | head -n 1 | jq -r '.points[]? | "\(.[0]) \(.[1])"'; }

# 60,000 seconds of two metrics, the beginning two days ago.
from=$(($(date +%s) / 86400 * 86400 - 172800))
awk -v from=$from 'BEGIN { print "time,level,flow"; for (i = 0; i < 60000; i++) printf "%d,%d,%.2f\n", from + i, i, i % 97 / 4 }' >"$files/long run.csv"
awk -F, -v from=$from 'NR > 1 { print $1 "000 " $2 + 0 }' "$files/long run.csv" >"$files/level"
awk -F, 'NR > 1 { print $1 "000 " $3 + 0 }' "$files/long run.csv" >"$files/flow"

told=$("$bin" ingest "$files/long run.csv" --dry-run --device =tank); is $? 0 "ingest: a dry run"
[[ $told = *"time:   time (s)"*"value:  flow"*"60000 rows, 120000 readings, 0 bad rows"* ]]; say $? "ingest: shows how rows are understood, and checks all"
is "$(stored tank level | wc -l)" 0 "ingest: and sends nothing"

# begin OPTIONS...: in the background; waits until something is durable.
begin() {
    ingest "$files/long run.csv" --device =tank --batch 200 --quiet "$@" >"$files/out" 2>"$files/err" &
    loader=$!
    for _ in $(seq 200); do
        [ "$(jq -r .line "$files/long run.csv.ingest" 2>/dev/null || echo 0)" -le "${reached:-1}" ] || break
        sleep 0.02
    done
}
# The process itself: the function's shell is its parent.
signal() { kill "-$1" "$(pgrep -P "$loader" -x linli || echo "$loader")"; wait "$loader"; }
# It survives the limit on the size of files that is laid upon it below.
server_again() { server_start bash -c 'trap "" XFSZ; exec "$@"' - "$bin" demo --port "$port" --mqtt 0 --lines 0 --data "$dir/$name" && log_in admin; }
begin
server_stop KILL # first, so that the batch on its way is lost
signal KILL 2>/dev/null
server_again; say $? "ingest: kill -9 of both, the server comes back"
reached=$(jq -r .line "$files/long run.csv.ingest")
[ "$reached" -gt 1 ] && [ "$reached" -lt 60001 ]; say $? "ingest: its state is at line $reached"
[ "$(stored tank level | wc -l)" -ge $((reached - 1)) ]; say $? "ingest: what it said to be stored is"
begin
signal KILL 2>/dev/null
reached=$(jq -r .line "$files/long run.csv.ingest")
begin
signal INT; is $? 130 "ingest: it has gone on from there, and after a kill -9 of it alone; Ctrl-C ends it"
grep -q 'the same command goes on there' "$files/err"; say $? "ingest: and it says how to go on"
stopped=$(jq -r .line "$files/long run.csv.ingest")
[ "$stopped" -gt "$reached" ] && [ "$stopped" -lt 60001 ]; say $? "ingest: stopped at line $stopped"
reached=$stopped
begin
server_stop KILL
server_again; say $? "ingest: kill -9 of the server alone, which comes back"
wait "$loader"; is $? 0 "ingest: and it goes on by itself"
stored tank level | cmp -s - "$files/level"; say $? "ingest: each of 60,000 readings is there, once, as it is in the file"
stored tank flow | cmp -s - "$files/flow"; say $? "ingest: of the other metric, too"
is "$(ingest "$files/long run.csv" --device =tank --batch 200 --json --quiet | jq -c '[.rows, .readings, .done]')" '[0,0,true]' "ingest: the same again sends nothing"
printf '%d,60000,1\n%d,60001' $((from + 60000)) $((from + 60001)) >>"$files/long run.csv"
told=$(ingest "$files/long run.csv" --device =tank --quiet 2>&1); is $? 1 "ingest: a row that is torn at the end is bad"
echo ,2 >>"$files/long run.csv"
ingest "$files/long run.csv" --device =tank --quiet >/dev/null; is $? 0 "ingest: and good once it is whole"
is "$(stored tank level | tail -n 2 | cut -d' ' -f2 | paste -sd' ')" "60000 60001" "ingest: what a file grew by is sent"
told=$(ingest "$files/long run.csv" --device =other 2>&1); is $? 1 "ingest: other options are no going on"
[[ $told = *--again* ]]; say $? "ingest: it says what to do"

prlimit --pid "$server" --fsize=0:unlimited
LINLI_TOKEN=$token "$bin" ingest "$files/long run.csv" --device =later --state "$files/later" --to "http://127.0.0.1:$port" >"$files/out" 2>"$files/err" &
loader=$!
for _ in $(seq 100); do ! grep -q 'waiting$' "$files/err" || break; sleep 0.1; done
grep -q 'waiting$' "$files/err"; say $? "ingest: while the server's disk is full, it waits"
prlimit --pid "$server" --fsize=unlimited:unlimited
wait "$loader"; is $? 0 "ingest: and goes on when there is room"
is "$(stored later level | wc -l)" 60002 "ingest: nothing is missing"

# Real excerpts, in the encodings and shapes of the field.
awk -F, -v from=$from 'NR == 1 { print "\"date\",\"" $1 "\",\"" $4 "\"" } NR > 1 { printf "\"%d\",\"%s\",%s,%s\n", NR, strftime("%Y-%m-%d %H:%M:%S", from + 60 * NR, 1), $1, $4 }' \
    demo/occupancy/minutes.csv >"$files/occupancy.txt"
ingest "$files/occupancy.txt" --device =room --zone +00:00 --quiet >/dev/null; is $? 0 "ingest: a table as R writes it"
is "$(stored room co2 | wc -l) $(stored room co2 | head -n 1 | cut -d' ' -f2)" "$(($(wc -l <demo/occupancy/minutes.csv) - 1)) 749.2" "ingest: each minute is there"
printf '设备编号;采集时间;指标;数值\n表1;%s;用电量;12.5\n表2;%s;用电量;13\n' "$(date -d @$from '+%Y/%m/%d %H:%M')" "$(date -d @$from '+%Y/%m/%d %H:%M')" | iconv -t GB18030 >"$files/gb.csv"
ingest "$files/gb.csv" --zone "$(date +%:z)" --quiet >/dev/null; is $? 0 "ingest: a row a reading, in GB 18030"
is "$(api GET "telemetry/latest?device=%E8%A1%A82" | head -n 1 | jq -c '[.items[0].metric, .items[0].value, .items[0].at_ms]')" "[\"用电量\",13,${from}000]" "ingest: is there by its Chinese names"
printf 'm7,floor=3 kwh=1.5,kw=2i %d000000000\n# a word\nm7 kwh=2.5 %d000000000\n' $from $((from + 1)) | ingest - --quiet >/dev/null; is $? 0 "ingest: line protocol from a pipe"
is "$(stored m7 kwh | cut -d' ' -f2 | paste -sd' ')" "1.5 2.5" "ingest: is there"
# A pipe that stays open: lines without a time, each stored before the next one comes.
mkfifo "$files/pipe"
LINLI_TOKEN=$token "$bin" ingest - --quiet --to "http://127.0.0.1:$port" <"$files/pipe" >/dev/null &
loader=$!
exec 5>"$files/pipe"
for n in 1 2 3; do
    echo "live x=$n" >&5
    for _ in $(seq 100); do [ "$(stored live x | wc -l)" != $n ] || break; sleep 0.1; done
done
exec 5>&-
wait "$loader"; is $? 0 "ingest: a pipe that stays open"
is "$(stored live x | cut -d' ' -f2 | paste -sd' ')" "1 2 3" "ingest: each line is stored when it comes, at that time"

# Bad rows: said with their line, or left out and counted; those that only the server knows to be bad, too.
printf 'device,time,a\nm8,%d,1\nm8,%d,x\nm8,%d,3\nm8,1000000000,4\nm8,1000000060,5\nm8,%d,6\n' $from $((from + 1)) $((from + 2)) $((from + 3)) >"$files/bad.csv"
told=$(ingest "$files/bad.csv" --quiet 2>&1); is $? 1 "ingest: a bad row ends it"
[[ $told = *'bad.csv:3: column a: "x" is no number'* ]] && [ "$(stored m8 a | wc -l)" = 1 ]; say $? "ingest: its line and rule are said, what was before it is stored"
told=$(ingest "$files/bad.csv" --quiet --skip-bad --json 2>"$files/err"); is $? 0 "ingest: past bad rows"
is "$(jq -c '[.rows, .readings, .bad]' <<<"$told") $(stored m8 a | cut -d' ' -f2 | paste -sd' ')" '[5,2,3] 1 3 6' "ingest: they are counted, the others are stored"
grep -q 'bad.csv:5: the time is before' "$files/err" && grep -q 'bad.csv:6: the time is before' "$files/err"; say $? "ingest: also those that are too old for the server"
told=$(ingest "$files/bad.csv" --quiet --again 2>&1 | grep -c '^.*bad.csv:3:'); is "$told" 1 "ingest: --again begins anew"

told=$("$bin" ingest "$files/gb.csv" --to "http://127.0.0.1:1" --user x 2>&1 </dev/null); is $? 2 "ingest: without a password it is wrong usage"
told=$(LINLI_PASSWORD=wrong-password "$bin" ingest "$files/gb.csv" --to "http://127.0.0.1:$port" --user admin 2>&1); is $? 1 "ingest: a wrong password"
[[ $told = *"does not know admin"* ]]; say $? "ingest: is said"
told=$(LINLI_TOKEN=x "$bin" ingest "$files/gb.csv" --again --to "http://127.0.0.1:1" 2>&1); is $? 1 "ingest: where nobody is"
[[ $told = *"does the server run there"* ]]; say $? "ingest: it asks whether the server runs"
log_in guard
told=$(LINLI_TOKEN=$token "$bin" ingest "$files/gb.csv" --again --to "http://127.0.0.1:$port" 2>&1); is $? 1 "ingest: who may not write readings"
[[ $told = *"an administrator may"* ]]; say $? "ingest: is told who may"
"$bin" user add loader --role admin --place yunshanli --password "$LINLI_DEMO_PASSWORD" --data "$dir/$name" >/dev/null && log_in loader; say $? "ingest: an administrator of the community"
LINLI_TOKEN=$token "$bin" ingest "$files/gb.csv" --zone "$(date +%:z)" --again --quiet --to "http://127.0.0.1:$port" >/dev/null; is $? 0 "ingest: may"
