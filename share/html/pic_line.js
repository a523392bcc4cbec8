// SPDX-License-Identifier: GPL-2.0-or-later
// Figures over time.

import { el, hideTip, onWidth, safeText, showTip, svg } from "./dom.js";
import { human } from "./format.js";

const CHART_HEIGHT = 220, LEFT = 56, BOTTOM = 24, RIGHT = 12;

export class TimeLine {
	// lines: [{ name, shade, points: [{ at (seconds), value }] }]; format of values.
	constructor({ title, lines, format = human }) {
		Object.assign(this, { title, lines, format });
		const legend = el("ul", { class: "legend" }, lines.map((line) => el("li", {},
			el("span", { class: `key shade-${line.shade}`, "aria-hidden": "true" }),
			` ${safeText(line.name)}`)));

		this.frame = el("div", {});
		this.node = el("div", { class: "time-line" }, legend, this.frame);
		onWidth(this.frame, (width) => this.draw(width));
	}

	draw(width) {
		const all = this.lines.flatMap((line) => line.points);
		const first = Math.min(...all.map((point) => point.at));
		const last = Math.max(...all.map((point) => point.at), first + 1e-9);
		const most = Math.max(1, ...all.map((point) => point.value));
		const x = (at) => LEFT + (at - first) / (last - first) * (width - LEFT - RIGHT);
		const y = (value) => 8 + (1 - value / most) * (CHART_HEIGHT - BOTTOM - 8);
		const axes = [0, 0.5, 1].map((share) => svg("g", {},
			svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(share * most),
				y2: y(share * most) }),
			svg("text", { class: "label", x: LEFT - 6, y: y(share * most) + 4,
				"text-anchor": "end" }, this.format(Math.round(share * most)))));
		const times = [0, last - first].map((seconds, i) => svg("text", { class: "label",
			x: i ? width - RIGHT : LEFT, y: CHART_HEIGHT - 6, "text-anchor": i ? "end" : "start" },
		`${seconds.toPrecision(3).replace(/\.?0+$/, "") || 0} s`));

		this.frame.replaceChildren(svg("svg", { width, height: CHART_HEIGHT, role: "img",
			viewBox: `0 0 ${width} ${CHART_HEIGHT}`,
			"aria-label": `${this.title}: ` + this.lines.map((line) =>
				`${safeText(line.name)} from ${this.format(line.points[0].value)} to ` +
				this.format(line.points[line.points.length - 1].value)).join(", ") },
		axes, times, this.lines.map((line) => this.line(line, x, y))));
	}

	line({ name, shade, points }, x, y) {
		const path = points.map(({ at, value }) => `${x(at)},${y(value)}`).join(" ");

		return svg("g", {}, svg("polyline", { class: `line shade-${shade}`, points: path }),
			points.map(({ at, value }) => svg("circle", { class: `dot shade-${shade}`, cx: x(at),
				cy: y(value), r: 4,
				onpointermove: (event) => showTip([safeText(name), this.format(value)], event.clientX,
					event.clientY),
				onpointerleave: hideTip })));
	}
}
