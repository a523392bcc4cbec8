/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page faults are taken while the interval lasts, and joined with what the pages were before. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/memory.h"
#include "cmd/faults/faults.h"
#include "engine/context.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/meter.h"
#include "source/smaps.h"
#include "source/swaps.h"
#include "source/thp.h"
#include "source/vmstat.h"

enum { WAIT_MS = 20 };

/* An interval that is being taken. */
struct taking {
	struct faults_run *run;
	struct visit *visit;
	struct fault_source *source;
	bool has_swap;
	uint64_t swapped_before; /* pages, by vmstat */
	struct pending_place *order; /* of pending pages, by address */
	size_t next;
};

struct pending_place {
	uint64_t addr;
	size_t index;
};

static void take_event(void *ctx, const struct fault_event *event)
{
	struct taking *taking = ctx;

	fault_study_add(&taking->run->study, event);
}

static int see_pages(void *ctx, const struct page_batch *batch)
{
	struct taking *taking = ctx;
	bool recorded = taking->run->ctx->root.recorded;

	for (size_t i = 0; i < batch->count; i++)
		fault_pages_see(&taking->run->study.pages, &batch->spans[i], batch->zero_pfn,
				recorded ? 0 : meter_now());
	fault_source_gather(taking->source);
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct pending_place *a = left, *b = right;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/* Pages come by address, as those that are waited for do. */
static int settle_pages(void *ctx, const struct page_batch *batch)
{
	struct taking *taking = ctx;
	struct fault_study *study = &taking->run->study;
	uint64_t page_size = study->pages.page_size;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];

		for (; taking->next < study->pending_count; taking->next++) {
			const struct pending_place *place = &taking->order[taking->next];
			uint64_t page = place->addr / page_size * page_size;

			if (page >= span->start + span->pages * page_size)
				break;
			if (page < span->start)
				fault_study_settle(study, place->index, NULL, 0, 0);
			else
				fault_study_settle(study, place->index, span,
						   (page - span->start) / page_size,
						   batch->zero_pfn);
		}
	}
	return 0;
}

/* Ranges of the pages that are waited for. */
static size_t list_ranges(const struct taking *taking, struct walk_vma *ranges)
{
	const struct fault_study *study = &taking->run->study;
	uint64_t page_size = study->pages.page_size;
	size_t count = 0;

	for (size_t i = 0; i < study->pending_count; i++) {
		uint64_t start = taking->order[i].addr / page_size * page_size;

		if (count && ranges[count - 1].end >= start)
			ranges[count - 1].end = start + page_size;
		else
			ranges[count++] = (struct walk_vma){ start, start + page_size, 0 };
	}
	return count;
}

/* Look at the pages whose faults need it. */
static void settle(struct taking *taking)
{
	struct fault_study *study = &taking->run->study;
	size_t count = study->pending_count;
	struct walk_vma *ranges;

	if (!count)
		return;
	ranges = mem_alloc(count * sizeof(*ranges));
	taking->order = mem_alloc(count * sizeof(*taking->order));
	taking->next = 0;
	for (size_t i = 0; i < count; i++)
		taking->order[i] = (struct pending_place){ study->pending[i].addr, i };
	qsort(taking->order, count, sizeof(*taking->order), compare);
	if (!taking->visit->walk_reason && !taking->run->ctx->root.recorded)
		pagewalk_run(&taking->visit->walk, ranges, list_ranges(taking, ranges),
			     settle_pages, taking);
	for (; taking->next < count; taking->next++)
		fault_study_settle(study, taking->order[taking->next].index, NULL, 0, 0);
	fault_study_settled(study);
	free(taking->order);
	free(ranges);
}

static uint64_t swapped_out(struct taking *taking)
{
	struct context *ctx = taking->run->ctx;
	struct arena arena;
	struct bytes text;
	uint64_t pages = 0;

	arena_init(&arena);
	if (root_read(&ctx->root, &arena, &text, NULL, "proc/vmstat") == 0)
		vmstat_find(text, BYTES("pswpout"), &pages);
	arena_fini(&arena);
	return pages;
}

static void take(struct taking *taking)
{
	struct fault_pages *pages = &taking->run->study.pages;

	if (taking->has_swap && !pages->swapping)
		pages->swapping = swapped_out(taking) != taking->swapped_before;
	fault_source_take(taking->source, take_event, taking);
	settle(taking);
}

/* False where the process ended. */
static bool watch(struct taking *taking, uint64_t deadline)
{
	for (uint64_t now = meter_now(); now < deadline; now = meter_now()) {
		uint64_t left = (deadline - now) / 1000000 + 1;

		fault_source_wait(taking->source, left < WAIT_MS ? (int)left : WAIT_MS);
		take(taking);
		if (!facts_is_alive(&taking->visit->leader) && !facts_is_alive(&taking->visit->dir))
			return false;
	}
	return true;
}

static void add_mappings(struct faults_run *run, const struct visit *visit)
{
	struct vma vma;

	for (size_t i = 0; i < visit->vmas.count; i++) {
		vma_store_get(&visit->vmas, i, &vma);
		fault_map_add(&run->study.map, &vma, fault_map_wants_pages(&vma));
		run->size_before += vma_size(&vma);
	}
	run->mappings_before = visit->vmas.count;
}

bool faults_passes(const struct vma *vma)
{
	return !fault_map_wants_pages(vma);
}

/*
 * Does access that mprotect gave back need a fault? Tried on a page of our own. Since Linux 6.1 it does
 * not, but of pages that fork had shared.
 */
static bool mprotect_upgrades(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *page =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rusage before, after;

	if (page == MAP_FAILED)
		return false;
	page[0] = 1;
	mprotect((void *)(uintptr_t)page, size, PROT_READ);
	mprotect((void *)(uintptr_t)page, size, PROT_READ | PROT_WRITE);
	getrusage(RUSAGE_THREAD, &before);
	page[0] = 2;
	getrusage(RUSAGE_THREAD, &after);
	munmap((void *)(uintptr_t)page, size);
	return before.ru_minflt == after.ru_minflt;
}

/* What cannot be told apart on this machine. */
static void learn_machine(struct taking *taking)
{
	struct context *ctx = taking->run->ctx;
	struct fault_pages *pages = &taking->run->study.pages;
	struct swaps swaps;
	uint64_t hinting;

	pages->upgrades = !ctx->root.recorded && !caps_has(&taking->run->caps, CAPS_SOFT_DIRTY) &&
			  mprotect_upgrades();
	pages->blind = taking->visit->walk_reason;
	pages->hinting =
		root_read_u64(&ctx->root, 10, &hinting, "proc/sys/kernel/numa_balancing") == 0 &&
		hinting;
	swaps_load(&ctx->root, &taking->visit->arena, &swaps);
	taking->has_swap = swaps.count && !ctx->root.recorded;
	if (taking->has_swap)
		taking->swapped_before = swapped_out(taking);
}

static int add_size(void *ctx, struct vma *vma)
{
	struct faults_run *run = ctx;

	run->size_after += vma_size(vma);
	run->mappings_after++;
	return 0;
}

static void measure_after(struct taking *taking)
{
	struct smaps_keys keys;
	struct smaps_pass pass;

	smaps_keys_init(&keys);
	smaps_read(&taking->run->later, "maps", &keys, add_size, taking->run, &pass, NULL);
}

static void take_interval(struct taking *taking)
{
	struct faults_run *run = taking->run;
	struct fault_study *study = &run->study;
	uint64_t failed;

	fault_source_facts(taking->source, &run->source);
	learn_machine(taking);
	if (!taking->visit->walk_reason)
		visit_walk(taking->visit, see_pages, taking);
	study->pages.walked = run->ctx->root.recorded ? 0 : meter_now();
	if (!run->ctx->root.recorded)
		run->ended = !watch(taking, run->source.begin + run->options.interval);
	fault_source_stop(taking->source, take_event, taking, &run->counts);
	settle(taking);
	fault_source_facts(taking->source, &run->source);
	run->interval_ns = run->counts.end > run->source.begin ?
				   run->counts.end - run->source.begin :
				   run->counts.end;
	failed = run->counts.faults - run->counts.minor - run->counts.major;
	fault_study_end(study,
			run->counts.complete &&
				run->counts.faults >= run->counts.minor + run->counts.major,
			failed);
	measure_after(taking);
}

static void sleep_interval(struct faults_run *run)
{
	uint64_t begin = meter_now();

	meter_wait_until(begin + run->options.interval);
	run->interval_ns = meter_now() - begin;
}

/* Without events there are the counters of stat. */
static bool count_alone(struct faults_run *run, struct visit *visit)
{
	struct process before, after;

	/* a recording is of one moment */
	if (run->ctx->root.recorded || !facts_now(&visit->leader, &before))
		return false;
	sleep_interval(run);
	if (!facts_now(&visit->leader, &after)) {
		run->ended = true;
		return false;
	}
	run->minor = after.minor_faults - before.minor_faults;
	run->major = after.major_faults - before.major_faults;
	return true;
}

/* Their names now; of one that has ended it is known where an event told it. */
static void name_threads(struct faults_run *run, struct visit *visit)
{
	struct fault_study *study = &run->study;
	struct bytes text;

	for (size_t i = 0; i < study->thread_count; i++) {
		if (procdir_read(&visit->leader, &run->ctx->arena, &text, NULL, "task/%d/comm",
				 study->threads[i].tid) ||
		    !text.len)
			continue;
		text.len -= text.data[text.len - 1] == '\n';
		study->threads[i].name = text;
	}
}

int faults_read(void *ctx, struct visit *visit, struct error *err)
{
	struct faults_run *run = ctx;
	struct taking taking = { .run = run, .visit = visit };
	const struct fault_source_options options = {
		.stacks = run->options.stack || run->options.folded,
		.period = run->options.period,
		.plain = run->options.without,
	};
	struct thp thp;
	int rc;

	visit->begun = true;
	run->pid = visit->dir.pid;
	run->comm = arena_bytes(&run->ctx->arena, visit->process.comm);
	run->later = visit->dir;
	run->later.watch = -1;
	thp_read(&thp, &run->ctx->root, run->caps.page_size, &visit->arena);
	fault_study_init(&run->study, run->caps.page_size,
			 thp.anon.mode == THP_NEVER ? 0 : run->caps.huge_size);
	add_mappings(run, visit);
	rc = fault_source_open(&taking.source, &visit->leader, &options, &run->reason, err);
	if (rc) {
		visit_partial(visit, "faults", run->reason, err);
		run->counted = count_alone(run, visit);
		return 0;
	}
	take_interval(&taking);
	fault_source_close(taking.source);
	name_threads(run, visit);
	faults_name(run);
	run->measured = true;
	return 0;
}
