// SPDX-License-Identifier: GPL-2.0-or-later
// The page: a document that is in it, or files that are opened.

import { compareDocuments, compareTypes, timeLines } from "./compare.js";
import { listTitle, rankOf, weightOf } from "./defaults.js";
import { announce, el, safeText } from "./dom.js";
import { exactText } from "./format.js";
import { columnTypes, readDocument } from "./model.js";
import { TimeLine } from "./pic_line.js";
import { picturesOf } from "./pictures.js";
import { SCHEMA_TYPES } from "./schema.js";
import { shadeOf } from "./shades.js";
import { Table } from "./table.js";

const PARTS_SAID = 3;
const main = document.getElementById("main");

// What is in a script of data, which is then let go.
function takeData(id) {
	const node = document.getElementById(id);
	const text = node?.textContent.trim() ?? "";

	node?.remove();
	return text;
}

function section(title, ...nodes) {
	const details = el("details", { open: true, class: "section" },
		el("summary", {}, el("h2", {}, title)), nodes);

	details.id = "part-" + title.replace(/[^a-z0-9]+/gi, "-");
	return details;
}

function factsSection({ title, entries }) {
	return section(title.replace(/_/g, " ") || "facts", el("dl", { class: "facts" },
		entries.map(({ name, value, type, help, reason }) => el("div", {},
			el("dt", { title: help }, name.replace(/_/g, " ")),
			el("dd", { title: reason, class: value === null ? "absent" : "" },
				safeText(value === null ? `- (${reason})` : exactText(value, type)))))));
}

// What is not there, in words: where anything was asked for in vain this is what the reader has to know.
function banner(page) {
	const { missing, complete, error } = page.document;
	const parts = (Array.isArray(page.document.processes) ? page.document.processes : [])
		.filter((process) => process?.complete === false);
	const said = [missing, ...parts.slice(0, PARTS_SAID).map((process) => process.missing)]
		.flatMap((object) => Object.entries(object ?? {}))
		.filter(([, why]) => !/^none|^not asked/.test(why));

	if (complete !== false && !error && !said.length)
		return undefined;
	return el("div", { class: complete === false || error ? "banner" : "banner quiet", role: "note" },
		el("strong", {}, complete === false ? "Not complete. " : "Absent: "),
		error && `${safeText(error)}. ` || undefined,
		parts.length ? `Not read in full: ${parts.length} ` +
			`process${parts.length === 1 ? "" : "es"}. ` : undefined,
		said.length ? el("ul", {}, said.map(([key, why]) => el("li", {},
			`${safeText(key)}: ${safeText(String(why))}`))) : undefined);
}

function heading(page) {
	const { host, command } = page.document;
	const of = Array.isArray(page.document.processes) && page.document.processes.length === 1 ?
		page.document.processes[0] : undefined;
	const name = of ? ` ${of.pid ?? ""} ${of.comm ?? ""}`.trimEnd() : "";
	const title = `vmview ${command}${name}`;

	document.title = safeText(title);
	return el("header", {}, el("h1", {}, safeText(title)),
		el("p", { class: "host" }, [host?.time, host?.kernel && `Linux ${host.kernel}`,
			`vmview ${page.document.vmview}`].filter(Boolean).map(safeText).join(" \u00b7 ")));
}

function show(page, extra = []) {
	const tables = new Map();
	const reveal = (list, row) => tables.get(list).reveal(row);
	const lists = page.lists.filter((list) => list.length)
		.sort((a, b) => rankOf(a.key) - rankOf(b.key));

	for (const list of lists)
		tables.set(list, new Table(list, page.command));
	const pictures = [...extra, ...picturesOf(page, reveal)]
		.map(({ title, node }) => section(title, el("div", { class: "picture" }, node)));
	const parts = [...pictures, ...lists.map((list) => section(`${listTitle(list)}` +
		(list.path.includes(".") && lists.some((one) => one !== list && one.key === list.key) ?
			` (${list.path})` : ""), tables.get(list).node)), ...page.facts.map(factsSection)];
	const links = el("nav", { "aria-label": "parts of the page" }, el("ul", {},
		parts.map((part) => el("li", {}, el("a", { href: `#${part.id}` },
			part.querySelector("h2").textContent)))));

	main.replaceChildren(...[heading(page), banner(page), parts.length > 3 ? links : undefined, ...parts]
		.filter(Boolean));
	// tables measure themselves once they are in the page
	for (const table of tables.values())
		table.draw();
	announce(document.title);
}

const ownTypes = (command, described) => columnTypes(described, {
	...SCHEMA_TYPES[command], "": SCHEMA_TYPES[""] });

function fail(message) {
	main.replaceChildren(el("div", { class: "banner", role: "alert" }, el("strong", {}, "Not shown. "),
		safeText(message)), chooser());
}

// The documents of a file: one, or one a line as vmview live --batch writes them.
function readText(text, name) {
	const documents = [];

	try {
		if (/^\{.*\}\n\{/.test(text))
			documents.push(...text.trim().split("\n").map((line) => JSON.parse(line)));
		else
			documents.push(JSON.parse(text));
	} catch (error) {
		throw new Error(`${name}: no JSON, or cut short (${error.message})`);
	}
	return documents.map((value) => readDocument(value, ownTypes(value?.command)));
}

// One file is shown, two are compared, more are lines over time and the last.
async function openFiles(files) {
	try {
		const read = await Promise.all([...files].map(async (file) =>
			readText(await file.text(), file.name)));
		const pages = read.flat();
		const byTime = pages.sort((a, b) => String(a.document.host?.time)
			.localeCompare(String(b.document.host?.time)));

		if (byTime.length === 2)
			showDiff(...byTime);
		else
			show(byTime[byTime.length - 1], byTime.length > 2 ? series(byTime) : []);
	} catch (error) {
		fail(error.message);
	}
}

function showDiff(before, after) {
	const document_ = compareDocuments(before, after, weightOf);

	show(readDocument(document_, compareTypes(after)));
}

function series(pages) {
	const lines = timeLines(pages, weightOf).filter((line) => line.points.length > 1 &&
		line.points.some((point) => point.value !== line.points[0].value)).slice(0, 8)
		.map((line) => ({ ...line, shade: shadeOf(line.name) }));

	return lines.length ? [{ title: "over time", node: new TimeLine({ title: "totals", lines }).node }] : [];
}

function chooser() {
	const input = el("input", { type: "file", accept: ".json,application/json", multiple: true,
		onchange: () => openFiles(input.files) });

	return el("div", { class: "chooser" }, el("h1", {}, "vmview"),
		el("p", {}, "Drop a file of vmview --json here, or two of one command to see what changed."),
		el("label", {}, "Open files ", input));
}

function listenForFiles() {
	addEventListener("dragover", (event) => {
		event.preventDefault();
		document.body.classList.add("drop");
	});
	addEventListener("dragleave", () => document.body.classList.remove("drop"));
	addEventListener("drop", (event) => {
		event.preventDefault();
		document.body.classList.remove("drop");
		if (event.dataTransfer.files.length)
			openFiles(event.dataTransfer.files);
	});
}

function start() {
	const text = takeData("vmview-document"), described = takeData("vmview-columns");

	listenForFiles();
	if (!text) {
		main.replaceChildren(chooser());
		return;
	}
	try {
		const value = JSON.parse(text);

		show(readDocument(value, ownTypes(value.command, JSON.parse(described || "{}"))));
	} catch (error) {
		fail(`the document in this page can not be read: ${error.message}`);
	}
}

start();
