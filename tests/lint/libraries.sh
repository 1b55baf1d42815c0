#!/bin/sh
# Only the files that are meant to know a library include it: libpq in pg.c, msgpack in
# wire/codec.c, OpenSSL where keys and hashes are made.
set -eu
only() { # header pattern, files that may include it
    if git grep --untracked -nE "^ *# *include *<($1)" -- '*.c' '*.h' | grep -vE "^($2):"; then
        echo "   <- <$1> may be included by $2 only"
        exit 1
    fi
}
only 'libpq|postgres|pg_' '([a-z_]+/)*(test_)?pg[a-z_]*\.[ch]|bench/[a-z_]+\.c'
only 'msgpack' 'wire/codec\.c|tests/[a-z_]+\.c'
only 'openssl' 'gateway/auth\.c|exchange/journal[a-z_]*\.[ch]|client/(auth|verify)\.c|base/sha256\.[ch]|pricing/signer\.c|tests/[a-z_]+\.c'
