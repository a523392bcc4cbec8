// SPDX-License-Identifier: GPL-2.0-or-later
// A treemap that is drawn: by levels (kind, object, mapping), for a size that is chosen. Enter or a click goes
// in, Escape goes out, arrows go from one rectangle to the next.

import { announce, el, hideTip, onWidth, safeText, select, showTip, svg } from "./dom.js";
import { human, percent } from "./format.js";
import { KIND_SHADES, SHADES } from "./shades.js";
import { Tree, layoutTree } from "./treemap.js";

export class Treemap {
	// sizes: columns to choose from; levels: [label, function of a row to a name]; reveal(row) shows a row.
	constructor({ title, list, levels, sizes, reveal }) {
		Object.assign(this, { title, list, levels, sizes, reveal });
		this.size = sizes[0];
		this.path = [];
		this.crumbs = el("div", { class: "crumbs" });
		this.frame = el("div", { class: "treemap" });
		const chooser = sizes.length > 1 ? select("Size", sizes.map((column) =>
			[column.name, column.heading]), this.size.name, (name) => {
			this.size = sizes.find((column) => column.name === name);
			this.path = [];
			this.build();
		}) : undefined;

		this.node = el("div", {}, el("div", { class: "tools" }, chooser, this.crumbs), this.frame);
		onWidth(this.frame, (width) => {
			this.width = width;
			this.build();
		});
	}

	build() {
		this.tree = new Tree(this.list.length, this.levels.map(([, level]) => level),
			(row) => this.size.get(row) ?? 0);
		this.root = this.tree.root;
		this.draw();
	}

	here() {
		return this.path[this.path.length - 1] ?? this.root;
	}

	draw(focus) {
		const height = Math.round(Math.max(220, Math.min(this.width * 0.5, 560)));
		const here = this.here();
		const places = layoutTree(this.tree, here, { x: 0, y: 0, width: this.width, height },
			Math.min(2, this.levels.length - this.path.length));
		const total = here.size;

		this.drawCrumbs();
		if (!total) {
			this.frame.replaceChildren(el("p", {}, `nothing has ${this.size.heading}`));
			return;
		}
		this.places = places;
		this.rects = places.map((place, i) => this.rect(place, i, total));
		this.frame.replaceChildren(svg("svg", { width: this.width, height, role: "group",
			viewBox: `0 0 ${this.width} ${height}`,
			"aria-label": `${this.title}: ${this.size.heading} of ${safeText(here.name || "all")}, ` +
				`${human(total)}; arrows move, Enter goes in, Escape goes out` }, this.rects));
		if (this.rects[0])
			this.rects[0].setAttribute("tabindex", "0");
		if (focus)
			this.rects[0]?.focus();
	}

	drawCrumbs() {
		const steps = [this.root, ...this.path].map((node, i) => {
			const text = `${safeText(node.name) || "all"} ${human(node.size)}`;

			return i < this.path.length ? el("button", { type: "button",
				onclick: () => this.leave(i) }, text) : el("span", {}, text);
		});

		this.crumbs.replaceChildren(...steps);
	}

	shade(place) {
		const outer = this.path[0]?.name ?? (place.depth ? place.parent : place.node).name;

		return KIND_SHADES[outer] ?? this.outer().findIndex((one) => one.name === outer) % SHADES;
	}

	// What is at the top, in the order of its size.
	outer() {
		return this.tree.grow(this.root);
	}

	words(node, total) {
		const name = safeText(node.name) || "(no name)";

		return [name, `${human(node.size)}, ${percent(node.size / total)}` +
			(node.rows.length > 1 ? `, ${node.rows.length} rows` : "")];
	}

	rect(place, i, total) {
		const { x, y, width, height, node, depth } = place;
		const [name, size] = this.words(node, total);
		const label = svg("text", { x: x + 4, y: y + 13 });
		const room = Math.floor((width - 8) / 7);
		const group = svg("g", { class: `node shade-${this.shade(place)} depth-${depth}`, role: "button",
			tabindex: "-1", "aria-label": `${name}, ${size}`,
			onclick: () => this.enter(place), onkeydown: (event) => this.key(event, i),
			onfocus: (event) => this.tip(event, place, total), onblur: hideTip,
			onpointermove: (event) => this.tip(event, place, total), onpointerleave: hideTip },
		svg("rect", { x, y, width: Math.max(0, width - 1), height: Math.max(0, height - 1) }));

		if (room >= 3 && height >= 16) {
			const text = `${shorten(name, room - 6)} ${human(node.size)}`;

			label.textContent = text.length <= room ? text : shorten(name, room);
			group.append(label);
		}
		return group;
	}

	tip(event, { node }, total) {
		const box = event.currentTarget.getBoundingClientRect();

		showTip(this.words(node, total), event.clientX ?? box.left, event.clientY ?? box.top);
	}

	// Go in, or to the row where it is one.
	enter(place) {
		const chain = [];

		hideTip();
		if (place.depth)
			chain.push(place.parent);
		chain.push(place.node);
		if (!this.tree.grow(place.node).length) {
			this.reveal?.(place.node.rows[0]);
			return;
		}
		this.path.push(...chain);
		this.draw(true);
		announce(`in ${place.node.name}`);
	}

	leave(depth) {
		this.path.length = depth;
		this.draw(true);
	}

	key(event, i) {
		const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

		if (event.key in steps) {
			const to = Math.max(0, Math.min(i + steps[event.key], this.rects.length - 1));

			this.rects[i].setAttribute("tabindex", "-1");
			this.rects[to].setAttribute("tabindex", "0");
			this.rects[to].focus();
		} else if (event.key === "Enter" || event.key === " ") {
			this.enter(this.places[i]);
		} else if (event.key === "Escape" && this.path.length) {
			this.leave(this.path.length - 1);
		} else {
			return;
		}
		event.preventDefault();
	}
}

// A name that is too long loses its directory first, then its middle; never the end.
export function shorten(name, room) {
	if (name.length <= room)
		return name;
	const base = name.slice(name.lastIndexOf("/") + 1);

	if (base && base.length <= room)
		return base;
	if (room < 5)
		return name.slice(0, Math.max(0, room));
	const head = Math.floor((room - 2) / 2);

	return `${name.slice(0, head)}..${name.slice(name.length - (room - 2 - head))}`;
}
