// SPDX-License-Identifier: GPL-2.0-or-later
// What is shown of a list before anybody chooses, as the terminal's tables have it; and in which order lists
// stand.

const COLUMNS = {
	"map mappings": "pid start size rss pss uss dirty swap huge perm kind path",
	"map kinds": "pid kind mappings size rss pss uss dirty swap huge",
	"ps processes": "pid user rss pss uss anonymous file shm swap huge page_tables threads comm",
	"ps groups": "processes rss footprint pss uss anonymous file shm swap huge page_tables group",
	"system zones": "node zone present zone_free mobility.free mobility.reclaimable " +
		"mobility.movable mobility.unmovable",
	"system nodes": "node present zone_free mobility.free mobility.reclaimable " +
		"mobility.movable mobility.unmovable",
	"system classes": "class bytes share dirty writeback unevictable large mobility what",
	"pages runs": "pid start end pages state pfn flags map_count order node cgroup",
	"pages mappings": "pid start size perm kind path",
	"huge mappings": "pid start size present pmd large unmapped slots huge_slots tlb why path",
	"share processes": "pid rss pss uss only shared shared_anon shared_shm shared_file swap comm",
	"cgroup groups": "current max used high anonymous shm file kernel dirty reclaimable swap processes path",
	"cgroup classes": "bytes frames processes class source why",
	"cache files": "cached size dirty evicted mapped active processes open kind path",
	"elf objects": "pid size rss private dirty swap relocated type deleted path",
};

// The column that a list is about: what it is folded and drawn by.
const WEIGHTS = ["pss", "bytes", "rss", "current", "resident", "present", "swap", "shared", "cached", "usable",
	"system", "size", "frames", "pages", "faults", "slots", "count"];

// Lists whose rows are parts of a whole: they add up, and small ones can be folded.
const PARTS = new Set(["mappings", "kinds", "processes", "groups", "classes", "ranking", "devices", "objects",
	"files", "cgroups", "children", "purposes", "arenas", "owners", "callers", "sections", "symbols"]);

// Of these none is folded unless somebody asks for it.
const WHOLE = new Set(["mappings", "runs"]);

const FIRST = ["mappings", "processes", "groups", "classes", "findings", "purposes", "objects", "pairs"];

export function rankOf(key) {
	const at = FIRST.indexOf(key);

	return at < 0 ? FIRST.length : at;
}

export function weightOf(list) {
	for (const name of WEIGHTS) {
		const column = list.columnNamed(name);

		if (column && (column.type === "bytes" || column.type === "count"))
			return column;
	}
	return undefined;
}

export const addsUp = (list) => PARTS.has(list.key);
export const isFolded = (list) => addsUp(list) && !WHOLE.has(list.key);

const COLUMNS_MAX = 14;

// All columns but those without anything, names last.
function tellingColumns(list) {
	const telling = list.columns.filter((column) => {
		for (let i = 0; i < list.length; i++) {
			const value = column.get(i);

			if ((value && !(Array.isArray(value) && !value.length)) ||
				(value === 0 && column.type === "number"))
				return true;
		}
		return false;
	});
	const isName = (column) => ["text", "word", "codes", "words", "flags"].includes(column.type);
	const numbers = telling.filter((column) => !isName(column));
	const names = telling.filter(isName);

	return [...numbers.slice(0, Math.max(2, COLUMNS_MAX - names.length)), ...names.slice(0, COLUMNS_MAX)];
}

export function defaultColumns(command, list) {
	const wanted = COLUMNS[`${command} ${list.key}`];

	if (!wanted)
		return tellingColumns(list);
	return wanted.split(" ").map((name) => list.columnNamed(name)).filter((column) => column);
}

// How a list is called.
export function listTitle(list) {
	return list.key.replace(/_/g, " ");
}
