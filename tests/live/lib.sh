# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Sourced by the live tests written in bash:
#
#	. "$(dirname "$0")/lib.sh"
#
# tests/run sets VMVIEW, ZOO, SRCDIR, BUILDDIR; by hand the build in build/ is used. Status 77 is
# a skip (skip WHY), 0 passed, anything else failed. What was started or changed is undone by
# at_exit, also when the test fails or is told to end.
set -uo pipefail

SRCDIR=${SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILDDIR=${BUILDDIR:-$SRCDIR/build}
VMVIEW=${VMVIEW:-$BUILDDIR/vmview}
ZOO=${ZOO:-$BUILDDIR/tests/zoo/zoo}
export SRCDIR BUILDDIR VMVIEW ZOO LC_ALL=C.UTF-8

# A directory of the test's own that everybody may enter, removed at the end.
TMP=$(mktemp -d "${TMPDIR:-/tmp}/vmview-test.XXXXXX")
chmod 755 "$TMP"

at_exit_commands=("rm -rf '$TMP'")
at_exit_run()
{
	local status=$? i

	trap '' INT TERM HUP
	for ((i = ${#at_exit_commands[@]} - 1; i >= 0; i--)); do
		eval "${at_exit_commands[i]}"
	done
	exit "$status"
}
trap at_exit_run EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

# at_exit COMMAND: evaluated when the test ends; the last one given comes first.
at_exit()
{
	at_exit_commands+=("$1")
}

skip()
{
	echo "skip: $*"
	exit 77
}

fail()
{
	echo "FAIL: $*" >&2
	exit 1
}

# equal WHAT GOT EXPECTED
equal()
{
	[ "$2" = "$3" ] || fail "$1 is '$2', expected '$3'"
}

# status EXPECTED COMMAND...: the command has to end with that status. Its output goes on.
status()
{
	local want=$1 got=0

	shift
	"$@" || got=$?
	[ "$got" = "$want" ] || fail "status is $got, expected $want: $*"
}

need_root()
{
	[ "$(id -u)" = 0 ] || skip "needs root"
}

# start COMMAND...: in the background with an open standard input; sets STARTED to its PID. It is
# ended with the test: its input is closed, and it is killed. Its output is in $TMP/out.PID.
start()
{
	local pipe fd out

	pipe=$(mktemp -u "$TMP/in.XXXXXX")
	out=$(mktemp "$TMP/out.XXXXXX")
	mkfifo "$pipe"
	"$@" <"$pipe" >"$out" &
	STARTED=$!
	exec {fd}>"$pipe"
	rm "$pipe"
	mv "$out" "$TMP/out.$STARTED"
	at_exit "exec $fd>&-; kill -KILL $STARTED 2>/dev/null; wait $STARTED 2>/dev/null"
}

# start_zoo ANIMAL...: start it and wait until all animals stand; sets ZOO_PID, and ZOO_OUT to the
# file with the lines it printed. Skips the test where the machine cannot host an animal.
start_zoo()
{
	local i status=0

	start "$ZOO" "$@"
	ZOO_PID=$STARTED
	ZOO_OUT=$TMP/out.$ZOO_PID
	for ((i = 0; i < 600; i++)); do
		! grep -q '^{"ready":true}' "$ZOO_OUT" || return 0
		kill -0 "$ZOO_PID" 2>/dev/null || break
		sleep 0.05
	done
	wait "$ZOO_PID" || status=$?
	[ "$status" != 77 ] || skip "zoo: $(grep '"skip"' "$ZOO_OUT" | tail -1)"
	fail "zoo $* did not get ready (status $status): $(cat "$ZOO_OUT")"
}

# as_nobody COMMAND...: without any right. $NOBODY_VMVIEW is a copy of the program that nobody can
# reach wherever the build is.
as_nobody()
{
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all \
		--no-new-privs "$@"
}

need_nobody()
{
	need_root
	NOBODY_VMVIEW=$TMP/vmview
	cp "$VMVIEW" "$NOBODY_VMVIEW" && chmod 755 "$NOBODY_VMVIEW"
}

# json_valid FILE: the document has to be what the schema says.
json_valid()
{
	"$VMVIEW" --json-schema >"$TMP/schema.json" || fail "no schema"
	/usr/bin/python3 - "$TMP/schema.json" "$1" <<'PYTHON' || fail "$1 is not valid"
import json, sys
import jsonschema
schema, document = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
jsonschema.validate(document, schema)
PYTHON
}
