// SPDX-License-Identifier: GPL-2.0-or-later
// The language of --filter: "rss > 1M && perm ~ w". Neither true nor false where a value is absent.

const OPERATORS = ["<=", ">=", "==", "!=", "!~", "<", ">", "=", "~"];
const DEPTH_MAX = 64, TERMS_MAX = 1000;
const SUFFIXES = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4, P: 1024 ** 5, E: 1024 ** 6 };
const SECONDS = { "": 1e9, ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

export class FilterError extends Error {}

function parseSize(text) {
	const hex = /^0x[0-9a-f]+$/i.test(text);
	const match = /^(-?\d+(?:\.\d+)?)([KMGTPE]?)(?:iB|i|B)?$/i.exec(text);

	if (hex)
		return Number(text);
	return match ? Number(match[1]) * SUFFIXES[match[2].toUpperCase()] : NaN;
}

// Addresses do not fit a number: compared as digits without leading zeros.
function addressDigits(text) {
	return text.toLowerCase().replace(/^0x/, "").replace(/^0+(?=.)/, "");
}

function parseLiteral(text, type) {
	switch (type) {
	case "bytes":
	case "count":
	case "number":
		return parseSize(text);
	case "ratio":
		return /^-?[\d.]+%?$/.test(text) ? parseFloat(text) / (text.endsWith("%") ? 100 : 1) : NaN;
	case "ns": {
		const match = /^(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|)$/.exec(text);

		return match ? Number(match[1]) * SECONDS[match[2]] : NaN;
	}
	case "bool":
		return text === "true" || text === "1" ? 1 : text === "false" || text === "0" ? 0 : NaN;
	case "address":
		return /^(0x)?[0-9a-f]+$/i.test(text) ? addressDigits(text) : NaN;
	default:
		return text;
	}
}

function comparable(value, type) {
	if (type === "address")
		return addressDigits(value);
	if (type === "bool")
		return value ? 1 : 0;
	return Array.isArray(value) ? value.join(", ") : value;
}

function order(a, b, type) {
	if (type === "address" && a.length !== b.length)
		return a.length - b.length;
	return a < b ? -1 : a > b ? 1 : 0;
}

// An extended regular expression as JavaScript has it.
function regex(text) {
	const classes = { digit: "0-9", alpha: "A-Za-z", alnum: "A-Za-z0-9", space: "\\s", upper: "A-Z",
		lower: "a-z", xdigit: "0-9A-Fa-f", punct: "!-\\/:-@\\[-`{-~" };

	return new RegExp(text.replace(/\[:(\w+):\]/g, (all, name) => classes[name] ?? all), "u");
}

class Parser {
	constructor(text, columns) {
		this.text = text;
		this.at = 0;
		this.columns = columns;
		this.depth = this.terms = 0;
	}

	fail(what) {
		throw new FilterError(`${what} at '${this.text.slice(this.at, this.at + 20)}'`);
	}

	skip() {
		while (/\s/.test(this.text[this.at] ?? "x"))
			this.at++;
	}

	take(token) {
		this.skip();
		if (!this.text.startsWith(token, this.at))
			return false;
		this.at += token.length;
		return true;
	}

	or() {
		let left = this.and();

		while (this.take("||")) {
			const one = left, other = this.and();

			left = (row) => {
				const a = one(row), b = other(row);

				return a || b || (a === false && b === false ? false : undefined);
			};
		}
		return left;
	}

	and() {
		let left = this.not();

		while (this.take("&&")) {
			const one = left, other = this.not();

			left = (row) => {
				const a = one(row), b = other(row);

				return a === false || b === false ? false : a && b;
			};
		}
		return left;
	}

	not() {
		if (++this.depth > DEPTH_MAX)
			this.fail("too deep");
		this.skip();
		let result;

		if (this.text[this.at] === "!" && !["!=", "!~"].some((op) => this.text.startsWith(op, this.at))) {
			this.at++;
			const inner = this.not();

			result = (row) => {
				const value = inner(row);

				return value === undefined ? undefined : !value;
			};
		} else if (this.take("(")) {
			result = this.or();
			if (!this.take(")"))
				this.fail("no )");
		} else {
			result = this.comparison();
		}
		this.depth--;
		return result;
	}

	literal() {
		this.skip();
		const quote = this.text[this.at];

		if (quote === '"' || quote === "'") {
			const end = this.text.indexOf(quote, this.at + 1);

			if (end < 0)
				this.fail("no closing quote");
			const text = this.text.slice(this.at + 1, end);

			this.at = end + 1;
			return text;
		}
		const start = this.at;

		while (this.at < this.text.length && !/[\s()]/.test(this.text[this.at]) &&
			!this.text.startsWith("&&", this.at) && !this.text.startsWith("||", this.at))
			this.at++;
		if (this.at === start)
			this.fail("a value is missing");
		return this.text.slice(start, this.at);
	}

	comparison() {
		this.skip();
		const name = /^[a-z0-9_.]*/i.exec(this.text.slice(this.at))[0];
		const column = this.columns.find((one) => one.name === name);

		if (!column)
			this.fail(name ? `no column '${name}'` : "a column is missing");
		if (++this.terms > TERMS_MAX)
			this.fail("too many terms");
		this.at += name.length;
		const operator = OPERATORS.find((op) => this.take(op));

		if (!operator)
			return (row) => has(column.get(row), column.type);
		return this.compare(column, operator, this.literal());
	}

	compare({ get, type }, operator, text) {
		if (operator === "~" || operator === "!~") {
			let pattern;

			try {
				pattern = regex(text);
			} catch (error) {
				this.fail(`'${text}' is no regular expression`);
			}
			return (row) => {
				const value = get(row);

				if (value === undefined || value === null)
					return undefined;
				return pattern.test(String(comparable(value, type))) === (operator === "~");
			};
		}
		const want = parseLiteral(text, type);

		if (Number.isNaN(want))
			this.fail(`'${text}' is no ${type}`);
		const test = {
			"<": (n) => n < 0, "<=": (n) => n <= 0, ">": (n) => n > 0, ">=": (n) => n >= 0,
			"=": (n) => n === 0, "==": (n) => n === 0, "!=": (n) => n !== 0,
		}[operator];

		return (row) => {
			const value = get(row);

			if (value === undefined || value === null)
				return undefined;
			return test(order(comparable(value, type), want, type));
		};
	}
}

function has(value, type) {
	if (value === undefined || value === null)
		return undefined;
	if (type === "address")
		return addressDigits(value) !== "0";
	return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

// A function of a row; columns are { name, type, get }. An empty text matches every row.
export function parseFilter(text, columns) {
	const parser = new Parser(text, columns);

	parser.skip();
	if (parser.at === text.length)
		return () => true;
	const filter = parser.or();

	parser.skip();
	if (parser.at < text.length)
		parser.fail("what is this");
	return (row) => filter(row) === true;
}
