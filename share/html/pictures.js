// SPDX-License-Identifier: GPL-2.0-or-later
// Which pictures a document has: what can be drawn is told by the lists it holds, not by its command alone.

import { el, safeText, select } from "./dom.js";
import { weightOf } from "./defaults.js";
import { exact, exactText, human } from "./format.js";
import { DeltaBars, StackedBars } from "./pic_bars.js";
import { CELLS_MAX, Cells } from "./pic_cells.js";
import { TimeLine } from "./pic_line.js";
import { Matrix } from "./pic_matrix.js";
import { AddressSpace } from "./pic_space.js";
import { Treemap } from "./pic_treemap.js";
import { distinctShades, shadeOf } from "./shades.js";

const PATH_DEPTH = 6;

// Some rows of a list, as a list.
export function subList(list, rows) {
	const columns = list.columns.map((column) => ({ ...column, get: (i) => column.get(rows[i]) }));

	return { key: list.key, path: list.path, length: rows.length, columns, rowOf: (i) => rows[i],
		columnNamed: (name) => columns.find((column) => column.name === name) };
}

// Levels of a tree from columns by name; one that the list does not have is left out.
function levelsOf(list, names) {
	return names.map((name) => list.columnNamed(name)).filter(Boolean)
		.map((column) => [column.heading, (row) => {
			const value = column.get(row);

			return value === null || value === undefined || value === "" ? `(no ${column.name})` :
				String(value);
		}]);
}

// Levels that are the parts of a path: one less deep ends there.
function pathLevels(list, name) {
	const column = list.columnNamed(name);
	const parts = (row) => String(column.get(row) ?? "").split("/").filter(Boolean);

	return Array.from({ length: PATH_DEPTH }, (_, depth) => [name, (row) => {
		const names = parts(row);

		return depth === 0 && !names.length ? "/" : depth === PATH_DEPTH - 1 ?
			names.slice(depth).join("/") || undefined : names[depth];
	}]);
}

// The name of a mapping that has no path is its kind.
function objectLevels(list) {
	const kind = list.columnNamed("kind"), path = list.columnNamed("path");
	const start = list.columnNamed("start");

	return [["kind", (row) => String(kind.get(row))],
		["object", (row) => path?.get(row) || `(${kind.get(row)})`],
		["mapping", (row) => String(start.get(row))]];
}

function treeLevels(page, list) {
	switch (list.key) {
	case "mappings":
		return list.columnNamed("kind") && list.columnNamed("start") && objectLevels(list);
	case "processes":
	case "ranking":
		return list.length > 1 && levelsOf(list, ["user", "comm", "command", "pid"].filter((name) =>
			name !== "command" || !list.columnNamed("comm")));
	case "groups":
		if (list.columnNamed("path"))
			return pathLevels(list, "path");
		return page.document.by === "cgroup" ? pathLevels(list, "group") : levelsOf(list, ["group"]);
	case "cgroups":
	case "children":
		return list.columnNamed("cgroup") ? pathLevels(list, "cgroup") :
			list.columnNamed("path") && pathLevels(list, "path");
	case "files":
		return list.columnNamed("path") && pathLevels(list, "path");
	case "objects":
		return levelsOf(list, ["type", "path"]);
	case "classes":
	case "purposes":
	case "callers":
		return levelsOf(list, [list.columnNamed("class") ? "class" : list.columnNamed("purpose") ?
			"purpose" : "caller"]);
	default:
		return undefined;
	}
}

// Of groups within groups each figure holds those of the groups below: a column of what is the group's own.
function ownColumn(list, column) {
	const path = list.columnNamed("path"), own = list.rows.map((_, i) => column.get(i) ?? 0);
	const rows = new Map(list.rows.map((_, i) => [path.get(i), i]));

	list.rows.forEach((_, i) => {
		const at = path.get(i), above = at === "/" ? undefined : at.slice(0, at.lastIndexOf("/")) || "/";

		if (rows.has(above))
			own[rows.get(above)] -= column.get(i) ?? 0;
	});
	return { ...column, get: (i) => Math.max(0, own[i]) };
}

const SIZES = ["pss", "rss", "current", "kernel", "reclaimable", "uss", "dirty", "swap", "bytes", "resident",
	"present", "cached", "footprint", "shared", "swap_pss", "own", "anonymous", "file", "shm", "huge", "size"];

// What the list is about comes first.
function sizesOf(list) {
	const columns = [weightOf(list), ...SIZES.map((name) => list.columnNamed(name))];

	return [...new Set(columns)].filter((column) => column?.type === "bytes" &&
		someRow(list, (row) => column.get(row) > 0));
}

function someRow(list, test) {
	for (let i = 0; i < list.length; i++)
		if (test(i))
			return true;
	return false;
}

function treePicture(page, list, reveal) {
	const levels = treeLevels(page, list);

	if (!levels || !levels.length || (page.command === "cow" || page.command === "pages"))
		return undefined;
	// what a row has of the whole machine's: rss of classes that do not hold memory is not asked
	const nested = list.key === "groups" && list.columnNamed("path") && list.columnNamed("depth");
	const sizes = sizesOf(list).map((column) => nested ? ownColumn(list, column) : column);

	if (!sizes.length)
		return undefined;
	return { title: `${list.key.replace(/_/g, " ")} by size`,
		node: new Treemap({ title: list.key, list, levels, sizes, reveal }).node };
}

// One picture a process; which, is chosen.
function perProcess(list, make) {
	const pid = list.columnNamed("pid"), rows = new Map();

	for (let i = 0; i < list.length; i++) {
		const key = String(pid ? pid.get(i) : "");

		if (!rows.has(key))
			rows.set(key, []);
		rows.get(key).push(i);
	}
	const show = (key) => make(subList(list, rows.get(key)));
	const [first] = rows.keys();

	if (rows.size < 2)
		return show(first);
	const holder = el("div", {}, show(first));
	const comm = list.columnNamed("comm");
	const chooser = select("Process", [...rows.keys()].map((key) => [key,
		`${key} ${comm?.get(rows.get(key)[0]) ?? ""}`]), first,
	(key) => holder.replaceChildren(show(key)));

	return el("div", {}, el("div", { class: "tools" }, chooser), holder);
}

function spacePicture(page, list, reveal) {
	if (list.key !== "mappings" || !list.columnNamed("end") || !list.columnNamed("start"))
		return undefined;
	return { title: "address space, to scale", node: perProcess(list, (part) =>
		new AddressSpace({ list: part, reveal: (i) => reveal(part.rowOf(i)) }).node) };
}

// Each state of pages a shade; what is present by what it is.
const PAGE_STATES = ["present: anonymous", "present: file", "present: huge", "swapped", "zero", "guard",
	"marker", "migration", "empty"];
const PAGE_SHADES = [1, 5, 7, 3, 9, 8, 8, 4, 9];

function pageState(get, row) {
	const state = get.state(row);

	if (state !== "present")
		return Math.max(0, PAGE_STATES.indexOf(state));
	return get.mapped_by(row) && get.mapped_by(row) !== "pte" ? 2 : get.file(row) ? 1 : 0;
}

// Cells of as many pages each as make them fit; a run gives the state of all cells that it begins or covers.
function pageCells(list) {
	const get = Object.fromEntries(["state", "mapped_by", "file", "pages"].map((name) =>
		[name, list.columnNamed(name)?.get ?? (() => undefined)]));
	let total = 0, at = 0;

	for (let i = 0; i < list.length; i++)
		total += get.pages(i) ?? 0;
	const each = Math.max(1, Math.ceil(total / CELLS_MAX)), cells = [], rows = [];

	for (let i = 0; i < list.length; i++) {
		at += get.pages(i) ?? 0;
		while (cells.length * each < at) {
			cells.push(pageState(get, i));
			rows.push(i);
		}
	}
	return { cells, rows, each };
}

function pagesPicture(page, list) {
	if (list.key !== "runs" || !list.columnNamed("state") || !list.columnNamed("pages"))
		return undefined;
	const pageSize = page.document.host?.page_size ?? 4096;

	return { title: "state of the pages", node: perProcess(list, (part) => {
		const { cells, rows, each } = pageCells(part), start = part.columnNamed("start");

		return new Cells({ title: "pages", cells, cellBytes: each * pageSize,
			states: PAGE_STATES.map((name, i) => ({ name, shade: PAGE_SHADES[i] })),
			label: (i) => String(start.get(rows[i])) }).node;
	}) };
}

const BLOCK_SHADES = { free: 3, nearly_free: 2, movable: 1, held: 7, mixed: 5, unmovable: 0, partial: 8,
	hole: 9 };

// "map": a character a cell, with a legend.
function mapPicture(page) {
	const { map } = page.document;

	if (!map || typeof map.cells !== "string" || typeof map.legend !== "object")
		return undefined;
	const shades = distinctShades(Object.keys(map.legend));
	const states = Object.keys(map.legend).map((name, i) => ({ name: name.replace(/_/g, " "),
		mark: map.legend[name], shade: BLOCK_SHADES[name] ?? shades[i] }));
	const numbers = new Map(Object.values(map.legend).map((mark, i) => [mark, i]));
	const cells = [...map.cells].map((mark) => numbers.get(mark) ?? 0);

	return { title: "physical memory", node: new Cells({ title: "physical memory", cells, states,
		cellBytes: map.cell_bytes, label: (i) => `from 0x${(i * map.cell_bytes).toString(16)}` }).node };
}

// Parts beside each other: names of columns, of which each row is a bar.
function barPicture({ title, list, names, label, most = 30, reveal, format }) {
	const columns = names.map((name) => list.columnNamed(name)).filter(Boolean);
	const bars = [];

	for (let i = 0; i < list.length; i++) {
		const parts = columns.map((column) => column.get(i) ?? 0);

		if (parts.some((part) => part > 0))
			bars.push({ name: label(i), parts, row: i, sum: parts.reduce((a, b) => a + b, 0) });
	}
	if (!bars.length)
		return undefined;
	bars.sort((a, b) => b.sum - a.sum);
	const shades = distinctShades(columns.map((column) =>
		column.name.slice(column.name.lastIndexOf(".") + 1)));
	const parts = columns.map((column, i) => ({ name: column.name.replace(/^classes\./, "")
		.replace(/_/g, " "), shade: shades[i] }));

	return { title, node: new StackedBars({ title, parts, bars: bars.slice(0, most), reveal, format }).node };
}

function zonesPicture(page, list, reveal) {
	if (list.path !== "zones" || page.command !== "system")
		return undefined;
	const names = list.columns.map((column) => column.name).filter((name) => /^classes\./.test(name));
	const node = list.columnNamed("node"), zone = list.columnNamed("zone");

	return barPicture({ title: "zones by use", list, names, reveal,
		label: (row) => `node ${node.get(row) ?? "-"} ${zone.get(row)}` });
}

// Free memory by order, one bar a zone.
function ordersPicture(page, list) {
	if (list.path !== "zones.orders")
		return undefined;
	const get = (name) => list.columnNamed(name)?.get ?? (() => undefined);
	const [node, zone, order, size, free] = ["node", "zone", "order", "size", "free_blocks"].map(get);
	const bars = new Map();
	let most = 0;

	for (let i = 0; i < list.length; i++) {
		const name = `node ${node(i) ?? 0} ${zone(i) ?? ""}`;

		if (!bars.has(name))
			bars.set(name, { name, parts: [], row: i });
		bars.get(name).parts[order(i)] = free(i) * size(i);
		most = Math.max(most, order(i));
	}
	const parts = Array.from({ length: most + 1 }, (_, i) => ({ name: `order ${i}`, shade: i % 10 }));

	return { title: "free memory by order", node: new StackedBars({ title: "free memory by order", parts,
		bars: [...bars.values()].map((bar) => ({ ...bar, parts: parts.map((_, i) => bar.parts[i] ?? 0) }))
	}).node };
}

function matrixPicture(page, list) {
	const pairs = page.lists.find((one) => one.path === "pairs");

	if (list !== pairs || !pairs)
		return undefined;
	const [a, b, shared] = ["a", "b", "shared"].map((name) => pairs.columnNamed(name)?.get);

	if (!a || !b || !shared)
		return undefined;
	const names = new Map((page.document.processes ?? []).map((process) =>
		[process.pid, `${process.pid} ${process.comm ?? ""}`]));

	return { title: "who shares with whom", node: new Matrix({ title: "shared memory", names,
		total: names.size, pairs: pairs.rows.map((_, i) => ({ a: a(i), b: b(i), bytes: shared(i) ?? 0 }))
	}).node };
}

const mappingName = (list) => (row) => {
	const [path, kind, start] = ["path", "kind", "start"].map((name) =>
		list.columnNamed(name)?.get(row));

	return path || (kind ? `${kind} ${start ?? ""}` : String(start ?? row));
};

function cowPicture(page, list, reveal) {
	if (page.command !== "cow" || list.key !== "mappings")
		return undefined;
	return barPicture({ title: "what is shared and what was copied", list, reveal,
		names: ["shared", "parent_copied", "child_copied", "either_copied", "parent_new", "child_new"],
		label: mappingName(list) });
}

function arenasPicture(page, list, reveal) {
	if (list.key !== "arenas")
		return undefined;
	return barPicture({ title: "arenas", list, reveal, names: ["in_use", "free_resident", "free"],
		label: (row) => String(list.columnNamed("address")?.get(row) ?? row) });
}

// Page faults: why, and where.
function faultsPicture(page, list, reveal) {
	if (page.command !== "faults" || !list.columnNamed("faults"))
		return undefined;
	const label = { reasons: "reason", mappings: "", symbols: "symbol", threads: "name",
		processes: "comm" }[list.key];

	if (label === undefined)
		return undefined;
	return barPicture({ title: `page faults by ${list.key}`, list, reveal, names: ["faults"], format: exact,
		label: (row) => label ? String(list.columnNamed(label)?.get(row) ?? "(no name)") :
			mappingName(list)(row) });
}

// What vmview found, in words: what it is, what tells so, what to do.
function findingsPicture(page, list) {
	if (list.key !== "findings" || !list.columnNamed("title"))
		return undefined;
	const get = (name) => list.columnNamed(name)?.get ?? (() => undefined);
	const [severity, title, bytes, advice] = ["severity", "title", "bytes", "advice"].map(get);
	const evidence = list.columns.filter((column) => column.name.startsWith("evidence."));
	const items = list.rows.map((_, i) => el("li", { class: `finding ${severity(i)}` },
		el("strong", {}, `${severity(i) ?? "note"}: `), safeText(String(title(i))),
		typeof bytes(i) === "number" && ` (${human(bytes(i))})`,
		el("ul", {}, evidence.filter((column) => column.get(i) !== undefined).map((column) =>
			el("li", {}, `${column.name.slice("evidence.".length).replace(/_/g, " ")}: ` +
				safeText(exactText(column.get(i), column.type)))),
		[advice(i) ?? []].flat().map((text) => el("li", { class: "advice" }, safeText(String(text)))))));

	return { title: "what was found", node: el("ul", { class: "findings" }, items) };
}

function nodesPicture(page, list, reveal) {
	if (list.path !== "nodes" || page.command !== "numa")
		return undefined;
	return barPicture({ title: "memory by node", list, reveal, names: ["resident"],
		label: (row) => `node ${list.columnNamed("node").get(row)}` });
}

const CHANGES_MAX = 30;

// What grew and shrank most.
function deltaPicture(page, list, reveal) {
	const weight = weightOf(list);
	const column = list.columnNamed(`${weight?.name}_delta`) ??
		list.columns.find((one) => one.name.endsWith("_delta") && one.type === "bytes");

	if (!column)
		return undefined;
	const name = mappingName(list), who = ["comm", "command", "group", "object", "cgroup", "class"]
		.map((one) => list.columnNamed(one)).find(Boolean);
	const bars = [];

	for (let row = 0; row < list.length; row++)
		if (column.get(row))
			bars.push({ name: String(list.columnNamed("start") || !who ? name(row) : who.get(row)),
				delta: column.get(row), row });
	if (!bars.length)
		return undefined;
	bars.sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta));
	const title = `what grew and shrank: ${column.name.replace(/_delta$/, "")} of ${list.key}`;

	return { title, node: new DeltaBars({ title, bars: bars.slice(0, CHANGES_MAX), reveal }).node };
}

// Samples of one run, one after the other.
function samplesPicture(page, list) {
	const time = ["seconds", "at_ns", "time_ns", "elapsed_ns"].map((name) => list.columnNamed(name))
		.find(Boolean);
	const columns = list.columns.filter((column) => column.type === "bytes");

	if (!time || list.length < 2 || !columns.length)
		return undefined;
	const scale = time.type === "ns" ? 1e-9 : 1;
	const lines = columns.slice(0, 6).map((column) => ({ name: column.heading, shade: shadeOf(column.name),
		points: list.rows.map((_, i) => ({ at: time.get(i) * scale, value: column.get(i) }))
			.filter((point) => typeof point.value === "number") }))
		.filter((line) => line.points.length > 1 && line.points.some((point) => point.value > 0));

	return lines.length ? { title: `${list.key} over time`,
		node: new TimeLine({ title: list.key, lines }).node } : undefined;
}

const OF_LISTS = [findingsPicture, deltaPicture, faultsPicture, samplesPicture, treePicture, spacePicture,
	pagesPicture, zonesPicture, ordersPicture, matrixPicture, cowPicture, arenasPicture, nodesPicture];

// [{ title, node }]; reveal(list, row) shows a row in its table.
export function picturesOf(page, reveal) {
	const pictures = [mapPicture(page)];

	for (const list of page.lists)
		for (const make of OF_LISTS)
			pictures.push(make(page, list, (row) => reveal(list, row)));
	return pictures.filter(Boolean);
}
