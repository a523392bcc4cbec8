// SPDX-License-Identifier: GPL-2.0-or-later
// A grid of cells, each a state: pageblocks of the machine, pages of a process.

import { el, hideTip, onWidth, showTip } from "./dom.js";
import { exact, human, percent } from "./format.js";

const CELL = 10;
export const CELLS_MAX = 6000;

// Cells of states, of which there are too many: each stands for several, with the state most of them have.
export function condense(cells, most) {
	const each = Math.ceil(cells.length / most), out = [];

	if (each <= 1)
		return { cells, each: 1 };
	for (let at = 0; at < cells.length; at += each) {
		const counts = new Map();
		let best = cells[at];

		for (let i = at; i < Math.min(at + each, cells.length); i++) {
			const count = (counts.get(cells[i]) ?? 0) + 1;

			counts.set(cells[i], count);
			if (count > counts.get(best))
				best = cells[i];
		}
		out.push(best);
	}
	return { cells: out, each };
}

export class Cells {
	// states: [{ name, shade }]; cells: numbers of states; label(i) tells where cell i is.
	constructor({ title, states, cells, cellBytes, label }) {
		const { cells: shown, each } = condense(cells, CELLS_MAX);

		Object.assign(this, { title, states, shown, each, cellBytes, label });
		this.counts = states.map((state, i) => cells.reduce((sum, cell) => sum + (cell === i), 0));
		this.total = cells.length;
		this.canvas = el("canvas", { role: "img", "aria-label": `${title}: ${this.summary()}`,
			onpointermove: (event) => this.tip(event), onpointerleave: hideTip });
		this.node = el("div", { class: "cells" }, this.legend(), this.canvas);
		onWidth(this.node, (width) => this.draw(width));
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change",
			() => this.draw(this.width));
		addEventListener("beforeprint", () => this.draw(this.width));
	}

	summary() {
		return this.states.map((state, i) => [state, this.counts[i]]).filter(([, count]) => count)
			.map(([state, count]) => `${state.name} ${percent(count / this.total)}`).join(", ");
	}

	legend() {
		const each = this.cellBytes * this.each;
		const items = this.states.map((state, i) => this.counts[i] ? el("li", {},
			el("span", { class: `key shade-${state.shade}`, "aria-hidden": "true" }, state.mark ?? ""),
			` ${state.name} ${human(this.counts[i] * this.cellBytes)}`) : undefined);

		return el("div", {}, el("p", {}, `A cell is ${human(each)}.`),
			el("ul", { class: "legend" }, items));
	}

	draw(width) {
		const columns = Math.max(1, Math.floor(width / CELL));
		const rows = Math.ceil(this.shown.length / columns), ratio = devicePixelRatio || 1;
		const pen = this.canvas.getContext("2d"), style = getComputedStyle(this.canvas);

		this.width = width;
		this.columns = columns;
		this.canvas.width = columns * CELL * ratio;
		this.canvas.height = rows * CELL * ratio;
		this.canvas.style.width = `${columns * CELL}px`;
		this.canvas.style.height = `${rows * CELL}px`;
		pen.scale(ratio, ratio);
		const colours = this.states.map((state) => style.getPropertyValue(`--shade-${state.shade}`));

		this.shown.forEach((state, i) => {
			pen.fillStyle = colours[state];
			pen.fillRect(i % columns * CELL, Math.floor(i / columns) * CELL, CELL - 1, CELL - 1);
		});
	}

	tip(event) {
		const box = this.canvas.getBoundingClientRect();
		const column = Math.floor((event.clientX - box.left) / CELL);
		const i = Math.floor((event.clientY - box.top) / CELL) * this.columns + column;

		if (column >= this.columns || this.shown[i] === undefined)
			return hideTip();
		showTip([this.states[this.shown[i]].name, this.label ? this.label(i * this.each) :
			`cell ${exact(i)}`], event.clientX, event.clientY);
		return undefined;
	}
}
