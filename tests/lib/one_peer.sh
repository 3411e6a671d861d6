# one_peer.sh BIN NAME: tests/peers/NAME.sh against a demo of its own.
. tests/lib/server.sh
bin=$1 name=$2
echo "# $name"
# Listeners that a peer needs but the program does not know yet are its own failure.
server_start "$bin" demo --port 0 --mqtt 0 --lines 0 --data "$dir/$name"; say $? "$name: the server is ready"
. tests/lib/peers.sh
. "tests/peers/$name.sh"
kill -0 "$server" 2>/dev/null; say $? "$name: the server is still there"
server_stop; say $? "$name: and stops cleanly"
sum_up
