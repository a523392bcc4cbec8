// SPDX-License-Identifier: GPL-2.0-or-later
// Elements. Text goes in as text nodes and attributes alone: nothing is ever parsed as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (name.startsWith("on"))
			node.addEventListener(name.slice(2), value);
		else if (value === true)
			node.setAttribute(name, "");
		else if (value !== undefined && value !== false && value !== null)
			node.setAttribute(name, value);
	}
	// what is false is not there, as in: condition && el(..)
	node.append(...children.flat().filter((child) => child || child === 0));
	return node;
}

export function el(tag, attributes, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

// What a screen reader says at once.
export function announce(text) {
	document.getElementById("status").textContent = text;
}

// Characters that show nothing, or turn the text around, as their numbers: the page shows names as they
// are, not as they want to be seen.
const UNSEEN = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e" +
	"\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]", "g");

export function safeText(text) {
	return text.replace(UNSEEN, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));
}

// A menu button with a panel below it, which Escape or a click elsewhere closes.
export function menu(label, content) {
	const details = el("details", { class: "menu" }, el("summary", {}, label));
	const panel = el("div", { class: "panel" });

	details.append(panel);
	details.addEventListener("toggle", () => {
		if (details.open)
			panel.replaceChildren(content());
	});
	details.addEventListener("keydown", (event) => {
		if (event.key !== "Escape" || !details.open)
			return;
		details.open = false;
		details.querySelector("summary").focus();
		event.stopPropagation();
	});
	document.addEventListener("click", (event) => {
		if (!details.contains(event.target))
			details.open = false;
	});
	return details;
}

export function select(label, options, value, onchange) {
	const list = el("select", { onchange: () => onchange(list.value) },
		options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)));

	return el("label", {}, label + " ", list);
}

let tip;

// A hint beside what the pointer or the focus is on.
export function showTip(lines, x, y) {
	tip ??= document.body.appendChild(el("div", { id: "tip", "aria-hidden": "true" }));
	tip.replaceChildren(...lines.map((line) => el("div", {}, line)));
	tip.hidden = false;
	const { width, height } = tip.getBoundingClientRect();

	tip.style.left = Math.max(4, Math.min(x + 12, innerWidth - width - 4)) + "px";
	tip.style.top = (y + 16 + height > innerHeight ? Math.max(4, y - height - 8) : y + 16) + "px";
}

export function hideTip() {
	if (tip)
		tip.hidden = true;
}

// Call draw with the width of the element, now and whenever it changes.
export function onWidth(node, draw) {
	let last = 0;

	new ResizeObserver(() => {
		const width = Math.floor(node.clientWidth);

		if (!width || width === last)
			return;
		last = width;
		// what is drawn may change sizes: not while they are told
		requestAnimationFrame(() => draw(width));
	}).observe(node);
}

export async function copyText(text) {
	try {
		await navigator.clipboard.writeText(text);
	} catch (error) {
		const area = el("textarea", { class: "off-screen" });

		area.value = text;
		document.body.append(area);
		area.select();
		document.execCommand("copy");
		area.remove();
	}
}
