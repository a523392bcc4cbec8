// SPDX-License-Identifier: GPL-2.0-or-later
// Rows as bars: parts of a whole beside each other, or what grew and shrank to both sides of a line.

import { el, hideTip, onWidth, safeText, showTip, svg } from "./dom.js";
import { human } from "./format.js";
import { shorten } from "./pic_treemap.js";

const BAR_HEIGHT = 18, STEP = 24;

function tips(words) {
	return { onpointermove: (event) => showTip(words, event.clientX, event.clientY),
		onpointerleave: hideTip };
}

export class StackedBars {
	// bars: [{ name, parts: [bytes, ..], row }]; parts: [{ name, shade }].
	constructor({ title, parts, bars, reveal, format = human }) {
		Object.assign(this, { title, parts, bars, reveal, format });
		const used = parts.map((part, i) => bars.some((bar) => bar.parts[i] > 0));
		const legend = el("ul", { class: "legend" }, parts.map((part, i) => used[i] ? el("li", {},
			el("span", { class: `key shade-${part.shade}`, "aria-hidden": "true" }), ` ${part.name}`) :
			undefined));

		this.frame = el("div", {});
		this.node = el("div", { class: "bars" }, legend, this.frame);
		onWidth(this.frame, (width) => this.draw(width));
	}

	draw(width) {
		const sums = this.bars.map((bar) => bar.parts.reduce((sum, part) => sum + (part ?? 0), 0));
		const names = Math.min(240, Math.max(80, width * 0.3)), room = width - names - 60;
		const scale = room / Math.max(1, ...sums), height = this.bars.length * STEP;
		const lines = this.bars.map((bar, i) => this.line(bar, sums[i], i * STEP, names, scale));

		this.frame.replaceChildren(svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`,
			role: "img", "aria-label": `${this.title}: ${this.bars.map((bar, i) =>
				`${safeText(bar.name)} ${this.format(sums[i])}`).slice(0, 12).join(", ")}` }, lines));
	}

	line(bar, sum, y, names, scale) {
		const room = Math.floor((names - 8) / 7);
		let x = names;
		const rects = bar.parts.map((bytes, i) => {
			if (!(bytes > 0))
				return undefined;
			const rect = svg("rect", { class: `bar shade-${this.parts[i].shade}`, x, y: y + 2,
				width: Math.max(0.5, bytes * scale), height: BAR_HEIGHT,
				onclick: () => this.reveal?.(bar.row),
				...tips([safeText(bar.name), `${this.parts[i].name} ${this.format(bytes)}`]) });

			x += bytes * scale;
			return rect;
		});

		return svg("g", {}, svg("text", { x: 0, y: y + 15, class: "label" },
			shorten(safeText(bar.name), room)), rects.filter(Boolean),
		svg("text", { x: x + 4, y: y + 15, class: "label" }, this.format(sum)));
	}
}

export class DeltaBars {
	// bars: [{ name, delta, row }], the largest changes first.
	constructor({ title, bars, reveal }) {
		Object.assign(this, { title, bars, reveal });
		this.node = el("div", { class: "bars" });
		onWidth(this.node, (width) => this.draw(width));
	}

	draw(width) {
		const names = Math.min(240, Math.max(80, width * 0.3)), middle = names + (width - names) / 2;
		const most = Math.max(1, ...this.bars.map((bar) => Math.abs(bar.delta)));
		const scale = ((width - names) / 2 - 60) / most, height = this.bars.length * STEP;

		this.node.replaceChildren(svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`,
			role: "img", "aria-label": `${this.title}: ${this.bars.map((bar) =>
				`${safeText(bar.name)} ${bar.delta > 0 ? "+" : ""}${human(bar.delta)}`).slice(0, 12)
				.join(", ")}` },
		svg("line", { class: "axis", x1: middle, x2: middle, y1: 0, y2: height }),
		this.bars.map((bar, i) => this.line(bar, i * STEP, names, middle, scale))));
	}

	line({ name, delta, row }, y, names, middle, scale) {
		const long = Math.max(1, Math.abs(delta) * scale), grew = delta > 0;
		const text = (grew ? "+" : "") + human(delta);

		return svg("g", { onclick: () => this.reveal?.(row), ...tips([safeText(name), text]) },
			svg("text", { x: 0, y: y + 15, class: "label" },
				shorten(safeText(name), Math.floor((names - 8) / 7))),
			svg("rect", { class: grew ? "bar grew" : "bar shrank", x: grew ? middle : middle - long,
				y: y + 2, width: long, height: BAR_HEIGHT }),
			svg("text", { x: grew ? middle + long + 4 : middle - long - 4, y: y + 15, class: "label",
				"text-anchor": grew ? "start" : "end" }, text));
	}
}
