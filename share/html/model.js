// SPDX-License-Identifier: GPL-2.0-or-later
// A document as lists of rows and objects of facts. A list that several objects have (the mappings of
// each process) is one, whose rows know what they are of.

// What tells of an object around a row whose it is.
const OF = ["pid", "comm", "node", "zone", "object", "path", "cgroup"];
const HIDDEN = new Set(["missing"]);
// What the page says elsewhere.
const SAID = new Set(["vmview", "schema", "command", "map"]);

export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isRows = (value) => Array.isArray(value) && isObject(value[0]);

// Numbers that are names: nobody adds them up.
const NUMBERS = new Set(["pid", "ppid", "uid", "tid", "node", "order", "pfn", "inode", "type", "start_time",
	"start_pfn", "a", "b"]);
const FEW = 3;

// Two or three facts of one thing, as start and end, need no part of their own.
const factKeys = (value) => Object.keys(value).filter((key) => !HIDDEN.has(key));
const isFew = (value) => isObject(value) && factKeys(value).length <= FEW &&
	factKeys(value).every((key) => typeof value[key] !== "object" || value[key] === null);

// A type for a value that nothing is known of.
export function guessType(name, value) {
	if (typeof value === "boolean")
		return "bool";
	if (typeof value === "number") {
		if (NUMBERS.has(name))
			return "number";
		if (name.endsWith("_ns"))
			return "ns";
		return Number.isInteger(value) ? "count" : "ratio";
	}
	return typeof value === "string" && /^0x[0-9a-f]+$/.test(value) ? "address" : "text";
}

// rows[i] is of contexts[i], an object of what is around it.
class List {
	constructor(path, key) {
		this.path = path;
		this.key = key;
		this.rows = [];
		this.contexts = [];
	}

	get length() {
		return this.rows.length;
	}

	// Of the list's own name, of rows that are the last object there is.
	columnNamed(name) {
		return this.columns.find((column) => column.name === name);
	}

	// Why a value is null.
	reason(row, name) {
		const at = name.lastIndexOf(".");

		return this.rows[row].missing?.[name] ??
			(at < 0 ? undefined : this.rows[row][name.slice(0, at)]?.missing?.[name.slice(at + 1)]) ?? "";
	}
}

// get takes the number of a row.
function makeColumn(list, name, types) {
	const [first, second] = name.split(".");
	const { rows, contexts } = list;
	const of = list.ofNames.has(name);
	const known = types.column(list.path, name);
	const column = { name, of, known };

	if (of)
		column.get = (i) => contexts[i][name];
	else if (second !== undefined)
		column.get = (i) => rows[i][first]?.[second];
	else
		column.get = (i) => rows[i][name];
	const sample = rows.findIndex((row, i) => column.get(i) !== undefined && column.get(i) !== null);

	column.type = known?.type ?? (sample < 0 ? "text" : guessType(name, column.get(sample)));
	if (NUMBERS.has(name) && column.type === "count")
		column.type = "number";
	column.heading = known?.heading || name.replace(/[_.]/g, " ");
	column.help = known?.help ?? "";
	column.signed = /(^|_)(delta|difference|moved)$/.test(name);
	return column;
}

// Names in the order of the document; those of nested objects with a dot.
function columnNames(rows) {
	const names = new Set(), nested = new Set();

	for (const row of rows)
		for (const key in row) {
			const value = row[key];

			if (names.has(key) && !isObject(value))
				continue;
			if (HIDDEN.has(key) || key.endsWith("_hex"))
				continue;
			if (isObject(value)) {
				nested.add(key);
				for (const inner in value)
					if (!HIDDEN.has(inner) && !isObject(value[inner]) && !isRows(value[inner]))
						names.add(`${key}.${inner}`);
			} else if (!isRows(value)) {
				names.add(key);
			}
		}
	return [...names].filter((name) => !nested.has(name));
}

function finishList(list, types) {
	const names = columnNames(list.rows);

	list.ofNames = new Set();
	for (const context of new Set(list.contexts))
		for (const name in context)
			if (!names.includes(name))
				list.ofNames.add(name);
	// what is the same around all rows tells nothing
	if (new Set(list.contexts).size < 2)
		list.ofNames.clear();
	list.columns = [...list.ofNames, ...names].map((name) => makeColumn(list, name, types));
}

class Reader {
	constructor(types) {
		this.types = types;
		this.lists = new Map();
		this.facts = [];
	}

	rows(values, path, key, context) {
		if (!this.lists.has(path))
			this.lists.set(path, new List(path, key));
		const list = this.lists.get(path);

		for (const value of values) {
			list.rows.push(value);
			list.contexts.push(context);
			this.nested(value, path, context);
		}
	}

	// Lists inside of a row: their rows are of it.
	nested(value, path, context) {
		let inner;

		for (const key in value) {
			if (HIDDEN.has(key) || !isRows(value[key]))
				continue;
			if (!inner) {
				inner = { ...context };
				for (const name of OF)
					if (["string", "number"].includes(typeof value[name]))
						inner[name] = value[name];
			}
			this.rows(value[key], `${path}.${key}`, key, inner);
		}
	}

	object(value, path, title, context) {
		const entries = [];

		for (const key in value) {
			const part = value[key], below = path ? `${path}.${key}` : key;

			if (HIDDEN.has(key) || key.endsWith("_hex") || (!path && SAID.has(key)))
				continue;
			if (isRows(part))
				this.listOf(part, below, key, context);
			else if (isFew(part))
				entries.push(...factKeys(part).map((name) =>
					this.fact(`${below}.${name}`, name, part[name], part, `${key} ${name}`)));
			else if (isObject(part))
				this.object(part, below, title && path ? `${title}: ${key}` : key, context);
			else if (!(Array.isArray(part) && !part.length))
				entries.push(this.fact(below, key, part, value));
		}
		if (entries.length)
			this.facts.push({ path, title, entries });
	}

	fact(path, key, value, object, name = key) {
		const known = this.types.column(path.slice(0, -key.length - 1), key);

		return { name, value, type: known?.type ?? guessType(key, value), help: known?.help ?? "",
			reason: value === null ? object.missing?.[key] ?? "" : "" };
	}

	// One element that holds lists itself is an object with a name rather than a list.
	listOf(values, path, key, context) {
		const [only] = values;
		const holds = Object.values(only).some((part) => isRows(part));

		if (values.length > 1 || !holds) {
			this.rows(values, path, key, context);
			return;
		}
		const of = { ...context };

		for (const name of OF)
			if (only[name] !== undefined)
				of[name] = only[name];
		this.object(only, path, key.replace(/(ss)?es$|s$/, "$1"), of);
	}
}

// Rows that are there for the lists they hold, and say nothing but whose these are.
function isHolder(list) {
	return list.columns.length <= 2 && list.rows.every((row) => Object.values(row).some(isRows));
}

// types: column(path, name) tells { type, heading, help }, or nothing.
export function readDocument(document, types) {
	const reader = new Reader(types);

	if (!isObject(document) || typeof document.command !== "string")
		throw new Error("this is no document of vmview --json");
	reader.object(document, "", "", {});
	for (const list of reader.lists.values())
		finishList(list, types);
	return { document, command: document.command, facts: reader.facts,
		lists: [...reader.lists.values()].filter((list) => !isHolder(list)) };
}

// What is said of columns, by path: of the page first, then of the schema, which knows the type alone (by
// path, and under "" where it is the same everywhere).
export function columnTypes(described, schemaTypes) {
	return {
		column(path, name) {
			const known = described?.[path]?.[name];

			if (known)
				return { type: known[0], heading: known[1], help: known[2] };
			const [last, ...outer] = name.split(".").reverse();
			const where = [path, ...outer].filter(Boolean).join(".");
			const type = schemaTypes?.[where]?.[last] ?? schemaTypes?.[""]?.[last];

			return type ? { type, heading: "", help: "" } : undefined;
		},
	};
}
