#!/bin/bash
# Starts and stops a whole market in an instance folder (docs/operations.md).
set -u

usage() {
    cat <<'END'
usage: client/market.sh COMMAND DIR [OPTIONS]
  start DIR         start what does not run: database, exchange, replica, gateways, settlement, pricing
    --simulated T   a new market's clock stands at T (2026-11-20T16:00Z) and moves by command only
    --gateways N    so many gateways, 1 .. 9 (default 2), named 1, 2 ...
    --durability D  sync (default) or os
    --no-curve      gateways without encryption (measurements only)
  up DIR NAME       start one of them again
  down DIR NAME     end one of them
  crash DIR NAME    end one of them at once, as a crash would (for tests)
  stop DIR          end all that was started in DIR, in order; what is stored stays
  status DIR        one line a process; exit status 0 when all run
  run [DIR]         start DIR (default run), fill a new market with sample accounts, wait for Ctrl-C
examples:
  client/market.sh run
  client/market.sh start /tmp/market --simulated 2026-11-20T16:00Z
END
}

root=$(cd "$(dirname "$0")/.." && pwd -P) || exit 1
bin=${KASHI_BIN:-$root/build/release/bin}
wait_s=60 # for a process to be ready, or to end

fail() {
    echo "market.sh: $*" >&2
    exit 1
}

# --- processes ------------------------------------------------------------------------------------
# A process is known by NAME.pid; it is ours while it lives in DIR under a program's name of ours.
alive() { # name
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) && [ -n "$pid" ] &&
        [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$dir" ] &&
        grep -qs '^kashi-' "/proc/$pid/comm" && ! grep -qs '^State:[[:space:]]*Z' "/proc/$pid/status"
}

names() {
    echo exchange replica
    sed -n 's/^\[\(gateway\.[^]]*\)\]$/\1/p' "$dir/kashi.ini"
    echo settlement pricing
}

spawn() { # name
    local name=$1 program arguments=()
    case $name in
    gateway.*) program=kashi-gateway arguments=("${name#gateway.}") ;;
    *) program=kashi-$name ;;
    esac
    rm -f "$dir/$name.endpoints"
    # A session of its own: Ctrl-C is for the script, which ends everything in order.
    setsid "$bin/$program" --dir "$dir" "${arguments[@]}" >>"$dir/log/$name.log" 2>&1 </dev/null 8>&- 9>&- &
    echo $! >"$dir/$name.pid"
    disown # that one was killed is said by who starts it again
}

await() { # name: until it is ready to serve
    local deadline=$((SECONDS + wait_s))
    until [ -e "$dir/$1.endpoints" ]; do
        if ! kill -0 "$(cat "$dir/$1.pid")" 2>/dev/null; then
            tail -n 5 "$dir/log/$1.log" >&2
            fail "$1 ended while it started; the whole log is $dir/log/$1.log"
        fi
        [ $SECONDS -lt $deadline ] || fail "$1 is not ready after $wait_s s; see $dir/log/$1.log"
        sleep 0.05
    done
}

up() { # name
    alive "$1" && return
    spawn "$1"
    await "$1"
}

finish() { # name signal
    local pid deadline=$((SECONDS + wait_s))
    if alive "$1"; then
        pid=$(cat "$dir/$1.pid")
        kill "-$2" "$pid" 2>/dev/null
        while alive "$1"; do
            if [ $SECONDS -ge $deadline ]; then
                echo "market.sh: $1 does not end; it is killed" >&2
                kill -KILL "$pid" 2>/dev/null
                deadline=$((SECONDS + wait_s))
            fi
            sleep 0.02
        done
    fi
    rm -f "$dir/$1.pid" "$dir/$1.endpoints"
}

# --- a market -------------------------------------------------------------------------------------
write_config() {
    local gateway clock=real
    [ -z "$simulated" ] || clock=simulated
    {
        echo "; Written once by client/market.sh; edit it as docs/operations.md says."
        echo "[exchange]"
        echo "durability = $durability"
        echo "clock = $clock"
        [ -z "$simulated" ] || echo "sim_start = $simulated"
        echo
        echo "[replica]"
        echo "market_data = tcp://127.0.0.1:*"
        echo "snapshot = tcp://127.0.0.1:*"
        for ((gateway = 1; gateway <= gateways; gateway++)); do
            printf '\n[gateway.%s]\nclients = tcp://127.0.0.1:*\n' "$gateway"
            [ "$curve" = yes ] || echo "curve = no"
        done
        echo
        echo "[settlement]"
        echo
        echo "[pricing]"
        echo "index = tcp://127.0.0.1:*"
    } >"$dir/kashi.ini.new" && mv "$dir/kashi.ini.new" "$dir/kashi.ini"
}

prepare() {
    mkdir -p "$dir/log" "$dir/journal" "$dir/tape" || fail "cannot write in $dir"
    (umask 077 && mkdir -p "$dir/keys") || fail "cannot write in $dir"
    [ -x "$bin/kashi-exchange" ] || fail "$bin/kashi-exchange is missing; run make"
    local key
    for key in operator gateway; do
        [ -e "$dir/keys/$key.key" ] || "$bin/kashi" keygen "$dir/keys/$key" >/dev/null ||
            fail "cannot make the key $dir/keys/$key.key"
    done
    [ -e "$dir/kashi.ini" ] || write_config
}

start() {
    local name
    prepare
    "$root/sql/cluster.sh" start "$dir" >/dev/null || fail "the database does not start"
    up exchange
    up replica
    for name in $(names); do
        alive "$name" || spawn "$name"
    done
    for name in $(names); do
        await "$name"
    done
}

stop() {
    local name
    [ -e "$dir/kashi.ini" ] || return 0
    # Downstream, so that the ledger ends level with the tape, and the tape with the journal.
    for name in $(names | grep '^gateway') exchange settlement pricing replica; do
        finish "$name" TERM
    done
    "$root/sql/cluster.sh" stop "$dir"
    rm -f "$dir"/*.sock
}

status() {
    local name result=0
    [ -e "$dir/kashi.ini" ] || fail "there is no market in $dir"
    for name in $(names); do
        if alive "$name"; then
            echo "$name runs"
        else
            echo "$name does not run"
            result=1
        fi
    done
    return $result
}

lock() { # one script at a time works on a market
    exec 9>"$dir/market.lock"
    flock -w 120 9 || fail "another market.sh works on $dir"
}

run() {
    exec 8>"$dir/run.lock"
    flock -n 8 || fail "the market in $dir is run from another terminal; Ctrl-C there ends it"
    ended=
    trap 'ended=1' INT TERM HUP
    trap 'echo "Stopping the market ..."; lock; stop' EXIT
    start
    exec 9>&-
    "$bin/kashi-demo" --dir "$dir" --data "$root/data" samples || fail "the sample accounts could not be set up"
    local name
    while [ -z "$ended" ]; do
        for name in $(names); do
            if [ -z "$ended" ] && ! alive "$name"; then
                echo "$name ended; starting it again" >&2
                up "$name"
            fi
        done
        sleep 1 &
        wait $!
    done
    exit 0
}

# --- command line ---------------------------------------------------------------------------------
command=${1:-}
case $command in
-h | --help | help) usage; exit 0 ;;
start | stop | status | run | up | down | crash) shift ;;
*) usage >&2; exit 2 ;;
esac
dir=${1:-}
[ -n "$dir" ] || { [ "$command" = run ] && dir=$root/run; } || { usage >&2; exit 2; }
[ $# -eq 0 ] || shift
name=
case $command in
up | down | crash)
    name=${1:-}
    [ -n "$name" ] || { usage >&2; exit 2; }
    shift
    ;;
esac
simulated='' gateways=2 durability=sync curve=yes
while [ $# -gt 0 ]; do
    case $1 in
    --simulated) simulated=${2:?--simulated needs a time}; shift ;;
    --gateways) gateways=${2:?--gateways needs a number}; shift ;;
    --durability) durability=${2:?--durability needs sync or os}; shift ;;
    --no-curve) curve=no ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
case $gateways in [1-9]) ;; *) fail "--gateways $gateways: 1 .. 9" ;; esac
case $command in start | run) mkdir -p "$dir" || fail "cannot make $dir" ;; esac
dir=$(cd "$dir" 2>/dev/null && pwd -P) || fail "there is no folder $dir"
[ "$command" = status ] || lock

case $command in
up) up "$name" ;;
down) finish "$name" TERM ;;
crash) finish "$name" KILL ;;
start)
    # Half a market is none.
    trap stop EXIT
    start
    trap - EXIT
    ;;
*) "$command" ;;
esac
