// SPDX-License-Identifier: GPL-2.0-or-later
// A table of a list. Only rows that are in sight are in the page, so that 60,000 of them scroll as 60 do.

import { copyText, el, announce, menu, safeText } from "./dom.js";
import { cellText, exactText, exact, human, isNumber } from "./format.js";
import { csvText } from "./csv.js";
import { FilterError, parseFilter } from "./filter.js";
import { foldRows, orderRows, sumRows } from "./order.js";
import { addsUp, defaultColumns, isFolded, listTitle, weightOf } from "./defaults.js";

const ROW_HEIGHT = 24, MARGIN = 20, PRINTED = 2000, TALL = 24, SAMPLE = 2000, WIDEST = 60;

let tables = 0;

export class Table {
	constructor(list, command) {
		this.list = list;
		this.id = `table-${++tables}`;
		this.columns = defaultColumns(command, list);
		this.weight = weightOf(list);
		this.folds = Boolean(this.weight) && isFolded(list);
		this.sortColumn = undefined;
		this.descending = false;
		this.passes = () => true;
		this.filterText = "";
		this.active = 0;
		this.build();
		this.update();
	}

	build() {
		this.filterBox = el("input", { type: "search", size: 28, spellcheck: "false",
			placeholder: this.example(), "aria-describedby": `${this.id}-error`,
			"aria-label": `Filter of ${listTitle(this.list)}`, oninput: () => this.setFilter() });
		this.error = el("span", { class: "error", id: `${this.id}-error`, role: "alert" });
		this.count = el("span", { class: "count" });
		this.foldBox = el("input", { type: "checkbox", checked: this.folds, onchange: () => {
			this.folds = this.foldBox.checked;
			this.update();
		} });
		const tools = el("div", { class: "tools" },
			el("label", {}, "Filter ", this.filterBox), this.error, this.count,
			this.weight && addsUp(this.list) &&
				el("label", { class: "check" }, this.foldBox, " fold small rows"),
			menu("Columns", () => this.columnPanel()),
			el("button", { type: "button", onclick: () => this.copy() }, "Copy as CSV"));

		this.widths = el("colgroup");
		this.head = el("thead");
		this.body = el("tbody");
		this.foot = el("tfoot");
		this.table = el("table", { role: "grid", "aria-label": listTitle(this.list) },
			this.widths, this.head, this.body, this.foot);
		this.scroller = el("div", { class: "scroller", tabindex: "0", role: "region",
			"aria-label": `${listTitle(this.list)}: arrows move, Enter shows a row`,
			onscroll: () => this.scroll(), onkeydown: (event) => this.key(event) }, this.table);
		this.panel = el("div", { class: "row-panel", "aria-live": "polite" });
		this.node = el("div", { class: "table" }, tools, this.scroller, this.panel);
		this.body.addEventListener("click", (event) => this.click(event));
		addEventListener("beforeprint", () => this.drawPrinted());
		addEventListener("afterprint", () => this.draw());
	}

	example() {
		return this.weight?.type === "bytes" ? `${this.weight.name} > 1M` : "";
	}

	setFilter() {
		this.filterText = this.filterBox.value;
		try {
			this.passes = parseFilter(this.filterText, this.list.columns);
			this.error.textContent = "";
			this.filterBox.removeAttribute("aria-invalid");
		} catch (error) {
			if (!(error instanceof FilterError))
				throw error;
			this.error.textContent = error.message;
			this.filterBox.setAttribute("aria-invalid", "true");
			return;
		}
		this.update();
	}

	// Filter, sort and fold again.
	update() {
		const all = orderRows(this.list.length, this.passes, this.sortColumn, this.descending);
		const { shown, folded } = this.folds ? foldRows(all, this.weight) : { shown: all, folded: [] };

		this.all = all;
		this.order = shown;
		this.folded = folded;
		this.active = Math.max(0, Math.min(this.active, shown.length - 1));
		this.count.textContent = (all.length === this.list.length ? "" : `${exact(all.length)} of `) +
			`${exact(this.list.length)} row${this.list.length === 1 ? "" : "s"}`;
		this.table.setAttribute("aria-rowcount", shown.length + 1);
		this.drawHead();
		this.drawFoot();
		this.scroller.classList.toggle("tall", shown.length > TALL);
		this.draw();
	}

	sortBy(column) {
		if (this.sortColumn === column)
			this.descending = !this.descending;
		else
			this.descending = isNumber(column.type) && column.type !== "address" &&
				column.type !== "number";
		this.sortColumn = column;
		this.scroller.scrollTop = 0;
		this.update();
		announce(`sorted by ${column.heading}, ${this.descending ? "falling" : "rising"}`);
	}

	// Widths of columns by what a sample of the rows shows, so that they stand still while rows go by.
	widthOf(column) {
		const count = this.list.length, step = Math.max(1, Math.floor(count / SAMPLE));
		let most = column.heading.length + 2;

		for (let row = 0; row < count; row += step)
			most = Math.max(most, cellText(column.get(row), column.type, column.signed).length);
		// a sum is wider than what it adds up
		return Math.min(most + 1, WIDEST);
	}

	setWidths() {
		let all = 0;

		this.widths.replaceChildren(...this.columns.map((column, i) => {
			const col = el("col"), wide = column.wide ??= this.widthOf(column);

			all += wide + 2;
			// the last one has what is left
			if (i < this.columns.length - 1)
				col.style.width = `calc(${wide}ch + 16px)`;
			return col;
		}));
		this.table.style.width = `max(100%, calc(${all}ch + ${16 * this.columns.length}px))`;
	}

	drawHead() {
		this.setWidths();
		this.head.replaceChildren(el("tr", {}, this.columns.map((column) => {
			const sorted = column === this.sortColumn;
			const unit = { bytes: "bytes", ns: "time", ratio: "share" }[column.type];
			const title = [column.help, unit && `(${unit})`].filter(Boolean).join(" ");

			return el("th", { scope: "col", class: isNumber(column.type) ? "number" : "",
				"aria-sort": sorted ? (this.descending ? "descending" : "ascending") : "none" },
			el("button", { type: "button", title, onclick: () => this.sortBy(column) },
				column.heading,
				el("span", { "aria-hidden": "true", class: "arrow" },
					sorted ? (this.descending ? "\u25bc" : "\u25b2") : "")));
		})));
	}

	// A last line of sums, where there is something to add up.
	drawFoot() {
		const sums = () => el("tr", { title: "sum" }, this.columns.map((column, i) => {
			const adds = column.type === "bytes";
			const text = adds ? cellText(sumRows(this.all, column), "bytes", column.signed) : "";

			return el(i ? "td" : "th", { class: isNumber(column.type) ? "number" : "",
				scope: i ? undefined : "row" }, i || adds ? text : "sum");
		}));

		this.foot.replaceChildren();
		if (this.folded.length) {
			const bytes = sumRows(this.folded, this.weight);
			const size = this.weight.type === "bytes" ? human(bytes ?? 0) : exact(bytes ?? 0);

			this.foot.append(el("tr", { class: "folded" }, el("td", { colspan: this.columns.length },
				el("button", { type: "button", onclick: () => this.unfold() },
					`${exact(this.folded.length)} more, ${size}`))));
		}
		if (addsUp(this.list) && this.all.length > 1 &&
			this.columns.some((column) => column.type === "bytes"))
			this.foot.append(sums());
	}

	unfold() {
		this.folds = this.foldBox.checked = false;
		this.update();
	}

	// Scrolled: nothing is to do as long as there are rows in sight.
	scroll() {
		const { first, end } = this.sight();

		if (first < this.from || end > this.to)
			this.drawRows(first - MARGIN, end + MARGIN, this.drawn);
	}

	// Numbers of the rows that the scroller shows.
	sight() {
		const { scrollTop, clientHeight } = this.scroller, count = this.order.length;
		const first = Math.min(Math.floor(scrollTop / ROW_HEIGHT), Math.max(0, count - 1));

		return { first, end: Math.min(count, first + Math.ceil(Math.min(clientHeight || 600, 4000) /
			ROW_HEIGHT) + 1) };
	}

	draw() {
		const { first, end } = this.sight();

		this.drawRows(first - MARGIN, end + MARGIN, new Map());
	}

	// Those before and after are one empty row of their height. old: rows that are right as they are.
	drawRows(from, to, old) {
		const drawn = new Map();

		this.from = Math.max(0, from);
		this.to = Math.min(this.order.length, to);
		for (let at = this.from; at < this.to; at++)
			drawn.set(at, old.get(at) ?? this.row(at));
		this.drawn = drawn;
		this.body.replaceChildren(...[this.from && this.space(this.from), ...drawn.values(),
			this.to < this.order.length && this.space(this.order.length - this.to)].filter(Boolean));
	}

	drawPrinted() {
		const left = this.order.length - PRINTED;

		this.drawRows(0, PRINTED, new Map());
		if (left > 0)
			this.body.lastChild.replaceWith(el("tr", {}, el("td", { colspan: this.columns.length },
				`${exact(left)} more rows are not printed`)));
	}

	space(rows) {
		const cell = el("td", { colspan: this.columns.length });

		cell.style.height = `${rows * ROW_HEIGHT}px`;
		return el("tr", { class: "space", "aria-hidden": "true" }, cell);
	}

	row(at) {
		const row = this.order[at];

		return el("tr", { "data-at": at, "aria-rowindex": at + 2, class: at === this.active ? "active" : "",
			"aria-selected": at === this.active ? "true" : "false" },
		this.columns.map((column) => this.cell(row, column)));
	}

	cell(row, column) {
		const value = column.get(row);
		const text = safeText(cellText(value, column.type, column.signed));
		const node = el("td", { class: isNumber(column.type) ? "number" : "text" }, text);

		if (value === null) {
			node.className += " absent";
			node.title = this.list.reason(row, column.name);
		} else if (column.type === "bytes" && value >= 1024) {
			node.title = `${exact(value)} bytes`;
		} else if (text.length > 40) {
			node.title = text;
		}
		return node;
	}

	click(event) {
		const tr = event.target.closest("tr[data-at]");

		if (!tr)
			return;
		this.move(Number(tr.dataset.at));
		this.showRow();
	}

	key(event) {
		const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW_HEIGHT) - 2);
		const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity,
			End: Infinity };

		if (event.target !== this.scroller)
			return;
		if (event.key in steps)
			this.move(this.active + steps[event.key]);
		else if (event.key === "Enter")
			this.showRow();
		else if (event.key === "Escape")
			this.hideRow();
		else
			return;
		event.preventDefault();
	}

	move(to) {
		const count = this.order.length;

		if (!count)
			return;
		this.active = Math.max(0, Math.min(to, count - 1));
		const top = this.active * ROW_HEIGHT, height = this.scroller.clientHeight - 4 * ROW_HEIGHT;

		if (top < this.scroller.scrollTop)
			this.scroller.scrollTop = top;
		else if (top > this.scroller.scrollTop + height)
			this.scroller.scrollTop = top - height;
		this.draw();
		announce(this.columns.map((column) => `${column.heading} ` +
			cellText(column.get(this.order[this.active]), column.type)).join(", "));
	}

	// Everything of the active row, to the byte, with reasons.
	showRow() {
		const row = this.order[this.active];

		if (row === undefined)
			return;
		this.node.classList.add("open");
		this.panel.replaceChildren(
			el("button", { type: "button", class: "close", "aria-label": "close",
				onclick: () => this.hideRow() }, "\u00d7"),
			el("dl", {}, this.list.columns.filter((column) => column.get(row) !== undefined)
				.map((column) => {
					const value = column.get(row);
					const text = value === null ? `- (${this.list.reason(row, column.name)})` :
						exactText(value, column.type);

					return el("div", {}, el("dt", { title: column.help }, column.heading),
						el("dd", {}, safeText(text)));
				})));
	}

	hideRow() {
		this.node.classList.remove("open");
		this.panel.replaceChildren();
	}

	// Show the row with this number, wherever it is, from a picture.
	reveal(row) {
		let at = this.order.indexOf(row);

		if (at < 0 && this.folded.includes(row)) {
			this.unfold();
			at = this.order.indexOf(row);
		}
		if (at < 0) {
			this.filterBox.value = "";
			this.setFilter();
			at = this.order.indexOf(row);
		}
		this.move(at);
		this.showRow();
		this.scroller.scrollIntoView({ block: "nearest" });
	}

	columnPanel() {
		const box = (column) => el("label", { class: "check" },
			el("input", { type: "checkbox", checked: this.columns.includes(column),
				onchange: () => this.toggle(column) }),
			el("b", {}, column.heading), " ", column.help);

		return el("fieldset", {}, el("legend", {}, "Columns"), this.list.columns.map(box));
	}

	toggle(column) {
		const all = this.list.columns, shown = new Set(this.columns);

		if (shown.has(column)) {
			this.columns = this.columns.filter((one) => one !== column);
		} else {
			// names stay last
			const last = this.columns[this.columns.length - 1];
			const at = last && !isNumber(last.type) ? this.columns.length - 1 : this.columns.length;

			this.columns.splice(at, 0, column);
		}
		if (!this.columns.length)
			this.columns = [all[0]];
		this.update();
	}

	csv() {
		return csvText(this.columns.map((column) => column.name),
			this.all.map((row) => this.columns.map((column) => {
				const value = column.get(row);

				return typeof value === "string" ? safeText(value) : value;
			})));
	}

	async copy() {
		await copyText(this.csv());
		announce(`${this.all.length} rows copied`);
	}
}
