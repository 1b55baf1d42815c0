#!/bin/bash
# sql/cluster.sh in the folders and under the users in which it must work.
set -u
cd "$(dirname "$0")/.." || exit 1
unset KASHI_DATABASE_URL
passed=0
failed=0
top=$(mktemp -d "${TMPDIR:-/tmp}/kashi-cluster.XXXXXX")
made=()
clean() {
    for folder in "${made[@]}"; do
        sql/cluster.sh remove "$folder"
    done
    rm -rf "$top"
}
trap clean EXIT

check() { # claim, command...
    local claim=$1
    shift
    if "$@" >"$top/output" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $claim"
        sed 's/^/    /' "$top/output"
    fi
}
refuses() { ! "$@"; }
folder() { # makes an instance folder that is cleaned up at the end
    mkdir -p "$1"
    made+=("$1")
}
query() { psql -XAt "$(cat "$1/database.url")" -c "$2"; }
answers() { [ "$(query "$1" "$2")" = "$3" ]; }
lies_elsewhere() { [ -L "$1/postgres" ] && [ -d "$1/postgres/" ]; }

# Others may pass through, as in most clones.
chmod 711 "$top"
plain=$top/plain
folder "$plain"
check 'it starts' sql/cluster.sh start "$plain"
check 'it lies in the instance folder' test ! -L "$plain/postgres"
check 'it listens on no TCP port' answers "$plain" 'SHOW listen_addresses' ''
check 'it is UTF-8' answers "$plain" 'SHOW server_encoding' UTF8
check 'it sorts by code points' answers "$plain" \
    'SELECT datcollate FROM pg_database WHERE datname = current_database()' C.UTF-8
check 'its time zone is UTC' answers "$plain" 'SHOW TimeZone' UTC
check 'nobody else may enter' test "$(stat -c %a "$plain/postgres")" = 700
check 'the URL is for the owner alone' test "$(stat -c %a "$plain/database.url")" = 600
query "$plain" 'CREATE TABLE kept (x int)' >/dev/null
since=$(query "$plain" 'SELECT pg_postmaster_start_time()')
check 'a second start changes nothing' sql/cluster.sh start "$plain"
check 'the server goes on running' answers "$plain" 'SELECT pg_postmaster_start_time()' "$since"
check 'status is 0 while it runs' sql/cluster.sh status "$plain"
check 'it dies at once' sql/cluster.sh kill9 "$plain"
check 'a dead one does not run' refuses sql/cluster.sh status "$plain"
check 'it starts after a crash' sql/cluster.sh start "$plain"
check 'a crash loses nothing' answers "$plain" 'SELECT count(*) FROM kept' 0
check 'it stops' sql/cluster.sh stop "$plain"
check 'it stops twice' sql/cluster.sh stop "$plain"
check 'a stopped one does not run' refuses sql/cluster.sh status "$plain"
check 'it starts again' sql/cluster.sh start "$plain"
check 'a stop loses nothing' answers "$plain" 'SELECT count(*) FROM kept' 0

url=$(cat "$plain/database.url")
other=$top/other
folder "$other"
check 'another server is used when its URL is given' \
    env KASHI_DATABASE_URL="$url" sql/cluster.sh start "$other"
check 'its URL is written down' test "$(cat "$other/database.url")" = "$url"
check 'no cluster is made then' test ! -e "$other/postgres"
check 'another server is not stopped' env KASHI_DATABASE_URL="$url" sql/cluster.sh stop "$other"
check 'another server goes on' sql/cluster.sh status "$plain"

long=$top/$(printf 'a%.0s' {1..60})/$(printf 'b%.0s' {1..30})
folder "$long"
check 'it starts in a long path' sql/cluster.sh start "$long"
check 'it lies elsewhere then' lies_elsewhere "$long"
check 'it answers in a long path' answers "$long" 'SELECT 1' 1

odd="$top/it's 100% 卡时"
folder "$odd"
check 'it starts in a path with odd characters' sql/cluster.sh start "$odd"
check 'it answers there' answers "$odd" 'SELECT 1' 1

closed=$top/closed
mkdir -m 700 "$closed"
folder "$closed/run"
check 'it starts in a folder closed to others' sql/cluster.sh start "$closed/run"
check 'it answers there' answers "$closed/run" 'SELECT 1' 1
check 'two markets do not meet' answers "$closed/run" \
    "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'" 0
check 'remove leaves nothing' sql/cluster.sh remove "$closed/run"
check 'nothing is left under /var/tmp' test -z "$(find /var/tmp -maxdepth 1 \
    -name "kashi-$(id -u)-$(printf %s "$(cd "$closed/run" && pwd -P)" | sha256sum | cut -c1-12)")"

if [ "$(id -u)" -eq 0 ]; then
    check 'another user cannot connect' refuses runuser -u nobody -- psql -XAt "$url" -c 'SELECT 1'

    squatted=$top/squatted
    mkdir -m 700 "$squatted"
    folder "$squatted/run"
    elsewhere=/var/tmp/kashi-0-$(printf %s "$squatted/run" | sha256sum | cut -c1-12)
    mkdir -m 777 "$elsewhere"
    check 'a folder that somebody else laid out is refused' refuses sql/cluster.sh start "$squatted/run"
    rm -rf "$elsewhere"

    install -d -m 755 -o nobody "$top/ordinary" "$top/ordinary/run"
    install -m 755 sql/cluster.sh "$top/ordinary/cluster.sh"
    as_nobody() { (cd / && HOME=/nonexistent runuser -u nobody -- "$@"); }
    check 'an ordinary user starts it' as_nobody "$top/ordinary/cluster.sh" start "$top/ordinary/run"
    check 'an ordinary user reaches it' as_nobody psql -XAt "$(cat "$top/ordinary/run/database.url")" \
        -c 'SELECT 1'
    check 'it is the ordinary user'\''s' test "$(stat -c %U "$top/ordinary/run/postgres")" = nobody
    check 'an ordinary user removes it' as_nobody "$top/ordinary/cluster.sh" remove "$top/ordinary/run"
fi

check 'wrong usage is refused' refuses sql/cluster.sh begin "$plain"
check 'help is given' sql/cluster.sh --help
check 'an unknown folder is refused' refuses sql/cluster.sh stop "$top/nowhere"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
