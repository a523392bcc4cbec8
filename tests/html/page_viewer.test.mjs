// SPDX-License-Identifier: GPL-2.0-or-later
// Pages of --html in a browser: what is drawn, sorted and filtered, and that nothing else happens.
import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { pathToFileURL } from "node:url";

import { Browser, findChromium } from "./chromium.mjs";
import { TOP, html, json, pageOf, save, vmview, withProcess } from "./pages.mjs";

const LIMIT_BYTES = 250 * 1024, OPEN_MS = 2000, FRAME_MS = 50;
let browser;

before(async () => {
	browser = await Browser.start(findChromium());
});
after(() => browser.close());

// Open a page, look at it, and see that it said nothing and asked for nothing but itself.
async function look(path, fn, size) {
	const page = await browser.open(path, size);

	try {
		await fn(page);
		assert.deepEqual(page.said, []);
		assert.deepEqual(page.urls, [pathToFileURL(path).href]);
	} finally {
		await page.close();
	}
}

// Of a section: its titles, or texts of the cells of a column.
const titles = () => [...document.querySelectorAll("h2")].map((node) => node.textContent);

function cells(name, heading) {
	const part = [...document.querySelectorAll(".section")].find((node) =>
		node.querySelector("h2").textContent === name);
	const heads = [...part.querySelectorAll("thead th")].map((node) => node.querySelector("button").firstChild.data);
	const at = heads.indexOf(heading);

	return [...part.querySelectorAll("tbody tr[data-at]")].map((row) => row.children[at].textContent);
}

function type(name, text) {
	const part = [...document.querySelectorAll(".section")].find((node) =>
		node.querySelector("h2").textContent === name);
	const box = part.querySelector("input[type=search]");

	box.value = text;
	box.dispatchEvent(new Event("input"));
	return [part.querySelector(".count").textContent, part.querySelector(".error").textContent];
}

function press(name, label) {
	const part = [...document.querySelectorAll(".section")].find((node) =>
		node.querySelector("h2").textContent === name);

	[...part.querySelectorAll("button, summary")].find((node) => node.textContent.startsWith(label)).click();
}

const PAGES = [
	["map", "ordinary", ["map", "4711"], ["mappings by size", "address space, to scale", "mappings", "kinds"]],
	["ps", "machine", ["ps"], ["processes by size", "processes"]],
	["ps --by", "machine", ["ps", "--by", "cgroup"], ["groups by size", "groups"]],
	["pages", "frames", ["pages", "4242"], ["state of the pages", "runs"]],
	["share", "family", ["share", "--all"], ["who shares with whom", "pairs", "groups"]],
	["cow", "family", ["cow", "101", "102"], ["what is shared and what was copied", "mappings"]],
	["system", "machine", ["system", "--map"], ["physical memory", "zones by use", "classes by size", "classes"]],
	["frag", "pageblocks", ["frag", "--map"], ["physical memory", "free memory by order", "orders"]],
	["numa", "numa-4", ["numa", "--all"], ["memory by node"]],
	["elf", "elf", ["elf", "55"], ["objects by size", "objects"]],
	["huge", "arm64-huge", ["huge", "100"], ["mappings by size", "mappings"]],
	["cgroup", "cgroup2", ["cgroup", "/system.slice/db.service"], ["classes by size", "classes"]],
	["cgroup --tree", "cgroup2", ["cgroup", "--tree"], ["groups by size", "groups"]],
	["cache", "cache", ["cache"], ["files by size", "files"]],
	["faults", "faults", ["faults", "4711"], ["page faults by reasons", "page faults by mappings", "reasons"]],
	["swap", "swap-moved", ["swap", "100"], ["ranking"]],
];

for (const [name, root, args, parts] of PAGES)
	test(`${name}: what there is to draw is drawn`, () => look(html(root, ...args), async (page) => {
		const found = await page.run(titles);

		for (const part of parts)
			assert.ok(found.includes(part), `${part} is not in ${found.join(", ")}`);
		// pictures have something in them
		const empty = await page.eval("[...document.querySelectorAll('.picture')].filter((node) => " +
			"!node.querySelector('rect, canvas, polyline')).map((node) => node.parentNode.id)");

		assert.deepEqual(empty, []);
		const wide = await page.eval("document.documentElement.scrollWidth - innerWidth");

		assert.ok(wide <= 0, `${wide} pixels wider than the window`);
	}));

test("the document in the page is that of --json", async () => {
	const text = vmview("map", "--root", "tests/trees/markup", "--html", "777");
	const [, inside] = /id="vmview-document">\n([^]*?)<\/script>/.exec(text);

	assert.doesNotMatch(inside, /</);
	assert.deepEqual(JSON.parse(inside), json("markup", "map", "777"));
});

test("rows of the table are those of the document", () => look(html("ordinary", "map", "4711"), async (page) => {
	const { mappings } = json("ordinary", "map", "4711").processes[0];

	assert.deepEqual(await page.run(cells, "mappings", "START"), mappings.map((row) => row.start));
	assert.deepEqual(await page.run(cells, "mappings", "PATH"), mappings.map((row) => row.path));
}));

test("columns sort by what they are, both ways", () => look(html("ordinary", "map", "4711"), async (page) => {
	const { mappings } = json("ordinary", "map", "4711").processes[0];
	const order = (compare) => mappings.map((row, i) => [row, i]).sort(([a, i], [b, j]) => compare(a, b) || i - j)
		.map(([row]) => row.start);

	await page.run(press, "mappings", "RSS");
	assert.deepEqual(await page.run(cells, "mappings", "START"), order((a, b) => b.rss - a.rss));
	await page.run(press, "mappings", "RSS");
	assert.deepEqual(await page.run(cells, "mappings", "START"), order((a, b) => a.rss - b.rss));
	assert.equal(await page.eval("document.querySelector('[aria-sort=ascending]').textContent.startsWith('RSS')"), true);
	await page.run(press, "mappings", "KIND");
	assert.deepEqual(await page.run(cells, "mappings", "START"),
		order((a, b) => (a.kind > b.kind) - (a.kind < b.kind)));
}));

test("filters are those of --filter", () => look(html("ordinary", "map", "4711"), async (page) => {
	const all = json("ordinary", "map", "4711").processes[0].mappings.length;

	for (const filter of ["rss > 64K && perm ~ w", "kind == elf", "!(kind == elf) && path !~ '^/usr'", "swap"]) {
		const want = json("ordinary", "map", "4711", "--filter", filter).processes[0].mappings;

		assert.deepEqual(await page.run(type, "mappings", filter), [`${want.length} of ${all} rows`, ""]);
		assert.deepEqual(await page.run(cells, "mappings", "START"), want.map((row) => row.start), filter);
	}
	const [count, error] = await page.run(type, "mappings", "rss >");

	assert.match(error, /a value is missing/);
	assert.match(count, /of/);
	await page.run(type, "mappings", "");
	assert.equal((await page.run(cells, "mappings", "START")).length, all);
}));

test("columns are chosen, rows shown in full, with reasons", () => look(html("machine", "ps"), async (page) => {
	await page.run(press, "processes", "Columns");
	await page.settle();
	const help = await page.eval("document.querySelector('.panel').textContent");

	assert.match(help, /resident, each page divided by its map count/);
	await page.eval("[...document.querySelectorAll('.panel label')].find((node) => " +
		"node.querySelector('b').textContent === 'STATE').querySelector('input').click()");
	assert.ok((await page.run(cells, "processes", "STATE")).includes("S"));
	const absent = await page.eval("document.querySelector('td.absent').title");

	assert.match(absent, /denied|gone|none/);
	await page.eval("document.querySelector('tbody tr[data-at]').click()");
	const panel = await page.eval("document.querySelector('.row-panel').textContent");

	assert.match(panel, /PSS2.151.424.000 \(2\.0G\)/);
}));

test("it is all there for the keyboard", () => look(html("ordinary", "map", "4711"), async (page) => {
	await page.eval("document.querySelector('.scroller').focus()");
	await page.key("ArrowDown");
	await page.key("ArrowDown");
	await page.key("Enter");
	const { mappings } = json("ordinary", "map", "4711").processes[0];

	assert.ok((await page.eval("document.querySelector('.row-panel').textContent")).includes(mappings[2].start));
	assert.match(await page.eval("document.getElementById('status').textContent"), new RegExp(mappings[2].start));
	await page.key("Escape");
	assert.equal(await page.eval("document.querySelector('.row-panel').textContent"), "");
	await page.key("End");
	assert.equal(await page.eval("document.querySelector('tr.active').dataset.at"), String(mappings.length - 1));
	// into the treemap and out again
	await page.eval("document.querySelector('.treemap [tabindex=\"0\"]').focus()");
	const top = await page.eval("document.activeElement.getAttribute('aria-label')");

	await page.key("ArrowRight");
	assert.notEqual(await page.eval("document.activeElement.getAttribute('aria-label')"), top);
	await page.key("ArrowLeft");
	await page.key("Enter");
	assert.equal(await page.eval("document.querySelectorAll('.crumbs button').length"), 1);
	await page.key("Escape");
	assert.equal(await page.eval("document.querySelectorAll('.crumbs button').length"), 0);
}));

test("a treemap's areas are in proportion", () => look(html("ordinary", "map", "4711"), async (page) => {
	const { kinds } = json("ordinary", "map", "4711").processes[0];
	const areas = await page.eval("Object.fromEntries([...document.querySelectorAll('.depth-0')].map((node) => " +
		"[node.getAttribute('aria-label').split(',')[0], (Number(node.firstChild.getAttribute('width')) + 1) * " +
		"(Number(node.firstChild.getAttribute('height')) + 1)]))");
	const largest = kinds.reduce((a, b) => (a.pss > b.pss ? a : b));

	assert.ok(Object.keys(areas).length >= 3);
	for (const [name, area] of Object.entries(areas)) {
		const { pss } = kinds.find((kind) => kind.kind === name);

		assert.ok(Math.abs(area / areas[largest.kind] - pss / largest.pss) < 0.01, name);
	}
}));

test("findings are told in words", () => look(pageOf({ vmview: "1", schema: 1, command: "why", host: {}, complete: true,
	processes: [{ pid: 7, comm: "x", findings: [{ id: "map-count", severity: "problem", bytes: 2097152, title: "<b>near</b>",
		evidence: { mappings: 65000, path: "</ul>" }, advice: ["raise it"] }] }] }), async (page) => {
	const text = await page.eval("document.querySelector('.finding.problem').textContent");

	assert.equal(text, "problem: <b>near</b> (2.0M)mappings: 65\u202f000path: </ul>raise it");
}));

test("what groups hold of groups below is drawn once", () => look(html("cgroup2", "cgroup", "--tree"), async (page) => {
	const { groups } = json("cgroup2", "cgroup", "--tree");
	const all = await page.eval("document.querySelector('.crumbs').textContent");
	const sum = groups.filter((group) => group.current !== null && group.depth === 1)
		.reduce((total, group) => total + group.current, 0);

	assert.ok(sum > 0);
	assert.equal(all, `all ${(sum / 2 ** 20 < 1024 ? `${Math.round(sum / 2 ** 20)}M` : `${(sum / 2 ** 30).toFixed(1)}G`)}`);
}));

test("hostile names are text, wherever they stand", () => look(html("markup", "map", "777"), async (page) => {
	const { mappings, comm } = json("markup", "map", "777").processes[0];
	const shown = await page.run(cells, "mappings", "PATH");

	assert.equal(shown.length, mappings.length);
	mappings.forEach(({ path }, i) => {
		// what is seen is what there is, but for what can not be seen
		const text = shown[i].replace(/\\u([0-9a-f]{4})/g, (all, hex) => String.fromCharCode(parseInt(hex, 16)));

		assert.equal(text, path.replace(/\\u([0-9a-f]{4})/g, (all, hex) => String.fromCharCode(parseInt(hex, 16))));
		assert.doesNotMatch(shown[i], /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/);
	});
	assert.equal(await page.eval("document.title"), `vmview map 777 ${comm}`);
	assert.equal(await page.eval("document.querySelectorAll('script').length"), 1);
	assert.equal(await page.eval("document.querySelectorAll('img, iframe, object, embed, base, form, svg svg').length"), 0);
	const handlers = await page.eval("[...document.querySelectorAll('*')].flatMap((node) => [...node.attributes])" +
		".filter((one) => one.name.startsWith('on') || /^javascript:/i.test(one.value)).map((one) => one.name)");

	assert.deepEqual(handlers, []);
}));

test("hostile names in a file that somebody else wrote", async () => {
	const names = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\u0000nul", "\u202etxt", "\"'><b>",
		"__proto__", "constructor"];
	const document = { vmview: "1", schema: 1, command: names[0], host: { time: names[1], kernel: names[4] },
		complete: false, missing: { [names[0]]: names[1] }, [names[1]]: names[0],
		processes: names.map((comm, pid) => ({ pid, comm, user: names[(pid + 1) % names.length], rss: 4096 * pid + 1,
			[names[0]]: comm, missing: {} })) };

	await look(pageOf(document), async (page) => {
		assert.equal(await page.eval("document.querySelectorAll('img, b:not(.panel b), script + script').length"), 0);
		assert.equal((await page.eval("[...document.querySelectorAll('.section')].find((node) => " +
			"node.querySelector('h2').textContent === 'processes').querySelectorAll('tr[data-at]').length")),
		names.length);
	});
	for (const wrong of [[], 5, null, { command: "map" }, { command: "map", processes: 7, host: [] },
		{ command: "ps", processes: [null, 1, "x", {}] }, { command: "system", map: { cells: "ab", legend: {} } }])
		await look(pageOf(wrong), async (page) => {
			assert.ok((await page.eval("document.getElementById('main').textContent")).length > 0);
		});
});

// The names and roles that a screen reader gets.
test("everything that can be used has a name", () => look(html("machine", "ps"), async (page) => {
	await page.send("Accessibility.enable");
	const { nodes } = await page.send("Accessibility.getFullAXTree");
	const used = nodes.filter((node) => !node.ignored && ["button", "textbox", "searchbox", "combobox", "checkbox", "link",
		"grid", "img", "image"].includes(node.role?.value));

	assert.ok(used.length > 20);
	assert.deepEqual(used.filter((node) => !node.name?.value).map((node) => node.role.value), []);
	assert.equal(await page.eval("document.documentElement.lang"), "en");
	assert.equal(await page.eval("document.querySelectorAll('h1').length"), 1);
}));

const SIZES = [[360, 740], [768, 1024], [1280, 900], [2560, 1300]];

for (const [width, height] of SIZES)
	for (const dark of [false, true])
		test(`${width} pixels wide, ${dark ? "dark" : "light"}`, () => look(html("machine", "ps"), async (page) => {
			assert.ok(await page.eval("document.documentElement.scrollWidth <= innerWidth"));
			const colour = await page.eval("getComputedStyle(document.body).backgroundColor");

			assert.equal(colour, dark ? "rgb(15, 19, 24)" : "rgb(255, 255, 255)");
			// 24 pixels to hit: of a box that is ticked its label is
			const small = await page.eval("[...document.querySelectorAll('button, select, input, summary')]" +
				".map((node) => node.type === 'checkbox' ? node.closest('label') : node)" +
				".filter((node) => node.checkVisibility() && node.getBoundingClientRect().height < 24)" +
				".map((node) => node.outerHTML.slice(0, 80))");

			assert.deepEqual(small, []);
		}, { width, height, dark }));

test("printed it has all rows and no tools", () => look(html("ordinary", "map", "4711"), async (page) => {
	assert.equal(await page.eval("getComputedStyle(document.querySelector('.tools')).display"), "none");
	assert.equal(await page.eval("getComputedStyle(document.querySelector('.scroller')).overflow"), "visible");
	const { data } = await page.send("Page.printToPDF");

	assert.ok(Buffer.from(data, "base64").length > 10000);
}, { media: "print" }));

test("the viewer alone opens one file, two as a difference, more as lines", async () => {
	const viewer = save(vmview("--html-viewer"), "viewer.html");
	const document = json("machine", "ps");
	const files = [0, 1, 2].map((i) => {
		const copy = structuredClone(document);

		copy.host.time = `2026-11-22T12:00:0${i}Z`;
		copy.processes[0].rss += i * 1048576;
		copy.processes[0].pss += i * 1048576;
		copy.total.rss += i * 1048576;
		if (i === 1)
			copy.processes.pop();
		return save(JSON.stringify(copy), `file-${i}.json`);
	});

	assert.ok(statSync(viewer).size < LIMIT_BYTES, `${statSync(viewer).size} bytes`);
	for (const [count, parts] of [[1, ["processes by size", "processes"]],
		[2, ["what grew and shrank: pss of processes", "processes"]], [3, ["over time", "processes"]]]) {
		const page = await browser.open(viewer);

		await page.choose("input[type=file]", files.slice(0, count));
		await page.eval("new Promise((done) => { const wait = () => document.querySelector('h2') ? done() : " +
			"setTimeout(wait, 20); wait(); })");
		await page.settle();
		const found = await page.run(titles);

		for (const part of parts)
			assert.ok(found.includes(part), `${part} is not in ${found.join(", ")}`);
		if (count === 2)
			assert.deepEqual((await page.run(cells, "processes", "change")).filter((one) => one !== "same").sort(),
				["gone", "grown"]);
		assert.deepEqual(page.said, []);
		await page.close();
	}
	const page = await browser.open(viewer);

	await page.choose("input[type=file]", [save("{\"command\": \"map\", \"proc", "cut.json")]);
	await page.eval("new Promise((done) => { const wait = () => document.querySelector('[role=alert]') ? done() : " +
		"setTimeout(wait, 20); wait(); })");
	assert.match(await page.eval("document.querySelector('[role=alert]').textContent"), /cut\.json: no JSON, or cut short/);
	await page.close();
});

test("a page that was cut short says so", async () => {
	const whole = vmview("map", "--root", "tests/trees/ordinary", "--html", "4711");

	await look(save(whole.slice(0, whole.indexOf("vmview-columns"))), async (page) => {
		assert.match(await page.eval("document.getElementById('main').textContent"), /the page is cut short/);
	});
});

test("nothing can be loaded or run but what the page came with", async () => {
	const page = await browser.open(html("ordinary", "map", "4711"));

	await page.eval("(() => { const node = document.createElement('script'); node.textContent = 'window.ran = 1'; " +
		"document.body.append(node); const image = new Image(); image.src = 'http://127.0.0.1:9/x'; " +
		"document.body.append(image); document.body.insertAdjacentHTML('beforeend', '<p onclick=\"window.ran=1\">'); " +
		"document.body.lastChild.click(); })()");
	await page.settle();
	assert.equal(await page.eval("window.ran"), undefined);
	assert.ok(page.said.filter((text) => text.includes("Content Security Policy")).length >= 3);
	assert.deepEqual(page.urls.filter((url) => url.startsWith("http")), []);
	assert.deepEqual(page.refused, ["http://127.0.0.1:9/x"]);
	await page.close();
});

// CPU time of the page's thread so far, in ms: a busy machine spoils it less than the clock.
async function cpuTime(page) {
	const { metrics } = await page.send("Performance.getMetrics");

	return metrics.find((one) => one.name === "TaskDuration").value * 1000;
}

async function costs(page, fn) {
	const begin = await cpuTime(page);

	await fn();
	return await cpuTime(page) - begin;
}

// Every load has a process of its own, whose time begins at 0; the better of two.
async function opens(page, url) {
	let best = Infinity;

	await page.send("Performance.enable", { timeDomain: "threadTicks" });
	for (let i = 0; i < 2; i++) {
		await page.go(url);
		best = Math.min(best, await cpuTime(page));
	}
	return best;
}

test("60,000 mappings open in two seconds and scroll", async (t) => {
	const path = await withProcess("bench/manyvmas", ["60000"], (pid) =>
		save(vmview("map", "--pace", "fast", "--html", String(pid))));
	const page = await browser.open(path);
	const open = await opens(page, pathToFileURL(path).href);

	assert.match(await page.eval("[...document.querySelectorAll('.count')].map((node) => node.textContent).join()"),
		/60.\d\d\d rows/);
	const frames = 40;
	const scroll = await costs(page, () => page.eval(`(async () => {
		const node = document.querySelector(".scroller.tall");

		for (let i = 0; i < ${frames}; i++) {
			node.scrollTop += 120;
			await new Promise((done) => requestAnimationFrame(done));
		}
	})()`)) / frames;
	const sort = await costs(page, () => page.run(press, "mappings", "RSS"));

	t.diagnostic(`opened in ${open.toFixed(0)} ms of CPU time, a frame of scrolling ${scroll.toFixed(1)} ms, ` +
		`sorted in ${sort.toFixed(0)} ms; ${(statSync(path).size / 1e6).toFixed(1)} MB`);
	assert.ok(open < OPEN_MS, `opened in ${open} ms`);
	assert.ok(scroll < FRAME_MS, `a frame takes ${scroll} ms`);
	assert.ok(await page.eval("document.querySelectorAll('tr').length") < 400);
	assert.deepEqual(page.said, []);
	await page.close();
});

// VMVIEW_UPDATE=1 makes the pictures of the README.
if (process.env.VMVIEW_UPDATE)
	test("pictures of the README", async () => {
		for (const [name, path, dark] of [["map", html("ordinary", "map", "4711"), false],
			["system", html("machine", "system", "--map"), true]])
			await look(path, async (page) => {
				writeFileSync(join(TOP, `doc/html-${name}.png`), await page.screenshot());
			}, { width: 1000, height: 900, dark });
	});
