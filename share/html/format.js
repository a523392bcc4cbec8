// SPDX-License-Identifier: GPL-2.0-or-later
// Values as people read them, as vmview's tables have them.

const UNITS = "KMGTPE";

// "0", "512", "4.0K", "184K", "1.2G".
export function human(bytes) {
	const size = Math.abs(bytes), sign = bytes < 0 ? "-" : "";
	let unit = 0, scaled = size / 1024;

	if (size < 1024)
		return sign + size;
	while (unit + 1 < UNITS.length && scaled >= 1023.5) {
		scaled /= 1024;
		unit++;
	}
	return sign + (scaled < 9.95 ? scaled.toFixed(1) : String(Math.round(scaled))) + UNITS[unit];
}

// A number with its thousands apart, so that it can be read.
export function exact(number) {
	return String(number).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function percent(ratio) {
	return ratio < 0 ? "-" : (ratio * 100).toFixed(1) + "%";
}

const TIMES = [["h", 3600e9], ["min", 60e9], ["s", 1e9], ["ms", 1e6], ["us", 1e3]];

export function duration(ns) {
	for (const [unit, size] of TIMES)
		if (Math.abs(ns) >= size)
			return (ns / size).toPrecision(3).replace(/\.?0+$/, "") + " " + unit;
	return ns + " ns";
}

// What a cell shows: "" for what does not apply, "-" for what is absent.
export function cellText(value, type, signed) {
	if (value === undefined)
		return "";
	if (value === null)
		return "-";
	switch (type) {
	case "bytes":
		return value === 0 ? "." : (signed && value > 0 ? "+" : "") + human(value);
	case "count":
		return value === 0 ? "." : (signed && value > 0 ? "+" : "") + exact(value);
	case "ratio":
		return percent(value);
	case "ns":
		return duration(value);
	case "bool":
		return value ? "yes" : "no";
	default:
		return Array.isArray(value) ? value.join(" ") : String(value);
	}
}

// The same to the byte, for the panel of a row.
export function exactText(value, type) {
	if (typeof value === "number" && (type === "bytes" || type === "count"))
		return exact(value) + (type === "bytes" && Math.abs(value) >= 1024 ? ` (${human(value)})` : "");
	return cellText(value, type);
}

export const isNumber = (type) => ["bytes", "count", "number", "ratio", "ns", "address"].includes(type);
