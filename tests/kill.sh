#!/bin/bash
# kill -9 at random points under load: the exchange 30 times, settlement 10 times, PostgreSQL, the
# replica and a gateway 5 times each. Afterwards nothing acknowledged is lost, nothing is doubled, and the books are the tape's.
#   SEED=N tests/kill.sh        the seed of an earlier run (it is printed)
set -u
cd "$(dirname "$0")/.." || exit 1
bin=build/release/bin
seed=${SEED:-$(date +%s)}
declare -A kills=([exchange]=30 [settlement]=10 [database]=5 [replica]=5 [gateway.2]=5)
rate=800
passed=0 failed=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/kashi-kill.XXXXXX")
load=
unset KASHI_DATABASE_URL # the server that is killed is this market's own

cleanup() {
    [ -z "$load" ] || kill -KILL "$load" 2>/dev/null
    client/market.sh stop "$dir" >/dev/null 2>&1
    sql/cluster.sh remove "$dir" >/dev/null 2>&1
    if [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]; then rm -rf "$dir"; else echo "left for a look: $dir"; fi
}
trap cleanup EXIT

claim() { # sentence, status
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok: $1"
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

await() { # seconds, command …: until it succeeds
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

echo "seed $seed"
RANDOM=$((seed % 32768))
client/market.sh start "$dir" || { claim "the market starts" 1; finish; }
$bin/kashi-load "$dir" "$seed" $rate 2 >"$dir/load.log" 2>&1 &
load=$!
if ! await 60 grep -qs '^trading' "$dir/load.log"; then
    cat "$dir/load.log"
    claim "the load starts" 1
    finish
fi

victims=()
for victim in exchange settlement database replica gateway.2; do
    for ((at = 0; at < kills[$victim]; at++)); do victims+=("$victim"); done
done
for ((at = ${#victims[@]} - 1; at > 0; at--)); do
    other=$((RANDOM % (at + 1)))
    swap=${victims[at]} victims[at]=${victims[other]} victims[other]=$swap
done

started=$SECONDS
for victim in "${victims[@]}"; do
    sleep "0.$((RANDOM % 900 + 100))" # the random point, not a wait for anything
    if [ "$victim" = database ]; then
        sql/cluster.sh kill9 "$dir" && sql/cluster.sh start "$dir" >/dev/null
    else
        client/market.sh crash "$dir" "$victim" && client/market.sh up "$dir" "$victim"
    fi || { claim "$victim comes back after kill -9" 1; finish; }
    if ! kill -0 "$load" 2>/dev/null; then
        cat "$dir/load.log"
        claim "the load goes on after kill -9 of $victim" 1
        finish
    fi
done
claim "exchange, settlement, PostgreSQL, replica and gateway come back after ${#victims[@]} times kill -9" 0
echo "kills took $((SECONDS - started)) s"

kill -TERM "$load"
wait "$load"
status=$?
load=
cat "$dir/load.log"
claim "every answered request is known as it was answered, no report is doubled or left out" $status
answered=$(sed -n 's/.* answered=\([0-9]*\).*/\1/p' "$dir/load.log")
claim "there was trade between the kills (1000 answers or more)" $((${answered:-0} < 1000))

$bin/kashi-check --dir "$dir" --wait 120 --invariants sql/invariants.sql
claim "settled is what the tape says, each fill once; invariants are empty" $?

# The exchange ends first, so that the replica has all of its journal when it ends.
client/market.sh down "$dir" exchange
replayed=$($bin/kashi-exchange --dir "$dir" --replay)
last_seq=${replayed#seq=}
last_seq=${last_seq%% *}
settled_seq() {
    psql -Atq "$(cat "$dir/database.url")" -c 'SELECT last_seq FROM kashi.progress'
}
reached() { [ "$(settled_seq)" = "$last_seq" ]; }
await 60 reached
claim "replica and settlement reach the journal's last command" $?
client/market.sh stop "$dir" || claim "the market stops" 1
echo "journal: $replayed"
hash=${replayed##*state_hash=}
grep 'stopped: seq=' "$dir/log/exchange.log" "$dir/log/replica.log" | tail -n 2
grep -q "stopped: seq=$last_seq state_hash=$hash" "$dir/log/exchange.log" &&
    grep -q "stopped: seq=$last_seq state_hash=$hash" "$dir/log/replica.log"
claim "exchange, replica and a replay of the journal have the same state hash" $?
finish
