#!/bin/sh
# Everything compiles without a warning, with gcc (release, and with sanitizers for the suites) and
# with clang.
set -eu
unset MAKEFLAGS MAKELEVEL MFLAGS
make -k -j"$(nproc)" test-programs test-objects
