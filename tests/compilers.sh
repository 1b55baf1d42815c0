#!/bin/bash
# The same commands give the same events and the same state whatever made the engine: gcc and clang, -O0
# and -O3. Each build plays the same journals; what it prints is compared line by line.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/kashi-compilers.XXXXXX")
trap 'rm -rf "$folder"' EXIT
commands=6000
seeds="11 12 13"
sources=$(make -s --no-print-directory print-state-hash-sources | tail -n 1)
passed=0
failed=0

build() { # compiler, level
    # shellcheck disable=SC2086
    "$1" -std=c11 -D_GNU_SOURCE -I. "-$2" -fno-strict-aliasing -o "$folder/$1-$2" tests/state_hash.c $sources
}
build gcc O3 & first=$!
build clang O3
wait $first
build gcc O0 & first=$!
build clang O0
wait $first

for seed in $seeds; do
    "$folder/gcc-O3" make "$seed" $commands >"$folder/journal"
    "$folder/gcc-O3" play <"$folder/journal" >"$folder/expected"
    [ "$(wc -l <"$folder/expected")" -eq $((commands / 1000)) ]
    for other in clang-O3 gcc-O0 clang-O0; do
        if "$folder/$other" play <"$folder/journal" | cmp - "$folder/expected"; then
            passed=$((passed + 1))
        else
            echo "seed $seed: $other comes to another state than gcc-O3"
            failed=$((failed + 1))
        fi
    done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
