// SPDX-License-Identifier: GPL-2.0-or-later
// Which of the ten shades of style.css a thing has.

export const SHADES = 10;

// Kinds of memory have shades of their own. Without a prototype: a name may be "constructor".
export const KIND_SHADES = Object.assign(Object.create(null), {
	heap: 0, anon: 1, "thread-stack": 2, stack: 3, shm: 4, file: 5, elf: 6,
	hugetlb: 7, device: 8, special: 9, reserved: 9, free: 3, anonymous: 1, file_mapped: 5,
	file_unmapped: 6, slab: 0, kernel: 8, kernel_large: 2, page_tables: 4, uninitialised: 9, hole: 9,
	zero_page: 9, reserved_by_boot: 9, ksm: 2, lazy_free: 4 });

// Any other name has one too, the same wherever it stands.
export function shadeOf(name) {
	let hash = 7;

	if (name in KIND_SHADES)
		return KIND_SHADES[name];
	for (let i = 0; i < name.length; i++)
		hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
	return hash % SHADES;
}

// A shade for each name: its own where it has one, else one that nobody has, as long as there are any.
export function distinctShades(names) {
	const left = new Set(Array.from({ length: SHADES }, (_, i) => i));

	for (const name of names)
		left.delete(KIND_SHADES[name]);
	return names.map((name, i) => {
		if (name in KIND_SHADES)
			return KIND_SHADES[name];
		const [free = i % SHADES] = left;

		left.delete(free);
		return free;
	});
}
