#!/bin/sh
# The private PostgreSQL of one market: its own folder, reachable through a unix socket only.
set -eu

usage() {
	cat <<'END'
usage: sql/cluster.sh COMMAND DIR
  start   make the cluster of instance folder DIR if there is none, start it if it does not run,
          write its connection URL to DIR/database.url and print it
  stop    end it; what is stored stays
  status  say whether it runs; exit status 0 if so, 3 if not
  url     print its connection URL
  kill9   end it as a crash would (for tests)
  remove  end it and delete everything that it stored
With KASHI_DATABASE_URL set that server is used instead: start writes down and prints the URL, and
nothing is started, stopped or deleted.
examples:
  sql/cluster.sh start run
  psql "$(sql/cluster.sh url run)" -f sql/invariants.sql
END
}

fail() {
	echo "cluster.sh: $*" >&2
	exit 1
}

case "${1:-}" in
-h | --help | help) usage; exit 0 ;;
start | stop | status | url | kill9 | remove) ;;
*) usage >&2; exit 2 ;;
esac
if [ $# -ne 2 ] || [ -z "$2" ]; then
	usage >&2
	exit 2
fi
command=$1
[ "$command" = start ] && mkdir -p -- "$2"
[ -d "$2" ] || fail "the instance folder $2 does not exist; start makes it"
DIR=$(cd -- "$2" && pwd -P)
PORT=5432 # names the socket only; nothing listens on TCP

# PostgreSQL does not run as root: root hands it to the user that its package made.
if [ "$(id -u)" -eq 0 ]; then
	SERVER_USER=postgres
	id "$SERVER_USER" >/dev/null 2>&1 || fail "user postgres is missing; apt-get install postgresql"
	# cd: the server's user may not be able to enter the caller's folder.
	as_server() { (cd / && exec runuser -u "$SERVER_USER" -- "$@"); }
else
	SERVER_USER=$(id -un)
	as_server() { (cd / && exec "$@"); }
fi

# pg_config would name another folder when development files of another version are installed.
BIN=
for folder in /usr/lib/postgresql/*/bin; do
	[ -x "$folder/initdb" ] && BIN=$folder
done
need_server() {
	[ -n "$BIN" ] || fail "PostgreSQL is not installed; apt-get install postgresql"
}

# The cluster lies in DIR/postgres. Where the server's user cannot get there, where the path of the
# socket would not fit its 107 bytes, or where it has characters that postgresql.conf would have to
# quote, it lies under /var/tmp and DIR/postgres leads there.
ELSEWHERE=/var/tmp/kashi-$(id -u)-$(printf %s "$DIR" | sha256sum | cut -c1-12)
home_fits() {
	[ "$(printf %s "$DIR/postgres/.s.PGSQL.$PORT" | wc -c)" -le 100 ] || return 1
	case "$DIR" in *[!A-Za-z0-9_./+-]*) return 1 ;; esac
	as_server test -x "$DIR"
}
if [ -L "$DIR/postgres" ] || { [ ! -d "$DIR/postgres" ] && ! home_fits; }; then
	HOME_DIR=$ELSEWHERE
else
	HOME_DIR=$DIR/postgres
fi
DATA=$HOME_DIR/data

# /var/tmp belongs to everyone, and the socket admits whoever reaches it: the folder must be ours.
check_owner() {
	[ ! -L "$HOME_DIR" ] || fail "$HOME_DIR is a symbolic link; delete it and start again"
	owner=$(stat -c '%U %a' -- "$HOME_DIR")
	[ "$owner" = "$SERVER_USER 700" ] ||
		fail "$HOME_DIR belongs to '$owner' and not to '$SERVER_USER 700'; delete it and start again"
}

percent_encode() {
	printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g' |
		sed 's/%2f/\//g; s/%2d/-/g; s/%2e/./g; s/%5f/_/g;
			s/%3\([0-9]\)/\1/g' | awk '{
				while (match($0, /%[46][1-9a-f]|%[57][0-9a]/)) {
					code = substr($0, RSTART + 1, 2)
					hex = index("0123456789abcdef", substr(code, 1, 1)) * 16 - 16 + \
						index("0123456789abcdef", substr(code, 2, 1)) - 1
					$0 = substr($0, 1, RSTART - 1) sprintf("%c", hex) substr($0, RSTART + 3)
				}
				print }'
}
print_url() {
	if [ -n "${KASHI_DATABASE_URL:-}" ]; then
		echo "$KASHI_DATABASE_URL"
	else
		echo "postgresql://kashi@/kashi?host=$(percent_encode "$HOME_DIR")&port=$PORT"
	fi
}
write_url() {
	(umask 077 && print_url >"$DIR/database.url.new")
	mv -f -- "$DIR/database.url.new" "$DIR/database.url"
}

runs() {
	[ -n "$BIN" ] && as_server test -d "$DATA" && as_server "$BIN/pg_ctl" status -D "$DATA" >/dev/null
}

make_cluster() {
	if [ ! -d "$HOME_DIR" ]; then
		mkdir -m 700 -- "$HOME_DIR"
		[ "$SERVER_USER" = "$(id -un)" ] || chown "$SERVER_USER": "$HOME_DIR"
	fi
	check_owner
	[ "$HOME_DIR" = "$DIR/postgres" ] || ln -sfn -- "$HOME_DIR" "$DIR/postgres"
	if as_server test -e "$DATA/kashi.ready"; then
		return 0
	fi
	# Cut off while it was being made: it holds nothing yet.
	as_server rm -rf -- "$DATA"
	as_server "$BIN/initdb" -D "$DATA" -U kashi -A trust --locale=C.UTF-8 -E UTF8 \
		>"$DIR/initdb.log" 2>&1 || fail "initdb failed; see $DIR/initdb.log"
	rm -f -- "$DIR/initdb.log"
	# shellcheck disable=SC2016
	as_server sh -c 'cat >>"$0/postgresql.conf"; echo "local all all trust" >"$0/pg_hba.conf"' \
		"$DATA" <<END
listen_addresses = ''
port = $PORT
unix_socket_directories = '$HOME_DIR'
unix_socket_permissions = 0700
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 50
shared_buffers = 64MB
max_wal_size = 1GB
END
}

# After a crash the old server's children hold its shared memory for a moment longer.
start_server() {
	tries=0
	until as_server "$BIN/pg_ctl" start -w -t 60 -s -D "$DATA" -l "$HOME_DIR/server.log" \
		</dev/null >/dev/null 2>&1 9>&-; do
		runs && return 0
		tries=$((tries + 1))
		[ "$tries" -lt 20 ] || fail "PostgreSQL does not start; see $HOME_DIR/server.log"
		sleep 0.5
	done
}

start() {
	if [ -n "${KASHI_DATABASE_URL:-}" ]; then
		write_url
		print_url
		return 0
	fi
	need_server
	exec 9>"$DIR/database.lock"
	flock 9
	if ! runs; then
		make_cluster
		start_server
	fi
	check_owner
	# Superuser `kashi` owns the database; the socket is root's when postgres runs the server.
	if ! as_server test -e "$DATA/kashi.ready"; then
		as_server "$BIN/createdb" -h "$HOME_DIR" -p "$PORT" -U kashi kashi
		as_server touch "$DATA/kashi.ready"
	fi
	write_url
	print_url
}

stop() {
	if [ -z "${KASHI_DATABASE_URL:-}" ] && runs; then
		as_server "$BIN/pg_ctl" stop -m fast -w -s -D "$DATA" || fail "PostgreSQL does not stop"
	fi
}

# Gone, or dead and not yet reaped by whoever started it.
is_gone() {
	case "$(ps -o stat= -p "$1")" in '' | Z*) return 0 ;; *) return 1 ;; esac
}
kill9() {
	[ -z "${KASHI_DATABASE_URL:-}" ] || fail "KASHI_DATABASE_URL names a server that is not ours"
	runs || fail "it does not run"
	postmaster=$(as_server head -n 1 "$DATA/postmaster.pid")
	children=$(ps -o pid= --ppid "$postmaster")
	# shellcheck disable=SC2086
	kill -9 "$postmaster" $children 2>/dev/null || true
	for pid in $postmaster $children; do
		tries=0
		until is_gone "$pid"; do
			tries=$((tries + 1))
			[ "$tries" -lt 200 ] || fail "process $pid does not die"
			sleep 0.05
		done
	done
	# An unreaped postmaster would still look alive to pg_ctl.
	[ -z "$(ps -o stat= -p "$postmaster")" ] || as_server rm -f -- "$DATA/postmaster.pid"
}

remove() {
	stop
	[ -z "${KASHI_DATABASE_URL:-}" ] || return 0
	rm -rf -- "$ELSEWHERE" "$DIR/postgres" "$DIR/database.url" "$DIR/database.lock"
}

case "$command" in
url) print_url ;;
status)
	if [ -n "${KASHI_DATABASE_URL:-}" ]; then
		echo "KASHI_DATABASE_URL names the server"
	elif runs; then
		echo "runs"
	else
		echo "does not run"
		exit 3
	fi
	;;
*) "$command" ;;
esac
