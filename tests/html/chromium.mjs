// SPDX-License-Identifier: GPL-2.0-or-later
// A headless Chromium that tests drive through its pipe: what it draws, says on its console and asks of
// the network.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];
const ANSWER_MS = 60000;

export function findChromium() {
	return PROGRAMS.find((name) => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0);
}

export class Browser {
	static async start(program) {
		const browser = new Browser();

		browser.dir = mkdtempSync(join(tmpdir(), "vmview-chromium-"));
		browser.process = spawn(program, ["--headless=new", "--no-sandbox", "--disable-gpu",
			"--remote-debugging-pipe", "--no-first-run", "--disable-background-networking",
			"--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
			`--user-data-dir=${browser.dir}`, "about:blank"],
		{ stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
		browser.next = 1;
		browser.waiting = new Map();
		browser.listeners = new Set();
		browser.text = "";
		browser.process.stdio[4].setEncoding("utf8");
		browser.process.stdio[4].on("data", (data) => browser.take(data));
		return browser;
	}

	// Messages end in NUL.
	take(data) {
		const parts = (this.text + data).split("\0");

		this.text = parts.pop();
		for (const part of parts) {
			const message = JSON.parse(part), waiting = this.waiting.get(message.id);

			this.waiting.delete(message.id);
			if (waiting && message.error)
				waiting.reject(new Error(message.error.message));
			else if (waiting)
				waiting.resolve(message.result);
			else
				this.listeners.forEach((listener) => listener(message));
		}
	}

	send(method, params = {}, sessionId = undefined) {
		const id = this.next++;
		const answer = new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS);

			this.waiting.set(id, { resolve: (result) => (clearTimeout(timer), resolve(result)),
				reject: (error) => (clearTimeout(timer), reject(error)) });
		});

		this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
		return answer;
	}

	async close() {
		const ended = new Promise((resolve) => this.process.on("exit", resolve));

		this.send("Browser.close").catch(() => {});
		const timer = setTimeout(() => this.process.kill("SIGKILL"), 5000);

		await ended;
		clearTimeout(timer);
		rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
	}

	// Open a file. size: { width, height, dark, print }
	async open(path, size = {}) {
		const page = new Page(this);

		await page.start(size);
		await page.go(pathToFileURL(path).href);
		return page;
	}
}

export class Page {
	constructor(browser) {
		this.browser = browser;
		this.said = [];		// on the console, thrown, or refused by the policy
		this.requests = new Map();	// addresses, by id; without those that the policy refused
		this.refused = [];
	}

	async start({ width = 1280, height = 900, dark = false, media = "" }) {
		const { targetId } = await this.browser.send("Target.createTarget", { url: "about:blank" });
		const { sessionId } = await this.browser.send("Target.attachToTarget",
			{ targetId, flatten: true });

		this.targetId = targetId;
		this.sessionId = sessionId;
		this.listener = (message) => message.sessionId === sessionId && this.hear(message);
		this.browser.listeners.add(this.listener);
		for (const domain of ["Page", "Runtime", "Log", "Network"])
			await this.send(`${domain}.enable`);
		await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1,
			mobile: width < 600 });
		await this.send("Emulation.setEmulatedMedia", { media, features: [
			{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
	}

	send(method, params) {
		return this.browser.send(method, params, this.sessionId);
	}

	hear({ method, params }) {
		if (method === "Runtime.consoleAPICalled")
			this.said.push(params.args.map((arg) => arg.value ?? arg.description).join(" "));
		else if (method === "Runtime.exceptionThrown")
			this.said.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
		else if (method === "Log.entryAdded")
			this.said.push(params.entry.text);
		else if (method === "Network.requestWillBeSent")
			this.requests.set(params.requestId, params.request.url);
		else if (method === "Network.loadingFailed" && params.blockedReason === "csp")
			this.refuse(params.requestId);
		else if (method === "Page.loadEventFired")
			this.loaded?.();
		else if (method === "Page.javascriptDialogOpening")
			this.said.push(`dialog: ${params.message}`);
	}

	refuse(id) {
		this.refused.push(this.requests.get(id));
		this.requests.delete(id);
	}

	// What was asked for, but for what is in the page itself.
	get urls() {
		return [...this.requests.values()].filter((url) => !url.startsWith("data:") && url !== "about:blank");
	}

	async go(url) {
		const loaded = new Promise((resolve) => {
			this.loaded = resolve;
		});

		await this.send("Page.navigate", { url });
		await loaded;
		await this.settle();
	}

	// Two frames: what was drawn for the width is drawn.
	settle() {
		return this.eval("new Promise((done) => requestAnimationFrame(() => " +
			"requestAnimationFrame(() => setTimeout(() => done(true), 30))))");
	}

	// The value of an expression, or what a function returns that is given as text.
	async eval(expression) {
		const { result, exceptionDetails } = await this.send("Runtime.evaluate",
			{ expression, awaitPromise: true, returnByValue: true });

		if (exceptionDetails)
			throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
		return result.value;
	}

	run(fn, ...args) {
		return this.eval(`(${fn})(...${JSON.stringify(args)})`);
	}

	async key(key, modifiers = 0) {
		const text = key.length === 1 ? key : key === "Enter" ? "\r" : undefined;
		const code = { Enter: 13, Tab: 9, Escape: 27, ArrowDown: 40, ArrowUp: 38, ArrowLeft: 37,
			ArrowRight: 39, End: 35, Home: 36, PageDown: 34, PageUp: 33 }[key];

		await this.send("Input.dispatchKeyEvent", { type: "keyDown", key, text, modifiers,
			windowsVirtualKeyCode: code });
		await this.send("Input.dispatchKeyEvent", { type: "keyUp", key, modifiers,
			windowsVirtualKeyCode: code });
	}

	async screenshot(full = false) {
		const { data } = await this.send("Page.captureScreenshot", { format: "png",
			captureBeyondViewport: full });

		return Buffer.from(data, "base64");
	}

	// Files in an input, as if they were chosen.
	async choose(selector, files) {
		const { root } = await this.send("DOM.getDocument");
		const { nodeId } = await this.send("DOM.querySelector", { nodeId: root.nodeId, selector });

		await this.send("DOM.setFileInputFiles", { nodeId, files });
	}

	async close() {
		this.browser.listeners.delete(this.listener);
		await this.browser.send("Target.closeTarget", { targetId: this.targetId });
	}
}
