// SPDX-License-Identifier: GPL-2.0-or-later
// Pages to look at: those that vmview writes, and those that are made of a document of a test's own.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const TOP = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const BUILD = process.env.BUILDDIR ?? join(TOP, "build");
const VMVIEW = process.env.VMVIEW ?? join(BUILD, "vmview");

export const dir = mkdtempSync(join(tmpdir(), "vmview-html-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));

let pages = 0;

export function save(text, name = `page-${++pages}.html`) {
	const path = join(dir, name);

	writeFileSync(path, text);
	return path;
}

// What vmview prints; a partial result is one too.
export function vmview(...args) {
	const options = { cwd: TOP, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "ignore"] };

	try {
		return execFileSync(VMVIEW, args, options);
	} catch (error) {
		if (error.status !== 1)
			throw error;
		return error.stdout;
	}
}

const tree = (name) => join("tests/trees", name);

export const html = (name, ...args) => save(vmview(...args, "--root", tree(name), "--html"));
export const json = (name, ...args) => JSON.parse(vmview(...args, "--root", tree(name), "--json"));

let viewer;

// The viewer with a document in it, as a program that is not vmview might have made it.
export function pageOf(document) {
	const slot = 'id="vmview-document">\n';

	viewer ??= vmview("--html-viewer");
	const at = viewer.indexOf(slot) + slot.length;

	return save(viewer.slice(0, at) + JSON.stringify(document).replaceAll("<", "\\u003c") + viewer.slice(at));
}

// A process of the bench; fn gets its id while it runs.
export async function withProcess(program, args, fn) {
	const child = spawn(join(BUILD, program), args, { stdio: ["pipe", "pipe", "inherit"] });

	try {
		await new Promise((resolve, reject) => {
			child.stdout.once("data", resolve);
			child.once("exit", (status) => reject(new Error(`${program}: ended with ${status}`)));
		});
		return await fn(child.pid);
	} finally {
		child.kill("SIGKILL");
	}
}

export const read = (path) => readFileSync(join(TOP, path), "utf8");
