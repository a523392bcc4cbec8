// SPDX-License-Identifier: GPL-2.0-or-later
// Two documents of one command as one document of what changed, and more of them as lines over time.

import { isObject } from "./model.js";

// What a row is known by in both: an address space may have moved, a process has a start.
const IDENTITY = [["pid", "start", "path"], ["pid", "start_time"], ["pid", "comm"], ["pid", "command"],
	["start", "path"], ["node", "zone", "order"], ["node", "zone"], ["group"], ["cgroup"], ["path"],
	["class"], ["kind", "order"], ["kind"], ["counter"], ["device"], ["node"], ["line"], ["owner"],
	["section"], ["reason"], ["a", "b"]];

function identityOf(list) {
	const names = IDENTITY.find((set) => set.every((name) => list.columnNamed(name)));

	return names?.map((name) => list.columnNamed(name));
}

function keyOf(columns, row) {
	return columns.map((column) => column.get(row)).join("\u0000");
}

const adds = (column) => column.type === "bytes" || column.type === "count";

// The rows of both lists, each with what it had and by how much it changed.
function changedRows(before, after, weight) {
	const identity = identityOf(after), old = new Map(), rows = [];
	const oldIdentity = identity?.map((column) => before.columnNamed(column.name));

	if (!identity || oldIdentity.some((column) => !column))
		return undefined;
	for (let i = 0; i < before.length; i++)
		old.set(keyOf(oldIdentity, i), i);
	for (let i = 0; i < after.length; i++) {
		const key = keyOf(identity, i), was = old.get(key);

		old.delete(key);
		rows.push(changedRow(after, i, was === undefined ? undefined : before, was, weight));
	}
	for (const was of old.values())
		rows.push(changedRow(undefined, undefined, before, was, weight, after));
	return rows;
}

function changedRow(after, i, before, was, weight, like = after) {
	const row = { change: after ? (before ? "same" : "new") : "gone" };

	for (const column of like.columns) {
		const now = after ? column.get(i) : undefined;
		const then = before?.columnNamed(column.name)?.get(was);

		if (column.name.includes("."))
			continue;
		row[column.name] = now === undefined ? then : now;
		if (!adds(column) || typeof (now ?? 0) !== "number" || typeof (then ?? 0) !== "number" ||
			now === null || then === null)
			continue;
		row[`${column.name}_delta`] = (now ?? 0) - (then ?? 0);
		if (!after)
			row[column.name] = 0;
	}
	const delta = weight ? row[`${weight.name}_delta`] : 0;

	if (row.change === "same" && delta)
		row.change = delta > 0 ? "grown" : "shrunk";
	return row;
}

// before, after: as readDocument() has them; a document that it reads again.
export function compareDocuments(before, after, weightOf) {
	const { host, schema, vmview } = after.document;
	const document = { vmview, schema, command: "diff", of: after.command, host,
		before: before.document.host?.time ?? null, after: host?.time ?? null,
		complete: Boolean(before.document.complete && after.document.complete) };

	if (before.command !== after.command)
		throw new Error(`one is of ${before.command}, the other of ${after.command}`);
	for (const list of after.lists) {
		const old = before.lists.find((one) => one.path === list.path);
		const rows = old && changedRows(old, list, weightOf(list));

		if (rows?.length)
			document[list.path.replace(/^.*\./, "")] ??= rows;
	}
	return document;
}

// Types of the columns of such a document: those of the lists it is made of.
export function compareTypes(after) {
	return {
		column(path, name) {
			const list = after.lists.find((one) => one.path.replace(/^.*\./, "") === path);
			const column = list?.columnNamed(name.replace(/_delta$/, ""));

			if (!column)
				return undefined;
			return name === column.name ? column.known ?? { type: column.type } : { type: column.type,
				heading: `\u0394 ${column.heading}`, help: `${column.help}: after less before` };
		},
	};
}

// Figures that add up over documents of one command: those of "total", else sums of the weights of lists.
export function timeLines(pages, weightOf) {
	const names = new Set();

	for (const { document } of pages)
		for (const [name, value] of Object.entries(totalOf(document) ?? {}))
			if (typeof value === "number")
				names.add(name);
	const start = Date.parse(pages[0].document.host?.time);
	const at = (page) => (Date.parse(page.document.host?.time) - start) / 1000;

	if (names.size)
		return [...names].map((name) => ({ name, points: pages.map((page) => ({ at: at(page),
			value: totalOf(page.document)?.[name] }))
			.filter((point) => typeof point.value === "number") }));
	return pages[0].lists.map((list) => [list, weightOf(list)]).filter(([, weight]) => weight)
		.map(([list, weight]) => ({ name: `${weight.name} of ${list.key}`, points: pages.map((page) => {
			const same = page.lists.find((one) => one.path === list.path);
			const column = same?.columnNamed(weight.name);

			return { at: at(page), value: column && same.rows.reduce((sum, _, i) =>
				sum + (column.get(i) ?? 0), 0) };
		}).filter((point) => typeof point.value === "number") }));
}

function totalOf(document) {
	if (isObject(document.total))
		return document.total;
	const processes = document.processes;

	return Array.isArray(processes) && processes.length === 1 && isObject(processes[0].total) ?
		processes[0].total : undefined;
}
