#!/bin/sh
# Installs by apt what is missing to run Kashi (`setup.sh run`) or to test it (`setup.sh test`), as
# root or with sudo; says nothing when all is there. Outside this folder it touches packages and,
# before PostgreSQL comes, the setting that keeps apt from starting a server of its own.
set -eu
purpose=${1:-run}
packages="gcc make libc6-dev procps libzmq3-dev libmsgpack-dev libssl-dev libpq-dev libinih-dev libjansson-dev postgresql"
case $purpose in
run) ;;
test) packages="$packages git binutils clang clang-format libcriterion-dev" ;;
*) echo "usage: setup.sh run | test" >&2; exit 2 ;;
esac

missing=
for package in $packages; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
    as_root=sudo
else
    echo "Kashi needs these packages; install them as root: apt-get install$missing" >&2
    exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" \
        >"$log" 2>&1 </dev/null && return
    cat "$log" >&2
    echo "apt-get $1 failed; these packages are missing:$missing" >&2
    exit 1
}

echo "Installing$missing" >&2
case $missing in
*postgresql*)
    # Else apt starts a cluster on port 5432 as soon as the package is there.
    settings=/etc/postgresql-common/createcluster.conf
    if ! grep -qE '^ *create_main_cluster *= *(false|off|no|0)' $settings 2>/dev/null; then
        $as_root mkdir -p /etc/postgresql-common
        { grep -vE '^ *create_main_cluster' $settings 2>/dev/null || true
          echo "create_main_cluster = false"; } >"$log"
        $as_root install -m 644 "$log" $settings
    fi
    ;;
esac
apt update
# shellcheck disable=SC2086
apt install --no-install-recommends -o Dpkg::Options::=--force-confold $missing
