#!/bin/bash
# Runs checks and closes with one line, `N passed, N failed`. A check is a program without arguments.
# What it prints decides how it counts: Criterion's synthesis or a line `N passed, N failed` are added
# up; anything else counts as one, by its exit status. A sanitizer's report fails the check that
# printed it (Criterion does not fail a test for a leak). Only failures show their output.
#   usage: tests/run.sh CHECK…        SECONDS_EACH=900 by default
set -u
cd "$(dirname "$0")/.." || exit 1
seconds_each=${SECONDS_EACH:-900}
output=$(mktemp "${TMPDIR:-/tmp}/kashi-test.XXXXXX")
trap 'rm -f "$output"' EXIT
export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
passed=0
failed=0
failures=

for check in "$@"; do
    name=${check#build/asan/}
    started=$SECONDS
    timeout -k 10 "$seconds_each" "$check" >"$output" 2>&1 </dev/null
    status=$?
    synthesis=$(sed 's/\x1b\[[0-9;]*m//g' "$output" | grep 'Synthesis: Tested:' | tail -n 1)
    counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 1)
    if [ -n "$synthesis" ]; then
        read -r tested good < <(sed -E 's/.*Tested: ([0-9]+).*Passing: ([0-9]+).*/\1 \2/' <<<"$synthesis")
        bad=$((tested - good))
        [ "$tested" -gt 0 ] || bad=1
    elif [ -n "$counts" ]; then
        read -r good _ bad _ <<<"$counts"
    else
        good=0 bad=0
        if [ $status -eq 0 ]; then good=1; else bad=1; fi
    fi
    # A check that ended badly without naming a failure has one all the same.
    note=
    if [ $status -eq 124 ] || [ $status -eq 137 ]; then
        note=", no end after $seconds_each s"
    elif grep -qE 'LeakSanitizer|AddressSanitizer|runtime error:' "$output"; then
        note=', a sanitizer reports'
        status=1
    fi
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    printf '%-44s %5d passed %3d failed %5d s%s\n' "$name" "$good" "$bad" $((SECONDS - started)) "$note"
    if [ "$bad" -gt 0 ]; then
        failures="$failures $name"
        tail -n 200 "$output" | sed 's/^/    /'
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    # What follows would test yesterday's programs.
    if [ "$bad" -gt 0 ] && [ "$name" = tests/lint/compile.sh ]; then
        echo "The build failed; the other checks were not run."
        break
    fi
done

[ -z "$failures" ] || echo "failed:$failures"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
