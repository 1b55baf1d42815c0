#!/bin/sh
# What is in the repository is finished, belongs to no one machine, and is not large.
set -eu
bad=0
if git grep -nE 'TODO|FIXME|[^X]XXX[^X]|HACK|not implemented|unimplemented' -- '*.c' '*.h' '*.sh' '*.sql' Makefile \
    ':!tests/lint/repository.sh'; then
    echo "   <- unfinished"
    bad=1
fi
if git grep -nE '/(work|farm|home)/[a-z]|/root/[a-z.]|/tmp/wt' -- . ':!tests/lint/repository.sh'; then
    echo "   <- a path of one machine"
    bad=1
fi
large=$(git ls-files -z | xargs -0 -r du -k 2>/dev/null | awk '$1 > 512')
if [ -n "$large" ]; then
    echo "$large"
    echo "   <- larger than 512 KiB"
    bad=1
fi
exit $bad
