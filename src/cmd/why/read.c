/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/why/why.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/guess.h"
#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/malloc_reader.h"
#include "engine/reason.h"
#include "source/meminfo.h"
#include "source/open_files.h"
#include "source/task_status.h"
#include "source/taskstat.h"
#include "source/thp.h"

static const char not_in_meminfo[] = "unsupported: not in meminfo";

static struct number known(uint64_t number)
{
	return (struct number){ NULL, number };
}

static struct number absent(const char *reason)
{
	return (struct number){ reason, 0 };
}

static struct number meminfo_number(const struct meminfo *meminfo, const char *key)
{
	uint64_t number;

	return meminfo_find(meminfo, key, &number) ? known(number) : absent(not_in_meminfo);
}

static struct number count_cores(struct why_run *run)
{
	struct number_range *ranges;
	struct bytes text;
	uint64_t count = 0;
	int found;

	if (root_read(&run->ctx->root, &run->ctx->arena, &text, NULL,
		      "sys/devices/system/cpu/online"))
		return absent("not known how many processors there are");
	found = number_list_parse(text, &run->ctx->arena, &ranges);
	for (int i = 0; i < found; i++)
		count += ranges[i].last - ranges[i].first + 1;
	return count ? known(count) : absent("not known how many processors there are");
}

void why_read_machine(struct why_run *run)
{
	struct context *ctx = run->ctx;
	struct meminfo meminfo = { 0 };
	uint64_t limit, runs;
	struct thp *thp = arena_zalloc(&ctx->arena, sizeof(*thp));

	meminfo_read(&ctx->root, &ctx->arena, &meminfo, NULL);
	run->memory = meminfo_number(&meminfo, "MemTotal");
	run->available = meminfo_number(&meminfo, "MemAvailable");
	run->swap_total = meminfo_number(&meminfo, "SwapTotal");
	run->swap_free = meminfo_number(&meminfo, "SwapFree");
	run->map_limit = root_read_u64(&ctx->root, 10, &limit, "proc/sys/vm/max_map_count") ?
				 absent("not known: vm.max_map_count") :
				 known(limit);
	run->cores = count_cores(run);
	thp_read(thp, &ctx->root, ctx->host.page_size, &ctx->arena);
	run->thp_always = thp->anon.mode == THP_UNKNOWN ?
				  absent("unsupported: no transparent huge pages") :
				  known(thp->anon.mode == THP_ALWAYS);
	run->ksm_runs = root_read_u64(&ctx->root, 10, &runs, "sys/kernel/mm/ksm/run") ?
				absent("unsupported: no KSM") :
				known(runs == 1);
	if (open_files_shm_mount(&ctx->root, &ctx->arena, &run->shm_mount))
		run->shm_mount = NO_SHM_MOUNT;
	memcg_find_mount(&ctx->root, &ctx->arena, &run->mount);
	nodes_read(&run->nodes, &ctx->root, &ctx->arena);
}

struct walking {
	struct why_run *run;
	struct visit *visit;
	struct vma vma; /* that the last pages were of */
	size_t index;
};

static void take_piece(void *ctx, uint32_t index, const struct page_run *piece)
{
	struct walking *walking = ctx;

	if (walking->index != index)
		vma_store_get(&walking->visit->vmas, index, &walking->vma);
	walking->index = index;
	why_add_pages(&walking->run->process.why, index, &walking->vma, piece);
}

static int take_batch(void *ctx, const struct page_batch *batch)
{
	struct walking *walking = ctx;

	page_reader_add(&walking->run->reader, &walking->visit->walk, batch);
	return 0;
}

static int walk_pages(struct why_run *run, struct visit *visit)
{
	struct walking *walking = arena_alloc(&visit->arena, sizeof(*walking));
	int rc;

	walking->run = run;
	walking->visit = visit;
	walking->index = SIZE_MAX;
	run->reader.sink = take_piece;
	run->reader.ctx = walking;
	rc = visit_walk(visit, take_batch, walking);
	page_reader_flush(&run->reader, &visit->walk);
	return rc;
}

/* Not the frames, so what smaps says; its reason where it could not be read. */
static void take_smaps(struct why_run *run, struct visit *visit)
{
	struct vma vma;

	run->process.reason = visit->result.smaps_reason;
	for (size_t i = 0; i < visit->vmas.count && !run->process.reason; i++) {
		vma_store_get(&visit->vmas, i, &vma);
		if (!why_add_smaps(&run->process.why, i, &vma))
			run->process.reason =
				vma_absent(&vma, 1ull << SMAPS_RSS) ?
					vma_absent(&vma, 1ull << SMAPS_RSS) :
					"unsupported: smaps of this kernel does not tell enough";
	}
}

static int read_malloc(struct why_run *run, struct visit *visit)
{
	struct why_process *process = &run->process;
	const struct malloc_ask ask = { .wide = malloc_is_wide(&visit->vmas) };
	struct error err;
	int rc;

	process->malloc_reason = reason_not_asked;
	if (!run->options.malloc)
		return 0;
	rc = visit->dir.core ? -EOPNOTSUPP : malloc_read(&visit->dir, &ask, &process->malloc, &err);
	if (rc == -ESRCH)
		return rc;
	process->malloc_reason = NULL;
	if (!rc && process->malloc.facts.outcome != MALLOC_FOUND)
		process->malloc_reason = "none: glibc's malloc does not serve it";
	if (!rc)
		return 0;
	process->malloc_reason = reason_of(visit->dir.root, rc).words;
	error_set(&err, -rc, "%d: malloc: %s", visit->dir.pid, process->malloc_reason);
	reason_advise(run->ctx, &err, "why --malloc", visit->dir.pid);
	visit_partial(visit, "malloc", process->malloc_reason, &err);
	return 0;
}

static struct number status_number(const struct task_status *status, enum status_field field)
{
	return task_status_has(status, field) ? known(status->field[field]) :
						absent("unsupported: not in status");
}

/* How much is on another node than its threads, averaged over these. */
static struct number count_remote(struct why_run *run, struct visit *visit)
{
	const struct why *why = &run->process.why;
	uint32_t counts[NODES_MAX] = { 0 };
	uint64_t threads;
	__uint128_t sum = 0;

	if (!why->by_pages)
		return absent("denied: needs CAP_SYS_ADMIN");
	if (run->nodes.online_count == 1 && run->nodes.online[0].first == run->nodes.online[0].last)
		return absent("none: one node");
	threads = nodes_of_threads(&run->nodes, &visit->dir, &visit->arena, counts);
	if (!threads)
		return absent("not known where its threads ran");
	for (size_t node = 0; node < WHY_NODES; node++)
		sum += (__uint128_t)why->node[node] * (threads - counts[node]);
	return known((uint64_t)(sum / threads));
}

/* What malloc keeps, and what of it goes back. */
static void note_malloc(struct why_run *run)
{
	struct why_process *process = &run->process;
	struct number *fact = process->facts.fact;
	struct malloc_arena sum = { 0 };
	uint64_t of_threads = 0, kept, scattered = 0;

	process->facts.malloc_asked = run->options.malloc;
	for (int i = WHY_FACT_MALLOC_SYSTEM; i <= WHY_FACT_MALLOC_ARENAS; i++)
		fact[i] = absent(process->malloc_reason);
	if (process->malloc_reason)
		return;
	for (uint64_t i = 0; i < process->malloc.facts.arenas; i++) {
		const struct malloc_arena *arena = &process->malloc.arenas[i];

		sum.system += arena->system;
		sum.free_resident += arena->free_resident;
		sum.top_resident += arena->top_resident;
		sum.trimmable += arena->trimmable;
		if (!arena->main)
			of_threads += arena->free_resident + arena->top_resident;
	}
	kept = sum.free_resident + sum.top_resident;
	if (sum.free_resident > sum.trimmable)
		scattered = sum.free_resident - sum.trimmable;
	fact[WHY_FACT_MALLOC_SYSTEM] = known(sum.system);
	fact[WHY_FACT_MALLOC_KEPT] = known(kept);
	fact[WHY_FACT_MALLOC_TRIM] = known(sum.trimmable);
	fact[WHY_FACT_MALLOC_SCATTERED] = known(scattered);
	fact[WHY_FACT_THREAD_ARENAS_KEPT] = known(of_threads);
	fact[WHY_FACT_MALLOC_ARENAS] = known(process->malloc.facts.arenas);
}

/* Facts that pages and mappings tell. */
static void note_memory(struct why_run *run)
{
	struct why_process *process = &run->process;
	const struct why *why = &process->why;
	const struct why_uses *uses = &process->uses;
	struct number *fact = process->facts.fact;

	fact[WHY_FACT_RSS] = known(why->rss);
	fact[WHY_FACT_HEAP] = known(why_uses_rss(uses, USE_HEAP) + uses->arena_rss);
	fact[WHY_FACT_LAZY] = known(why->bytes[WHY_LAZY]);
	fact[WHY_FACT_HUGE] = known(why->huge);
	fact[WHY_FACT_SMALL] =
		known(uses->plain_huge_able > why->huge ? uses->plain_huge_able - why->huge : 0);
	fact[WHY_FACT_SHM_OWN] = known(why->bytes[WHY_SHM]);
	fact[WHY_FACT_SHM_SHARED] = known(why->bytes[WHY_SHM_SHARED]);
	fact[WHY_FACT_COPIES] = known(uses->copies);
	fact[WHY_FACT_LOCKED] = known(why->bytes[WHY_LOCKED]);
	fact[WHY_FACT_MERGED] = known(why->ksm);
	fact[WHY_FACT_SWAPPED] =
		(struct number){ why->unknown[WHY_SWAPPED], why->bytes[WHY_SWAPPED] };
	fact[WHY_FACT_PAGE_TABLES] =
		(struct number){ why->unknown[WHY_PAGE_TABLES], why->bytes[WHY_PAGE_TABLES] };
	fact[WHY_FACT_STACK_RSS] = known(uses->stack_rss);
	fact[WHY_FACT_STACK_SIZE] = known(uses->stack_size);
	fact[WHY_FACT_STACKS] = known(uses->stacks);
	fact[WHY_FACT_DELETED] = known(uses->deleted);
	fact[WHY_FACT_TEXT_COPIES] = known(uses->text_copies);
	fact[WHY_FACT_FILE_COPIES] = known(uses->file_copies);
	fact[WHY_FACT_PIECES] = known(uses->most_pieces);
	fact[WHY_FACT_PIECES_RSS] = known(uses->most_pieces_rss);
	fact[WHY_FACT_MAPPINGS] = known(uses->mappings);
	process->facts.deleted_name = uses->deleted_name;
	process->facts.pieces_name = uses->most_pieces_name;
}

/* How full a group is against its limit; 0: it has none. */
static double fullness(const struct memcg *memcg)
{
	const struct number *max = &memcg->fact[MEMCG_MAX], *now = &memcg->fact[MEMCG_CURRENT];

	return max->reason || now->reason || !max->u ? 0 : (double)now->u / (double)max->u;
}

/* In the last minute, in millionths. */
static struct number stalled(const struct memcg_pressure *pressure)
{
	return pressure->reason ? absent(pressure->reason) :
				  known((uint64_t)(pressure->avg60 * 1e6));
}

/* Its group, or that one above whose limit is the nearest. */
static void note_group(struct why_run *run, struct visit *visit)
{
	struct number *fact = run->process.facts.fact;
	struct bytes path = memcg_path_below(&run->mount, visit->process.cgroup);
	const struct root *root = visit->dir.root;
	struct memcg group, above;

	for (int i = WHY_FACT_GROUP; i <= WHY_FACT_GROUP_STALLED; i++)
		fact[i] = absent(run->rows ? reason_not_asked :
					     "not known: its cgroup could not be read");
	if (run->rows || !path.len ||
	    memcg_read(root, &run->mount, path, MEMCG_WANT_ALL, &visit->arena, &group, NULL))
		return;
	while (path.len > 1) {
		const char *slash = memrchr(path.data, '/', path.len);

		path.len = slash > path.data ? (size_t)(slash - path.data) : 1;
		if (memcg_read(root, &run->mount, path, MEMCG_WANT_ALL, &visit->arena, &above,
			       NULL) == 0 &&
		    fullness(&above) > fullness(&group))
			group = above;
	}
	fact[WHY_FACT_GROUP] = group.fact[MEMCG_CURRENT];
	fact[WHY_FACT_GROUP_LIMIT] = group.fact[MEMCG_MAX];
	fact[WHY_FACT_GROUP_KILLS] = group.event[MEMCG_EVENT_OOM_KILL];
	fact[WHY_FACT_GROUP_THROTTLED] = group.event[MEMCG_EVENT_HIGH];
	fact[WHY_FACT_GROUP_RECLAIMS] = group.event[MEMCG_EVENT_MAX];
	fact[WHY_FACT_GROUP_STALLED] = stalled(&group.pressure[MEMCG_SOME]);
}

/* Since Linux 6.12 the kernel tells of prctl(PR_SET_MEMORY_MERGE), since 6.16 of MADV_MERGEABLE too. */
static struct number is_mergeable(struct why_run *run, struct visit *visit)
{
	struct bytes text, any = { NULL, 0 }, some = { NULL, 0 };

	if (run->rows)
		return absent(reason_not_asked);
	if (procdir_read(&visit->dir, &visit->arena, &text, NULL, "ksm_stat"))
		return absent("unsupported: ksm_stat does not tell");
	if (!status_find(text, "ksm_merge_any", &any) && !status_find(text, "ksm_mergeable", &some))
		return absent("unsupported: ksm_stat does not tell");
	status_find(text, "ksm_mergeable", &some);
	return known(bytes_equal(any, BYTES("yes")) || bytes_equal(some, BYTES("yes")));
}

static void note_facts(struct why_run *run, struct visit *visit)
{
	struct why_process *process = &run->process;
	struct number *fact = process->facts.fact;

	note_memory(run);
	note_malloc(run);
	why_since_note(run, visit);
	fact[WHY_FACT_PINNED] = status_number(&process->status, STATUS_VM_PINNED);
	fact[WHY_FACT_REMOTE] = count_remote(run, visit);
	fact[WHY_FACT_MAP_LIMIT] = run->map_limit;
	fact[WHY_FACT_CORES] = run->cores;
	fact[WHY_FACT_MEMORY] = run->memory;
	fact[WHY_FACT_AVAILABLE] = run->available;
	fact[WHY_FACT_SWAP_FREE] = run->swap_free;
	fact[WHY_FACT_THP_ALWAYS] = run->thp_always;
	fact[WHY_FACT_KSM_RUNS] = run->ksm_runs;
	fact[WHY_FACT_MERGEABLE] = is_mergeable(run, visit);
	note_group(run, visit);
}

static void note_figures(struct why_run *run)
{
	struct why_process *process = &run->process;
	const struct why *why = &process->why;
	struct value *figure = process->figure;
	struct number size = status_number(&process->status, STATUS_VM_SIZE);
	const char *uncounted = why->uncounted ? "changed: pages moved while they were read" : NULL;

	figure[FIGURE_SIZE] = size.reason ? value_u(process->uses.size) : value_u(size.u);
	figure[FIGURE_WRITABLE] = value_u(process->uses.writable);
	figure[FIGURE_PEAK] = value_number(status_number(&process->status, STATUS_VM_PEAK_RSS));
	figure[FIGURE_RSS] = value_u(why->rss);
	figure[FIGURE_PSS] = uncounted ? value_absent(uncounted) :
					 value_u(why->pss >> WHY_PSS_SHIFT);
	figure[FIGURE_USS] = uncounted ? value_absent(uncounted) : value_u(why->exclusive);
	figure[FIGURE_HELD] = value_number(why_held(why));
	figure[FIGURE_GROUP] = value_number(process->facts.fact[WHY_FACT_GROUP]);
	figure[FIGURE_GROUP_LIMIT] = value_number(process->facts.fact[WHY_FACT_GROUP_LIMIT]);
}

/* What status alone tells. */
static void take_status(struct why_run *run, enum status_field field, enum why_class class)
{
	struct number number = status_number(&run->process.status, field);

	run->process.why.unknown[class] = number.reason;
	run->process.why.bytes[class] = number.u;
}

/* Pinned pages look like others; mostly they are anonymous. */
static void doubt_pinned(struct why_run *run)
{
	static const enum why_class classes[] = { WHY_ANON, WHY_SHM };
	struct number pinned = status_number(&run->process.status, STATUS_VM_PINNED);
	struct why *why = &run->process.why;

	for (size_t i = 0; i < ARRAY_SIZE(classes) && !pinned.reason; i++) {
		uint64_t bytes = why->bytes[classes[i]];

		why->doubt[classes[i]] = pinned.u < bytes ? pinned.u : bytes;
		pinned.u -= why->doubt[classes[i]];
	}
}

static void read_status(struct why_run *run, struct visit *visit)
{
	struct why_process *process = &run->process;
	struct why *why = &process->why;
	struct bytes text;

	if (procdir_read(&visit->dir, &visit->arena, &text, NULL, "status") == 0)
		task_status_parse(text, &process->status);
	doubt_pinned(run);
	take_status(run, STATUS_VM_PTE, WHY_PAGE_TABLES);
	if (!why->by_pages)
		take_status(run, STATUS_VM_SWAP, WHY_SWAPPED);
}

static int read_pages(struct why_run *run, struct visit *visit)
{
	struct why_process *process = &run->process;
	struct why *why = &process->why;

	why->page_size = run->ctx->host.page_size;
	why->mappings =
		arena_zalloc(&visit->arena, (visit->vmas.count + 1) * sizeof(why->mappings[0]));
	why->by_pages = run->by_pages && !visit->walk_reason;
	if (why->by_pages)
		return walk_pages(run, visit);
	if (run->by_pages)
		process->reason = visit->walk_reason;
	else
		take_smaps(run, visit);
	return 0;
}

int why_read(void *opaque, struct visit *visit, struct error *err)
{
	struct why_run *run = opaque;
	struct why_process *process = &run->process;
	const char **guesses;
	int rc;

	(void)err;
	run->pid = visit->dir.pid;
	if (!visit->vmas.count)
		return 0;
	rc = read_pages(run, visit);
	if (rc < 0 || process->reason)
		return rc < 0 ? rc : 0;
	read_status(run, visit);
	rc = read_malloc(run, visit);
	if (rc < 0)
		return rc;
	guesses = arena_alloc(&visit->arena, (visit->vmas.count + 1) * sizeof(*guesses));
	guesses_make(&visit->vmas, guesses);
	why_uses_make(&process->uses, &visit->vmas, process->why.mappings, guesses,
		      visit->process.exe);
	why_read_open(run, visit);
	note_facts(run, visit);
	note_figures(run);
	process->findings = arena_alloc(&visit->arena, why_rule_count * sizeof(struct why_finding));
	process->finding_count = why_find(&process->facts, process->findings);
	return 0;
}

void why_restart(void *opaque, struct visit *visit)
{
	struct why_run *run = opaque;

	(void)visit;
	why_uses_fini(&run->process.uses);
	malloc_look_fini(&run->process.malloc);
	run->process = (struct why_process){ 0 };
}
