// SPDX-License-Identifier: GPL-2.0-or-later
// Which two processes share how much: a matrix, the darker the more.

import { el, hideTip, onWidth, safeText, showTip, svg } from "./dom.js";
import { human } from "./format.js";
import { shorten } from "./pic_treemap.js";

const IDS_MAX = 40, STEPS = 5;

export class Matrix {
	// names: Map of id to text; pairs: [{ a, b, bytes }].
	constructor({ title, names, pairs, total }) {
		const weight = new Map();

		for (const { a, b, bytes } of pairs)
			for (const id of [a, b])
				weight.set(id, (weight.get(id) ?? 0) + bytes);
		this.ids = [...weight.keys()].sort((a, b) => weight.get(b) - weight.get(a)).slice(0, IDS_MAX);
		this.cells = new Map(pairs.flatMap(({ a, b, bytes }) => [[`${a} ${b}`, bytes],
			[`${b} ${a}`, bytes]]));
		Object.assign(this, { title, names, most: Math.max(1, ...pairs.map((pair) => pair.bytes)) });
		this.frame = el("div", {});
		const left = total - this.ids.length;

		this.node = el("div", { class: "matrix" }, this.frame,
			left > 0 && el("p", {}, `${left} more processes share less`) || undefined);
		onWidth(this.frame, (width) => this.draw(width));
	}

	draw(width) {
		const names = Math.min(200, width * 0.35);
		const size = Math.max(6, Math.min(28, (width - names) / this.ids.length));
		const height = this.ids.length * size + 4;

		this.frame.replaceChildren(svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`,
			role: "img", "aria-label": `${this.title}: ${this.ids.length} processes; ` +
				"the table of pairs has each" },
		this.ids.map((a, row) => this.line(a, row, names, size))));
	}

	line(a, row, names, size) {
		const name = safeText(this.names.get(a) ?? String(a));
		const label = svg("text", { x: 0, y: (row + 0.5) * size + 4, class: "label" },
			size < 11 && row % 2 ? "" : shorten(name, Math.floor((names - 8) / 7)));

		return svg("g", {}, label, this.ids.map((b, column) => {
			const bytes = a === b ? undefined : this.cells.get(`${a} ${b}`) ?? 0;
			const step = bytes ? Math.max(1, Math.ceil(STEPS * Math.sqrt(bytes / this.most))) : 0;
			const words = [`${name} and ${safeText(this.names.get(b) ?? String(b))}`,
				bytes === undefined ? "" : human(bytes)];

			return svg("rect", { class: bytes === undefined ? "self" : `heat-${step}`,
				x: names + column * size, y: row * size, width: size - 1, height: size - 1,
				onpointermove: (event) => showTip(words, event.clientX, event.clientY),
				onpointerleave: hideTip });
		}));
	}
}
