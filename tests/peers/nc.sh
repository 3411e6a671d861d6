# Raw bytes by netcat: framing that two readers could read differently is refused and the connection closed.

host=${url#http://} port=${url##*:} host=${host%:*}
# raw BYTES: sends them (printf escapes) with another request right behind, and prints the status lines that came back.
raw() {
    { printf "$1"; printf 'GET /healthz HTTP/1.1\r\nHost: behind\r\n\r\n'; } | nc -q 1 -w 5 "$host" "$port" |
        tr -d '\0' | grep -ao 'HTTP/1\.1 [0-9]*' | cut -d' ' -f2 | paste -sd' '
}
while IFS='|' read -r expect why bytes; do
    [ -n "$expect" ] || continue
    is "$(raw "$bytes")" "$expect" "nc: $why"
done <<'ROWS'
200 200|two good requests on one connection are both answered|GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n
400|length and chunked together|POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
400|two lengths|POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd
400|a length with a sign|POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd
400|a length that is no number|POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nabcd
400|another transfer coding|POST /api/v1/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n
400|a chunk size that is no number|POST /api/v1/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n
400|no host|GET /healthz HTTP/1.1\r\n\r\n
400|two hosts|GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n
400|a blank before the colon|GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n
400|a folded header|GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n 2\r\n\r\n
400|a bare carriage return in a value|GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: 1\r2\r\n\r\n
400|an unknown method word|GE\001T /healthz HTTP/1.1\r\nHost: a\r\n\r\n
505|a version of its own|GET /healthz HTTP/1.9\r\nHost: a\r\n\r\n
400|no HTTP at all|\026\003\001\002\000\001\000\001\374\003\003
ROWS
