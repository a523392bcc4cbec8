// SPDX-License-Identifier: GPL-2.0-or-later
// Where the rectangles of a treemap are: squarified (Bruls, Huizing, van Wijk 2000).

function worst(row, sum, side, scale) {
	const area = sum * scale, max = row[0] * scale, min = row[row.length - 1] * scale;

	return Math.max(side * side * max / (area * area), area * area / (side * side * min));
}

// sizes in falling order, none of them 0; a rectangle { x, y, width, height } for each.
export function squarify(sizes, box) {
	const rectangles = [];
	let { x, y, width, height } = box;
	let left = sizes.reduce((sum, size) => sum + size, 0);
	let from = 0;

	while (from < sizes.length) {
		const side = Math.min(width, height), scale = left > 0 ? width * height / left : 0;
		const row = [sizes[from]];
		let sum = sizes[from], to = from + 1;

		for (; to < sizes.length; to++) {
			const grown = [...row, sizes[to]];

			if (worst(grown, sum + sizes[to], side, scale) > worst(row, sum, side, scale))
				break;
			row.push(sizes[to]);
			sum += sizes[to];
		}
		const thick = side > 0 ? sum * scale / side : 0, tall = width < height;
		let at = tall ? x : y;

		for (const size of row) {
			const long = thick > 0 ? size * scale / thick : 0;

			rectangles.push(tall ? { x: at, y, width: long, height: thick } :
				{ x, y: at, width: thick, height: long });
			at += long;
		}
		if (tall) {
			y += thick;
			height -= thick;
		} else {
			x += thick;
			width -= thick;
		}
		left -= sum;
		from = to;
	}
	return rectangles;
}

// A part of a tree: its rows, what they add up to, and once grow() was asked, the parts it falls into.
class Node {
	constructor(name, level) {
		this.name = name;
		this.level = level;
		this.size = 0;
		this.rows = [];
		this.children = undefined;
	}

	add(row, bytes) {
		this.size += bytes;
		this.rows.push(row);
	}
}

// levels: functions of a row to the name it has at each depth (undefined: a path that ends before);
// size: of a row to its bytes. Nothing below the top is made before it is looked at.
export class Tree {
	constructor(count, levels, size) {
		this.levels = levels;
		this.size = size;
		this.root = new Node("", 0);
		for (let row = 0; row < count; row++) {
			const bytes = size(row);

			if (bytes > 0)
				this.root.add(row, bytes);
		}
	}

	// The parts of a node, the largest first; none where it is a single row or there is no more level.
	grow(node) {
		if (node.children)
			return node.children;
		const level = this.levels[node.level], parts = new Map();

		for (const row of level ? node.rows : []) {
			const name = level(row);

			if (name === undefined)
				continue;
			if (!parts.has(name))
				parts.set(name, new Node(name, node.level + 1));
			parts.get(name).add(row, this.size(row));
		}
		node.children = [...parts.values()].sort((a, b) => b.size - a.size);
		return node.children;
	}
}

const HEAD = 18, PAD = 2, SMALLEST = 12;

// All rectangles that are big enough to be seen, outer ones first: { node, depth, x, y, width, height }.
export function layoutTree(tree, root, box, depthMax) {
	const out = [];

	function place(node, inner, depth) {
		// what is too small for a pixel is not laid out
		const least = SMALLEST * node.size / Math.max(1, inner.width * inner.height);
		const seen = tree.grow(node).filter((child) => child.size >= least);

		squarify(seen.map((child) => child.size), shrink(inner, seen, node)).forEach((at, i) => {
			const child = seen[i], place_ = { node: child, parent: node, depth, ...at };

			out.push(place_);
			if (depth + 1 >= depthMax)
				return;
			if (!tree.grow(child).length)
				return;
			const head = at.height > 2 * HEAD && at.width > 40 ? HEAD : 0;
			const within = { x: at.x + PAD, y: at.y + PAD + head, width: at.width - 2 * PAD,
				height: at.height - 2 * PAD - head };

			place_.head = head;
			if (within.width > 4 && within.height > 4)
				place(child, within, depth + 1);
		});
	}
	place(root, box, 0);
	return out;
}

// The part of a box that those that are seen take; what is left is the small rest.
function shrink(box, seen, node) {
	const share = node.size > 0 ? seen.reduce((sum, child) => sum + child.size, 0) / node.size : 0;

	return box.width > box.height ? { ...box, width: box.width * share } :
		{ ...box, height: box.height * share };
}
