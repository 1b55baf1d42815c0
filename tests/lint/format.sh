#!/bin/sh
# Every C file is formatted as .clang-format says.
set -eu
wrong=$(git ls-files -z --cached --others --exclude-standard '*.c' '*.h' |
    xargs -0 -r clang-format --dry-run --Werror 2>&1 | grep -oE '^[^ ]+: error:' | head -n 40 || true)
[ -z "$wrong" ] || { printf '%s\nclang-format -i FILE mends them.\n' "$wrong"; exit 1; }
