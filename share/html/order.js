// SPDX-License-Identifier: GPL-2.0-or-later
// Rows in order: which of a list pass a filter, sorted by a column, small ones folded.

// Text of an address so that longer is larger.
const digits = (address) => address.replace(/^0x0*(?=.)/, "");

function compareText(a, b) {
	return a < b ? -1 : a > b ? 1 : 0;
}

// Keys of all rows once, and how two of them compare. Absent ones have none.
function keysOf(column, count) {
	const keys = new Array(count);

	for (let i = 0; i < count; i++) {
		const value = column.get(i);

		if (value === undefined || value === null)
			continue;
		keys[i] = column.type === "address" ? digits(value) :
			Array.isArray(value) ? value.join(" ") : typeof value === "boolean" ? Number(value) : value;
	}
	return keys;
}

// Numbers of the rows that pass, sorted. column undefined: as in the document. What is absent comes last.
export function orderRows(count, passes, column, descending) {
	const rows = [];

	for (let i = 0; i < count; i++)
		if (passes(i))
			rows.push(i);
	if (!column)
		return rows;
	const keys = keysOf(column, count), sign = descending ? -1 : 1;
	const compare = column.type === "address" ?
		(a, b) => a.length - b.length || compareText(a, b) : compareText;

	return rows.sort((one, other) => {
		const a = keys[one], b = keys[other];

		if (a === undefined || b === undefined)
			return (a === undefined) - (b === undefined) || one - other;
		return sign * compare(a, b) || one - other;
	});
}

const FOLD_LEAST = 20, FOLD_SHARE = 0.002;

// Where rows of little weight are: { shown, folded } of rows, by a column of bytes. A fold of few rows
// saves nothing.
export function foldRows(rows, column) {
	let total = 0;

	for (const row of rows)
		total += column.get(row) ?? 0;
	const shown = rows.filter((row) => (column.get(row) ?? 0) >= total * FOLD_SHARE);

	if (rows.length <= FOLD_LEAST || rows.length - shown.length < 3 || !shown.length)
		return { shown: rows, folded: [] };
	const big = new Set(shown);

	return { shown, folded: rows.filter((row) => !big.has(row)) };
}

// The sum of a column over rows; null where a part of it is absent.
export function sumRows(rows, column) {
	let sum = 0, any = false;

	for (const row of rows) {
		const value = column.get(row);

		if (value === null)
			return null;
		if (value === undefined)
			continue;
		sum += value;
		any = true;
	}
	return any ? sum : undefined;
}
