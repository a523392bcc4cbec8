// SPDX-License-Identifier: GPL-2.0-or-later
// Comma-separated values as --csv writes them (RFC 4180).

export function csvCell(value) {
	let text = Array.isArray(value) ? value.join(" ") : String(value);

	if (typeof value === "number" || typeof value === "boolean")
		return text;
	// a spreadsheet would take it for a formula
	if (/^[=+\-@\t\r]/.test(text) && !/^[-rwxps]{4}$/.test(text))
		text = "'" + text;
	return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

// heads: names; rows: arrays of values, undefined or null where there is none.
export function csvText(heads, rows) {
	const line = (cells) => cells.map((cell) => cell === undefined || cell === null ? "" :
		csvCell(cell)).join(",");

	return [heads, ...rows].map(line).join("\r\n") + "\r\n";
}
