#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vmview swap against the zoo: bytes by mapping, slots that parent and child share, shared memory.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/knobs.sh"

at_exit knobs_restore
need_root
with_zram 256M

# field FILE FILTER: a value of a JSON document
field()
{
	python3 -c 'import json, sys
print(eval(sys.argv[2], {"d": json.load(open(sys.argv[1]))}))' "$1" "$2"
}

start_zoo swap swap-shm
status 0 "$VMVIEW" swap --json "$ZOO_PID" >"$TMP/swap.json"
json_valid "$TMP/swap.json"
equal "mappings with swap" "$(field "$TMP/swap.json" 'len(d["processes"][0]["mappings"])')" 2
equal "own" "$(field "$TMP/swap.json" 'd["ranking"][0]["own"]')" $((24 * 4096))
equal "shared" "$(field "$TMP/swap.json" 'd["ranking"][0]["shared"]')" 0
equal "shared memory" "$(field "$TMP/swap.json" 'd["ranking"][0]["shm"]')" $((256 * 4096))
equal "on the device" "$(field "$TMP/swap.json" 'd["ranking"][0]["d0"]')" $((24 * 4096))
equal "mappings on it" "$(field "$TMP/swap.json" \
	'sorted(m["d0"] for m in d["processes"][0]["mappings"])')" "[0, $((24 * 4096))]"
equal "found" "$(field "$TMP/swap.json" 'd["devices"][0]["found"]')" $((24 * 4096))
equal "kind" "$(field "$TMP/swap.json" 'd["devices"][0]["kind"]')" zram

start=$(sed -n 's/.*"animal":"swap",[^[]*\[{"start":"\([0-9a-fx]*\)".*/\1/p' "$ZOO_OUT")
status 0 "$VMVIEW" pages --json "$ZOO_PID" "$start" >"$TMP/pages.json"
page='[r for r in d["processes"][0]["mappings"][0]["runs"] if r["state"] == "swapped"][0]'
status 0 "$VMVIEW" at --json "$ZOO_PID" "$(field "$TMP/pages.json" "${page}[\"start\"]")" >"$TMP/at.json"
equal "slot of a page" "$(field "$TMP/at.json" 'sorted(d["page"]["swap"].items())')" \
	"$(field "$TMP/pages.json" "sorted(${page}[\"swap\"].items())")"

start_zoo swap-fork
parent=$(sed -n 's/.*"swap-fork","pid":\([0-9]*\).*/\1/p' "$ZOO_OUT")
child=$(sed -n 's/.*"child":\([0-9]*\).*/\1/p' "$ZOO_OUT")
status 0 "$VMVIEW" swap --json --sort pid "$parent" "$child" >"$TMP/fork.json"
json_valid "$TMP/fork.json"
for pid in "$parent" "$child"; do
	row="[r for r in d[\"ranking\"] if r[\"pid\"] == $pid][0]"
	equal "shared of $pid" "$(field "$TMP/fork.json" "${row}[\"shared\"]")" $((28 * 4096))
done
row="[r for r in d[\"ranking\"] if r[\"pid\"] == $parent][0]"
equal "own of the parent" "$(field "$TMP/fork.json" "${row}[\"own\"]")" $((4 * 4096))
equal "each slot once" "$(field "$TMP/fork.json" 'd["devices"][0]["found"]')" $((32 * 4096))

status 0 "$VMVIEW" swap --csv --tree "$parent" >"$TMP/all.csv"
grep -q "^$parent,$((32 * 4096))," "$TMP/all.csv" || fail "no row of $parent: $(cat "$TMP/all.csv")"
