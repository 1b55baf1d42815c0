#!/bin/bash
# `make demo`: a whole market on a simulated clock passes one trading day on the figures of data/,
# then the checker recomputes everything from tape and database. Its last line is the verdict.
#   client/demo.sh [DIR] [kashi-demo's options]      DIR: default run/demo, made anew
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P) || exit 1
bin=${KASHI_BIN:-$root/build/release/bin}
dir=$root/run/demo
case ${1:-} in '' | -*) ;; *) dir=$1; shift ;; esac

# Only what an earlier demo has left is taken away.
if [ -e "$dir" ]; then
    [ -e "$dir/demo" ] || { echo "demo.sh: $dir is there and not a demo's; name another folder" >&2; exit 1; }
    "$root/client/market.sh" stop "$dir" || exit 1
    "$root/sql/cluster.sh" remove "$dir" || exit 1
    rm -rf "$dir"
fi
mkdir -p "$dir" && touch "$dir/demo" || exit 1
trap 'exit 130' INT TERM HUP
trap '"$root/client/market.sh" stop "$dir" >/dev/null' EXIT

# The day begins at 16:00 UTC: midnight in UTC+8.
"$root/client/market.sh" start "$dir" --simulated 2026-11-20T16:00Z --gateways 2 || exit 1
echo "A market in $dir, its database and two gateways are up. A small cluster's trace is brought in:"
"$bin/kashi" import --dir "$dir" --data "$root/data" --nodes "$root/data/sample_nodes.csv" \
    --jobs "$root/data/sample_jobs.csv" --longest 24 || exit 1
echo
echo "One trading day begins."
"$bin/kashi-demo" --dir "$dir" --data "$root/data" "$@" day || exit 1
"$bin/kashi-check" --dir "$dir" --show --wait 120 --invariants "$root/sql/invariants.sql"
