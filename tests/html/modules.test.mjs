// SPDX-License-Identifier: GPL-2.0-or-later
// The viewer's modules that need no page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { compareDocuments, compareTypes, timeLines } from "../../share/html/compare.js";
import { csvText } from "../../share/html/csv.js";
import { defaultColumns, weightOf } from "../../share/html/defaults.js";
import { parseFilter } from "../../share/html/filter.js";
import { cellText, duration, exact, human } from "../../share/html/format.js";
import { columnTypes, guessType, readDocument } from "../../share/html/model.js";
import { foldRows, orderRows, sumRows } from "../../share/html/order.js";
import { condense } from "../../share/html/pic_cells.js";
import { extentAt, splitAtGaps } from "../../share/html/pic_space.js";
import { shorten } from "../../share/html/pic_treemap.js";
import { SHADES, distinctShades, shadeOf } from "../../share/html/shades.js";
import { Tree, layoutTree, squarify } from "../../share/html/treemap.js";

// num_human() of vmview says the same
const HUMAN = [[0, "0"], [1, "1"], [1023, "1023"], [1024, "1.0K"], [4095, "4.0K"], [10136, "9.9K"],
	[10189, "10K"], [188416, "184K"], [1048063, "1023K"], [1048064, "1.0M"], [1288490188, "1.2G"],
	[2 ** 60, "1.0E"], [2 ** 64, "16E"], [-8192, "-8.0K"]];

test("sizes as vmview's tables have them", () => {
	for (const [bytes, text] of HUMAN)
		assert.equal(human(bytes), text);
});

test("cells by type", () => {
	const cases = [[0, "bytes", "."], [1048576, "bytes", "1.0M"], [null, "bytes", "-"],
		[undefined, "bytes", ""], [0, "count", "."], [65530, "count", "65\u202f530"], [0, "number", "0"],
		[0.123, "ratio", "12.3%"], [-1, "ratio", "-"], [true, "bool", "yes"], [["rd", "wr"], "codes", "rd wr"],
		["0x7f", "address", "0x7f"], [1500000, "ns", "1.5 ms"]];

	for (const [value, type, text] of cases)
		assert.equal(cellText(value, type), text);
	assert.equal(cellText(4096, "bytes", true), "+4.0K");
	assert.equal(cellText(-4096, "bytes", true), "-4.0K");
	assert.equal(exact(1234567), "1\u202f234\u202f567");
	assert.equal(duration(3600e9 * 2), "2 h");
	assert.equal(guessType("span_ns", 5), "ns");
	assert.equal(guessType("pid", 5), "number");
	assert.equal(guessType("share", 0.5), "ratio");
});

const ROWS = [
	{ start: "0x1000", rss: 2097152, perm: "rw-p", kind: "heap", path: "[heap]", vm_flags: ["rd", "wr"],
		deleted: false },
	{ start: "0x7fff00000000", rss: 4096, perm: "r-xp", kind: "elf", path: "/usr/lib/libc.so.6", vm_flags: ["rd", "ex"],
		deleted: false },
	{ start: "0xffffffffff600000", rss: null, perm: "--xp", kind: "special", path: "[vsyscall]", vm_flags: [],
		deleted: true },
];
const COLUMNS = [["start", "address"], ["rss", "bytes"], ["perm", "text"], ["kind", "word"], ["path", "text"],
	["vm_flags", "codes"], ["deleted", "bool"]].map(([name, type]) => ({ name, type, get: (i) => ROWS[i][name] }));

function filtered(text) {
	const passes = parseFilter(text, COLUMNS);

	return [0, 1, 2].filter((i) => passes(i)).join("");
}

test("filters as --filter has them", () => {
	const cases = [["", "012"], ["rss > 1M", "0"], ["rss >= 2M && perm ~ w", "0"], ["rss < 1M", "1"],
		// absent is neither true nor false
		["!(rss > 1M)", "1"], ["rss", "01"], ["!(rss)", ""], ["rss > 1M || kind == special", "02"],
		["!(kind == elf || kind == heap)", "2"], ['path !~ "^/usr/lib"', "02"], ["path ~ '[.]so[.][[:digit:]]'", "1"],
		["start > 0x7fff00000000", "2"], ["start == 1000", "0"], ["start >= 0xffffffffff600000", "2"],
		["vm_flags ~ wr", "0"], ["deleted == true", "2"], ["deleted", "2"], ["rss = 4096", "1"], ["rss != 4K", "0"],
		["kind != elf", "02"], ["rss>1M&&perm~w", "0"], ["rss > 1.5MiB", "0"]];

	for (const [text, rows] of cases)
		assert.equal(filtered(text), rows, text);
});

test("filters that are wrong say where", () => {
	for (const text of ["nosuch > 1", "rss >", "rss > x", "(rss > 1", "rss > 1 )", "path ~ '('", "&& rss",
		'path == "a', "!".repeat(80) + "rss", "start > xyz"])
		assert.throws(() => parseFilter(text, COLUMNS), /at '/, text);
});

test("rows in order, what is absent last", () => {
	const sort = (name, descending) => orderRows(3, () => true, COLUMNS.find((one) => one.name === name),
		descending).join("");

	assert.equal(sort("rss", false), "102");
	assert.equal(sort("rss", true), "012");
	assert.equal(sort("start", true), "210");
	assert.equal(sort("path", false), "102");
	assert.equal(orderRows(3, (i) => i !== 1).join(""), "02");
});

test("small rows are folded, and nothing is lost", () => {
	const sizes = [1000000, 500000, ...Array(40).fill(10)];
	const column = { get: (i) => sizes[i] };
	const { shown, folded } = foldRows(sizes.map((_, i) => i), column);

	assert.deepEqual(shown, [0, 1]);
	assert.equal(folded.length, 40);
	assert.equal(sumRows(shown, column) + sumRows(folded, column), 1500400);
	assert.equal(foldRows([0, 1, 2], column).folded.length, 0);
	assert.equal(sumRows([0, 1], { get: (i) => [1, null][i] }), null);
	assert.equal(sumRows([0], { get: () => undefined }), undefined);
});

test("comma-separated values keep formulas from being ones", () => {
	assert.equal(csvText(["a", "b"], [["x,y", 1], ['say "hi"', null], ["=1+1", undefined], ["+a", true],
		["line\nbreak", 0], ["-rwx", "-r--"]]),
	'a,b\r\n"x,y",1\r\n"say ""hi""",\r\n\'=1+1,\r\n\'+a,true\r\n"line\nbreak",0\r\n-rwx,-r--\r\n');
});

const DOCUMENT = {
	vmview: "1", schema: 1, command: "map", host: { page_size: 4096 }, complete: true, missing: {},
	processes: [
		{ pid: 1, comm: "a", mappings: [{ start: "0x1000", end: "0x2000", rss: 4096, kind: "anon", path: "",
			path_hex: "ff", swap: { type: 0, offset: 7 } },
		{ start: "0x3000", end: "0x9000", rss: null, kind: "elf", path: "/x", missing: { rss: "denied" } }],
		total: { rss: null, missing: { rss: "denied" } }, layout: { heap: { start: "0x1", end: "0x2" } } },
		{ pid: 2, comm: "b", mappings: [{ start: "0x1000", end: "0x2000", rss: 8192, kind: "heap", path: "[heap]" }] },
	],
};
const read = (document, described) => readDocument(document, columnTypes(described, {}));

test("a document as lists that know what they are of", () => {
	const page = read(DOCUMENT, { "processes.mappings": { rss: ["bytes", "RSS", "resident"] } });
	const list = page.lists.find((one) => one.path === "processes.mappings");

	assert.equal(list.length, 3);
	assert.deepEqual(list.columns.map((column) => column.name), ["pid", "comm", "start", "end", "rss", "kind", "path",
		"swap.type", "swap.offset"]);
	const rss = list.columnNamed("rss");

	assert.deepEqual([rss.type, rss.heading, rss.help], ["bytes", "RSS", "resident"]);
	assert.deepEqual([0, 1, 2].map((i) => rss.get(i)), [4096, null, 8192]);
	assert.deepEqual([0, 2].map((i) => list.columnNamed("pid").get(i)), [1, 2]);
	assert.equal(list.columnNamed("pid").type, "number");
	assert.equal(list.columnNamed("swap.offset").get(0), 7);
	assert.equal(list.columnNamed("swap.offset").get(1), undefined);
	assert.equal(list.reason(1, "rss"), "denied");
	assert.equal(list.columnNamed("start").type, "address");
});

test("one process is an object with facts", () => {
	const page = read({ ...DOCUMENT, processes: [DOCUMENT.processes[0]] });

	assert.deepEqual(page.lists.map((list) => list.path), ["processes.mappings"]);
	const facts = page.facts.find((one) => one.title === "process").entries;

	assert.deepEqual(facts.map(({ name, value, reason }) => [name, value, reason]), [["pid", 1, ""], ["comm", "a", ""],
		["total rss", null, "denied"]]);
	assert.deepEqual(page.facts.find((one) => one.title === "process: layout").entries.map(({ name }) => name),
		["heap start", "heap end"]);
	assert.throws(() => read([]), /no document/);
	assert.throws(() => read({ a: 1 }), /no document/);
});

test("columns that are shown before anybody chooses", () => {
	const list = read(DOCUMENT).lists.find((one) => one.key === "mappings");

	assert.deepEqual(defaultColumns("map", list).map((column) => column.name), ["pid", "start", "rss", "kind", "path"]);
	assert.equal(weightOf(list), list.columnNamed("rss"));
});

test("two documents make one of what changed", () => {
	const document = (rows, time) => ({ vmview: "1", schema: 1, command: "ps", host: { time }, complete: true,
		processes: rows });
	const before = read(document([{ pid: 1, comm: "a", rss: 100 }, { pid: 2, comm: "b", rss: 50 },
		{ pid: 4, comm: "d", rss: 7 }], "2026-01-01T00:00:00Z"));
	const after = read(document([{ pid: 1, comm: "a", rss: 150 }, { pid: 3, comm: "c", rss: 9 },
		{ pid: 4, comm: "d", rss: 7 }], "2026-01-01T00:00:10Z"));
	const changed = compareDocuments(before, after, weightOf);

	assert.deepEqual(changed.processes.map(({ change, pid, rss, rss_delta: delta }) => [change, pid, rss, delta]),
		[["grown", 1, 150, 50], ["new", 3, 9, 9], ["same", 4, 7, 0], ["gone", 2, 0, -50]]);
	assert.equal(changed.after, "2026-01-01T00:00:10Z");
	assert.equal(compareTypes(after).column("processes", "rss_delta").type, "count");
	const other = read({ ...before.document, command: "map" });

	assert.throws(() => compareDocuments(before, other, weightOf), /one is of ps/);
	assert.deepEqual(timeLines([before, after], weightOf), [{ name: "rss of processes",
		points: [{ at: 0, value: 157 }, { at: 10, value: 166 }] }]);
});

test("rectangles of a treemap fill it in proportion and do not overlap", () => {
	const sizes = [600, 600, 400, 300, 200, 200, 100], box = { x: 10, y: 20, width: 600, height: 400 };
	const rectangles = squarify(sizes, box);

	rectangles.forEach(({ x, y, width, height }, i) => {
		assert.ok(Math.abs(width * height - sizes[i] * 100) < 1e-6);
		assert.ok(x >= 10 - 1e-9 && y >= 20 - 1e-9 && x + width <= 610 + 1e-6 && y + height <= 420 + 1e-6);
		rectangles.slice(0, i).forEach((other) => assert.ok(x + 1e-6 >= other.x + other.width ||
			other.x + 1e-6 >= x + width || y + 1e-6 >= other.y + other.height || other.y + 1e-6 >= y + height));
		// squarified: none is a sliver
		assert.ok(Math.max(width / height, height / width) < 4);
	});
	assert.deepEqual(squarify([], box), []);
});

test("a tree of rows by levels", () => {
	const rows = [["a", "x", 5], ["a", "y", 3], ["b", "x", 1], ["b", undefined, 2], ["c", "z", 0]];
	const tree = new Tree(rows.length, [(i) => rows[i][0], (i) => rows[i][1]], (i) => rows[i][2]);
	const shown = (node) => tree.grow(node).map(({ name, size }) => `${name}${size}`).join(" ");

	assert.equal(tree.root.size, 11);
	assert.equal(shown(tree.root), "a8 b3");
	assert.equal(shown(tree.root.children[0]), "x5 y3");
	assert.equal(shown(tree.root.children[1]), "x1");
	const places = layoutTree(tree, tree.root, { x: 0, y: 0, width: 400, height: 300 }, 2);

	assert.deepEqual(places.map(({ node }) => node.name), ["a", "x", "y", "b", "x"]);
});

test("an address space is cut at its large gaps", () => {
	const extents = [[0x1000, 0x3000], [0x3000, 0x4000], [0x7f0000000000, 0x7f0000001000], [0x7f0000003000, 0x7f0000004000]]
		.map(([start, end], row) => ({ start, end, row }));

	assert.deepEqual(splitAtGaps(extents, 12).map((part) => part.length), [2, 1, 1]);
	assert.deepEqual(splitAtGaps(extents, 2).map((part) => part.length), [2, 2]);
	assert.equal(extentAt(extents, 0x3800).row, 1);
	assert.equal(extentAt(extents, 0).row, 0);
	assert.equal(extentAt(extents, 0x7fffffffffff).row, 3);
});

test("cells that are too many are condensed to what most of them are", () => {
	assert.deepEqual(condense([0, 0, 1, 1, 1, 2, 2], 3), { cells: [0, 1, 2], each: 3 });
	assert.deepEqual(condense([0, 1], 3), { cells: [0, 1], each: 1 });
});

test("names that are too long lose directory, then middle, never the end", () => {
	assert.equal(shorten("/usr/lib/x86_64-linux-gnu/libc.so.6", 12), "libc.so.6");
	assert.equal(shorten("/a/verylongnameoffile.so.6", 12), "/a/ve...so.6");
	assert.equal(shorten("short", 12), "short");
});

test("shades are distinct as long as there are any", () => {
	const names = ["heap", "x1", "x2", "x3"];
	const shades = distinctShades(names);

	assert.equal(new Set(shades).size, names.length);
	assert.equal(shades[0], shadeOf("heap"));
	assert.ok(distinctShades(Array.from({ length: 30 }, (_, i) => `n${i}`)).every((one) => one < SHADES));
});

// The colours of style.css, light and dark, as { name: [r, g, b] }.
function themes() {
	const style = readFileSync(new URL("../../share/html/style.css", import.meta.url), "utf8");
	const blocks = [...style.matchAll(/:root \{([^}]*)\}/g)].map((match) => Object.fromEntries(
		[...match[1].matchAll(/--([\w-]+): #(\w{6});/g)].map(([, name, hex]) =>
			[name, [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16))])));

	return { light: blocks[0], dark: { ...blocks[0], ...blocks[1] }, print: { ...blocks[0], ...blocks[2] } };
}

// WCAG 2.2: relative luminance and contrast.
function contrast(one, other) {
	const [a, b] = [one, other].map((colour) => {
		const [r, g, blue] = colour.map((value) => value / 255).map((value) =>
			value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);

		return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
	});

	return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

test("colours are apart as WCAG AA asks", () => {
	const shades = Array.from({ length: SHADES }, (_, i) => `shade-${i}`);
	const texts = [["front", "back"], ["front", "raised"], ["front", "active"], ["dim", "back"], ["dim", "raised"],
		["dim", "active"], ["accent", "back"], ["warn", "warn-back"], ["grew", "back"],
		...shades.map((shade) => ["front", shade])];
	// what is no text but has to be told apart: borders of what can be used, bars
	const parts = [["dim", "back"], ["accent", "back"], ["accent", "raised"], ["grew", "back"], ["shrank", "back"],
		["heat-4", "back"]];

	for (const [theme, colours] of Object.entries(themes())) {
		assert.ok(Object.keys(colours).length > 25);
		for (const [least, pairs] of [[4.5, texts], [3, parts]])
			for (const [one, other] of pairs) {
				const found = contrast(colours[one], colours[other]);

				assert.ok(found >= least, `${theme}: ${one} on ${other} is ${found.toFixed(2)}, under ${least}`);
			}
	}
});
