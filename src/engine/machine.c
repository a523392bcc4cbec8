/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/search.h"
#include "engine/context.h"
#include "source/caps.h"
#include "source/meminfo.h"

enum {
	CHUNK = 16384, /* words that are read at once: 128 KiB stay in the cache */
	PIECES_PER_WORKER = 2,
};

#define PIECE_BYTES (1ull << 30)
#define FRAMES_END (1ull << 40)
#define RECORDED_END (1ull << 28) /* what a recording may claim to have: time is bounded by it */
#define BLOCKS_MAX (1u << 20)

/* What each thread has for itself. */
struct machine_worker {
	struct meter meter;
	struct words flags, owners;
	struct census census;
	struct frame_owners cgroups;
	uint64_t unread;
	uint64_t *buffer, *owner_buffer;
};

/* A mount of /proc may show processes alone; every kernel has this. */
static bool has_machine(const struct root *root)
{
	int fd = root_openat(root, O_PATH, NULL, "proc/version");

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

const char *machine_reason(const struct root *root, int rc)
{
	if (rc == -ENOENT && !root->recorded && !has_machine(root))
		return "unsupported: this /proc shows no files of the machine (subset=pid?)";
	if (rc == -ENOENT && !root->recorded)
		return "unsupported: not in this kernel";
	return rc ? root_reason(root, rc, "denied: needs root or CAP_DAC_READ_SEARCH") : NULL;
}

static const char *open_words(struct words *words, const struct root *root, const char *path)
{
	return machine_reason(root, words_open(words, root, path, NULL));
}

/* The file has no size to ask for: how many words there are is found by halving. */
static uint64_t words_end(const struct words *words)
{
	uint64_t word;

	if (words->recorded)
		return words->runs.end;
	return SEARCH(i, 0, FRAMES_END, words_read(words, i, &word, 1) == 1);
}

static int compare_cuts(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Without memory blocks and zones nothing tells holes: then all of it is taken for memory. */
static bool is_memory(struct machine *machine, uint64_t pfn)
{
	const struct memmap *map = &machine->map;

	return (!map->block_frames && !map->zone_count) || memmap_is_memory(&machine->map, pfn);
}

/* Where the memory map may change: at zones' ends and between blocks. Returns how many; 0 is one. */
static size_t make_cuts(struct machine *machine, uint64_t **out)
{
	const struct memmap *map = &machine->map;
	uint64_t step = map->block_frames;
	size_t most = 2 + 2 * map->zone_count + (step ? (size_t)(machine->end / step) + 1 : 0);
	uint64_t *cuts = mem_alloc(most * sizeof(*cuts));
	bool memory = false;
	size_t count = 0;

	cuts[count++] = 0;
	cuts[count++] = machine->end;
	for (size_t i = 0; i < map->zone_count; i++) {
		uint64_t start = map->zones[i].start_pfn, end = start + map->zones[i].spanned;

		if (start < machine->end)
			cuts[count++] = start;
		if (end < machine->end)
			cuts[count++] = end;
	}
	for (uint64_t pfn = 0; step && pfn < machine->end; pfn += step) {
		bool now = is_memory(machine, pfn);

		if (now != memory)
			cuts[count++] = pfn;
		memory = now;
	}
	qsort(cuts, count, sizeof(*cuts), compare_cuts);
	*out = cuts;
	return count;
}

static size_t zone_of(struct machine *machine, uint64_t pfn)
{
	const struct memmap_zone *zone = memmap_zone(&machine->map, pfn);

	return zone ? (size_t)(zone - machine->map.zones) : machine->map.zone_count;
}

static void add_pieces(struct machine *machine, uint64_t start, uint64_t end, size_t *cap)
{
	uint64_t size = PIECE_BYTES / machine->page_size;
	size_t zone = zone_of(machine, start);

	while (start < end) {
		uint64_t next = (start / size + 1) * size;

		if (next > end)
			next = end;
		machine->pieces = mem_room(machine->pieces, machine->piece_count, cap,
					   sizeof(machine->pieces[0]));
		machine->pieces[machine->piece_count++] =
			(struct machine_piece){ start, next, zone };
		start = next;
	}
}

static void make_pieces(struct machine *machine)
{
	uint64_t *cuts, holes = 0;
	size_t count = make_cuts(machine, &cuts), cap = 0;

	for (size_t i = 0; i + 1 < count; i++) {
		if (cuts[i] == cuts[i + 1])
			continue;
		if (is_memory(machine, cuts[i])) {
			add_pieces(machine, cuts[i], cuts[i + 1], &cap);
			continue;
		}
		census_add_holes(&machine->census, cuts[i], cuts[i + 1] - cuts[i]);
		holes += cuts[i + 1] - cuts[i];
	}
	frame_sums_add_class(&machine->sums, FRAME_HOLE, holes);
	free(cuts);
}

static void read_chunk(struct machine *machine, struct machine_worker *worker,
		       const struct machine_piece *piece, uint64_t pfn, size_t count)
{
	ssize_t have = words_read(&worker->flags, pfn, worker->buffer, count);

	if (have < 0)
		have = 0;
	census_add(&worker->census, piece->zone, pfn, worker->buffer, (size_t)have);
	worker->unread += count - (size_t)have;
	if (!worker->owner_buffer || !have)
		return;
	memset(worker->owner_buffer, 0, (size_t)have * sizeof(worker->owner_buffer[0]));
	words_read(&worker->owners, pfn, worker->owner_buffer, (size_t)have);
	frame_owners_add_words(&worker->cgroups, worker->buffer, worker->owner_buffer,
			       (size_t)have);
	(void)machine;
}

static void read_piece(void *ctx, unsigned number, size_t index)
{
	struct machine *machine = ctx;
	struct machine_worker *worker = &machine->workers[number];
	const struct machine_piece *piece = &machine->pieces[index];

	for (uint64_t pfn = piece->start; pfn < piece->end; pfn += CHUNK) {
		uint64_t left = piece->end - pfn;

		read_chunk(machine, worker, piece, pfn, left < CHUNK ? (size_t)left : CHUNK);
	}
	census_break(&worker->census);
	index = __atomic_add_fetch(&machine->done, 1, __ATOMIC_RELAXED);
	if (!number)
		progress_show(&machine->progress, index, machine->piece_count);
}

static void begin_worker(struct machine *machine, struct machine_worker *worker, bool cgroups)
{
	worker->flags = machine->flags;
	worker->owners = machine->owners;
	worker->flags.meter = worker->owners.meter = &worker->meter;
	census_init(&worker->census, &machine->census.shape);
	frame_owners_init(&worker->cgroups);
	worker->buffer = mem_alloc(CHUNK * sizeof(worker->buffer[0]));
	if (cgroups)
		worker->owner_buffer = mem_alloc(CHUNK * sizeof(worker->owner_buffer[0]));
}

static void end_worker(struct machine *machine, struct machine_worker *worker)
{
	census_merge(&machine->census, &worker->census);
	frame_owners_merge(&machine->cgroups, &worker->cgroups);
	machine->unread += worker->unread;
	meter_add(&machine->ctx->meter, &worker->meter);
	census_fini(&worker->census);
	frame_owners_fini(&worker->cgroups);
	free(worker->buffer);
	free(worker->owner_buffer);
}

static void read_pieces(struct machine *machine, bool cgroups)
{
	unsigned workers = workers_wanted(machine->piece_count, PIECES_PER_WORKER);

	machine->workers = mem_zalloc(workers * sizeof(machine->workers[0]));
	for (unsigned i = 0; i < workers; i++)
		begin_worker(machine, &machine->workers[i], cgroups);
	progress_begin(&machine->progress, machine->ctx->quiet ? NULL : "reading GiB of frames");
	workers_run(workers, machine->piece_count, read_piece, machine);
	progress_end(&machine->progress);
	for (unsigned i = 0; i < workers; i++)
		end_worker(machine, &machine->workers[i]);
	free(machine->workers);
	machine->workers = NULL;
}

/*
 * Memory blocks of which every word is 0, in a zone that does not manage as many frames: memory that
 * is not initialised yet. Nothing else leaves 128 MiB in a row without any flag.
 */
static void find_uninitialised(struct machine *machine, size_t zone)
{
	const struct memmap_zone *info = &machine->map.zones[zone];
	uint64_t unmanaged = info->present > info->managed ? info->present - info->managed : 0;
	uint64_t empty = 0;

	for (size_t i = 0; i < machine->piece_count; i++)
		if (machine->pieces[i].zone == zone)
			empty += census_empty(&machine->census, machine->pieces[i].start,
					      machine->pieces[i].end);
	if (!empty || empty > unmanaged)
		return;
	frame_sums_move(&machine->zones[zone], FRAME_KERNEL, FRAME_UNINITIALISED, empty);
	for (size_t i = 0; i < machine->piece_count; i++)
		if (machine->pieces[i].zone == zone)
			census_set_empty(&machine->census, machine->pieces[i].start,
					 machine->pieces[i].end, FRAME_UNINITIALISED);
}

/* What is not initialised is charged to nobody, and no memory that anybody could have yet. */
static void drop_uninitialised(struct machine *machine)
{
	uint64_t frames = machine->sums.class[FRAME_UNINITIALISED];

	for (size_t i = 0; i < machine->cgroups.count; i++) {
		struct frame_owner *owner = &machine->cgroups.list[i];

		if (!owner->owner && owner->frames[FRAME_KERNEL] >= frames)
			owner->frames[FRAME_KERNEL] -= frames;
	}
}

static void add_up(struct machine *machine)
{
	size_t zones = machine->map.zone_count;
	uint64_t free_huge = 0;

	machine->zones =
		arena_zalloc(&machine->ctx->arena, (zones + 1) * sizeof(machine->zones[0]));
	for (size_t i = 0; i <= zones; i++) {
		frame_sums_add_words(&machine->zones[i], &machine->census.zones[i],
				     machine->unevictable);
		if (i < zones)
			find_uninitialised(machine, i);
		frame_sums_merge(&machine->sums, &machine->zones[i]);
	}
	for (size_t i = 0; i < machine->pool_count; i++)
		free_huge += machine->pools[i].free * (machine->pools[i].size / machine->page_size);
	frame_sums_move(&machine->sums, FRAME_HUGETLB, FRAME_HUGETLB_FREE, free_huge);
	drop_uninitialised(machine);
}

/* A cell is a power of two of pageblocks. */
static uint64_t cell_frames(const struct machine *machine, uint64_t cells)
{
	uint64_t block = 0;

	if (!cells)
		return 0;
	if (root_read_u64(&machine->ctx->root, 10, &block,
			  "sys/kernel/mm/transparent_hugepage/hpage_pmd_size") ||
	    block < machine->page_size || block > PIECE_BYTES)
		block = machine->page_size << 9;
	for (block /= machine->page_size; machine->end / block > cells; block *= 2)
		;
	return block;
}

static void read_frames(struct machine *machine, const struct machine_wants *wants)
{
	struct census_shape shape;
	uint64_t begin = meter_now();

	machine->end = words_end(&machine->flags);
	if (machine->flags.recorded && machine->end > RECORDED_END) {
		machine->unread = machine->end - RECORDED_END;
		machine->end = RECORDED_END;
	}
	if (machine->map.block_frames && machine->end / machine->map.block_frames > BLOCKS_MAX)
		machine->map.block_frames = 0;
	shape = (struct census_shape){
		.zones = machine->map.zone_count,
		.end = machine->end,
		.block_frames = machine->map.block_frames,
		.cell_frames = cell_frames(machine, wants->cells),
		.pageblock_frames = wants->pageblock_frames,
		.unevictable = machine->unevictable,
	};
	census_init(&machine->census, &shape);
	make_pieces(machine);
	read_pieces(machine, wants->cgroups && !machine->cgroups_reason);
	add_up(machine);
	machine->span_ns = meter_now() - begin;
}

/* A recording may have those of its processes alone, which are not the machine's. */
static bool some_frames(const struct root *root)
{
	struct caps caps;

	if (!root->recorded || root->core)
		return false;
	caps_probe(&caps, root, 0);
	return caps.some_frames;
}

void machine_read(struct machine *machine, struct context *ctx, const struct machine_wants *wants)
{
	const struct root *root = &ctx->root;
	uint64_t number;
	int rc;

	*machine = (struct machine){ .ctx = ctx, .page_size = ctx->host.page_size };
	frame_owners_init(&machine->cgroups);
	machine->flags = machine->owners = WORDS_CLOSED;
	memmap_init(&machine->map, root, machine->page_size, &ctx->arena);
	/* all of it is needed: blocks and zones are read at the first question */
	memmap_block_frames(&machine->map);
	memmap_zone(&machine->map, 0);
	machine->unevictable =
		root_read_u64(root, 10, &number, "proc/sys/vm/compact_unevictable_allowed") == 0 &&
		number;
	machine->pool_count = hugetlb_pools_read(root, &ctx->arena, &machine->pools);
	machine->flags_reason = some_frames(root) ?
					"not recorded: only the frames of some processes" :
					open_words(&machine->flags, root, "proc/kpageflags");
	if (wants->cgroups)
		machine->cgroups_reason = open_words(&machine->owners, root, "proc/kpagecgroup");
	rc = meminfo_read(root, &ctx->arena, &machine->before, NULL);
	if (rc)
		machine->meminfo_reason = root_reason(root, rc, NULL);
	if (!machine->flags_reason)
		read_frames(machine, wants);
	machine->after = machine->before;
	if (!rc && !root->recorded)
		meminfo_read(root, &ctx->arena, &machine->after, NULL);
	words_close(&machine->flags);
	words_close(&machine->owners);
}

void machine_fini(struct machine *machine)
{
	census_fini(&machine->census);
	frame_owners_fini(&machine->cgroups);
	free(machine->pieces);
}
