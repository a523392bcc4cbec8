// SPDX-License-Identifier: GPL-2.0-or-later
// An address space to scale: mappings that are near each other stand on one line, in proportion; the gaps
// between the lines, which are millions of times as wide, are told in words.

import { el, hideTip, onWidth, safeText, showTip, svg } from "./dom.js";
import { human } from "./format.js";
import { KIND_SHADES } from "./shades.js";

const LINES_MAX = 12, BAR_SIZE = 26, LINE_SIZE = 50;

// [{ start, end, row }] of rising addresses, as numbers: exact enough to draw.
export function readExtents(list) {
	const start = list.columnNamed("start"), end = list.columnNamed("end");
	const extents = [];

	for (let i = 0; i < list.length; i++) {
		const from = Number(start.get(i)), to = Number(end.get(i));

		if (to > from)
			extents.push({ start: from, end: to, row: i });
	}
	return extents.sort((a, b) => a.start - b.start);
}

// Parts of the address space with no large gap inside: as few as the largest gaps leave, at most most.
export function splitAtGaps(extents, most) {
	const gaps = extents.slice(1).map((extent, i) => ({ at: i + 1, size: extent.start - extents[i].end }))
		.filter((gap) => gap.size > 0).sort((a, b) => b.size - a.size);
	const mapped = extents.reduce((sum, extent) => sum + extent.end - extent.start, 0);
	const cuts = gaps.filter((gap) => gap.size > mapped / 4).slice(0, most - 1)
		.map((gap) => gap.at).sort((a, b) => a - b);
	const parts = [];
	let from = 0;

	for (const cut of [...cuts, extents.length]) {
		parts.push(extents.slice(from, cut));
		from = cut;
	}
	return parts.filter((part) => part.length);
}

export class AddressSpace {
	constructor({ list, reveal }) {
		this.list = list;
		this.reveal = reveal;
		this.parts = splitAtGaps(readExtents(list), LINES_MAX);
		this.node = el("div", { class: "space-picture" });
		onWidth(this.node, (width) => this.draw(width));
	}

	draw(width) {
		const height = this.parts.length * LINE_SIZE;
		const lines = this.parts.map((part, i) => this.line(part, i, width));

		this.node.replaceChildren(svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`,
			role: "img", "aria-label": `address space of ${this.list.length} mappings in ` +
				`${this.parts.length} parts; the table has each` }, lines));
	}

	line(part, i, width) {
		const low = part[0].start, high = Math.max(...part.slice(-1).map((one) => one.end));
		const scale = width / (high - low), y = i * LINE_SIZE + 18;
		const before = i ? low - this.parts[i - 1][this.parts[i - 1].length - 1].end : 0;
		const gap = before > 0 ? `gap of ${human(before)}, then ` : "";
		const text = svg("text", { x: 0, y: y - 5, class: "label" },
			`${gap}0x${low.toString(16)}, ${human(high - low)}`);

		return svg("g", {}, text, svg("rect", { class: "gap", x: 0, y, width, height: BAR_SIZE }),
			this.bars(part, low, scale, y, width));
	}

	// One rectangle for neighbours of one kind, and for all that fall on one pixel.
	bars(part, low, scale, y, width) {
		const kind = this.list.columnNamed("kind"), bars = [];
		let last;

		for (const extent of part) {
			const x = (extent.start - low) * scale;
			const wide = (extent.end - extent.start) * scale;
			const name = kind?.get(extent.row) ?? "";
			const beside = last && x - (last.x + last.wide) < 0.5;

			if (beside && (last.kind === name || x + wide - last.x < 1)) {
				last.wide = x + wide - last.x;
				continue;
			}
			last = { x, wide, kind: name };
			bars.push(last);
		}
		const group = svg("g", {}, bars.map((bar) => svg("rect", {
			class: `bar shade-${KIND_SHADES[bar.kind] ?? 9}`, x: bar.x, y,
			width: Math.min(Math.max(1, bar.wide), Math.max(1, width - bar.x)), height: BAR_SIZE })));
		const find = (event) => {
			const left = group.ownerSVGElement.getBoundingClientRect().left;

			return extentAt(part, low + (event.clientX - left) / scale);
		};

		group.addEventListener("pointermove", (event) => this.tip(event, find(event)));
		group.addEventListener("pointerleave", hideTip);
		group.addEventListener("click", (event) => this.reveal?.(find(event).row));
		return group;
	}

	tip(event, { start, end, row }) {
		const kind = this.list.columnNamed("kind")?.get(row) ?? "";
		const path = this.list.columnNamed("path")?.get(row) || kind;

		showTip([safeText(path), `0x${start.toString(16)}, ${human(end - start)}, ${kind}`],
			event.clientX, event.clientY);
	}
}

// The last of them that begins at or before an address, or the first.
export function extentAt(extents, address) {
	let low = 0, high = extents.length;

	while (high - low > 1) {
		const middle = (low + high) >> 1;

		if (extents[middle].start <= address)
			low = middle;
		else
			high = middle;
	}
	return extents[low];
}
