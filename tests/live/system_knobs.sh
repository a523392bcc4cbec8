#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vmview system on a machine whose settings are known: the hugetlb pool and KSM, to the page.
. "$(dirname "$0")/lib.sh"
need_root
KNOBS=$(dirname "$0")/knobs.sh

# Again under the lock, with the setting made.
if [ "${1-}" != --inside ]; then
	for what in hugetlb=4 ksm; do
		status=0
		bash "$KNOBS" "$what" -- bash "$0" --inside "$what" >"$TMP/said" 2>&1 || status=$?
		case $status in
		0) ;;
		77) skip "$(sed -n 's/^skip: //p' "$TMP/said" | tail -1)" ;;
		*) fail "$what: $(cat "$TMP/said")" ;;
		esac
	done
	exit 0
fi

# ask FILTER: of the document
ask()
{
	"$VMVIEW" system --json >"$TMP/json" || fail "system: status $?"
	json_valid "$TMP/json"
	/usr/bin/python3 - "$TMP/json" "$@" <<'PYTHON'
import json, sys
document = json.load(open(sys.argv[1], encoding="utf-8"))
classes = {row["class"]: row["bytes"] for row in document["classes"]}
print(eval(sys.argv[2], {"doc": document, "classes": classes}))
PYTHON
}

case $2 in
hugetlb=*)
	start_zoo hugetlb
	total=$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages)
	free=$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages)
	equal "the whole pool" "$(ask 'classes["hugetlb"] + classes["hugetlb_free"]')" \
		$((total * 2 << 20))
	equal "what is free" "$(ask 'classes["hugetlb_free"]')" $((free * 2 << 20))
	[ "$free" -lt "$total" ] || fail "nobody uses the pool"
	equal "the pool as told" \
		"$(ask '[(p["total"], p["free"]) for p in doc["hugetlb"] if p["size"] == 2 << 20]')" \
		"[($total, $free)]"
	equal "meminfo" "$(ask '[r["difference"] for r in doc["meminfo"] if r["line"] == "Hugetlb"]')" \
		"[0]"
	;;
ksm)
	start_zoo ksm
	shared=$(cat /sys/kernel/mm/ksm/pages_shared)
	[ "$shared" -gt 0 ] || fail "nothing was merged"
	equal "merged pages" "$(ask 'classes["ksm"]')" $((shared * $(getconf PAGESIZE)))
	;;
esac
