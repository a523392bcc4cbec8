/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/out.h"
#include "cmd/frag/orders.h"
#include "cmd/huge/columns.h"
#include "cmd/who/run.h"
#include "column/system_columns.h"
#include "column/vma_columns.h"
#include "engine/mappings.h"
#include "engine/process_facts.h"
#include "model/needs.h"
#include "model/process.h"
#include "model/vma_store.h"
#include "render/live/live.h"
#include "source/elf_protocol.h"
#include "source/facts.h"

/* The mappings of one reading. */
struct map_list {
	struct live_list list; /* first */
	struct vma_store store;
	struct vma row; /* the one that was asked for last */
	struct vma_tally sum;
	size_t cap;
};

uint64_t live_cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void live_status(struct live *live, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(live->facts.status, sizeof(live->facts.status), format, args);
	va_end(args);
}

static const void *map_row(struct live_list *list, size_t index)
{
	struct map_list *map = (struct map_list *)list;

	vma_store_get(&map->store, index, &map->row);
	return &map->row;
}

static const void *map_sum(struct live_list *list, const size_t *rows, size_t count,
			   struct bytes name)
{
	struct map_list *map = (struct map_list *)list;

	vma_tally_init(&map->sum, name.data);
	for (size_t i = 0; i < count; i++) {
		vma_store_get(&map->store, rows[i], &map->row);
		vma_tally_add(&map->sum, &map->row);
	}
	return &map->sum;
}

static void map_free(struct live_list *list)
{
	struct map_list *map = (struct map_list *)list;

	vma_store_fini(&map->store);
	free(list->ids);
	free(map);
}

static const struct live_list_ops map_ops = { map_row, map_sum, map_free };

static struct map_list *map_new(void)
{
	struct map_list *map = mem_zalloc(sizeof(*map));

	map->list.ops = &map_ops;
	vma_store_init(&map->store);
	return map;
}

static uint64_t hash_add(uint64_t hash, uint64_t word)
{
	return (hash ^ word) * 0x100000001b3;
}

/* What a mapping is of. Rights and kind are not in it: mprotect() does not make another mapping. */
static uint64_t tag_of(const struct vma *vma)
{
	uint64_t hash = 0xcbf29ce484222325;

	hash = hash_add(hash, vma->inode);
	hash = hash_add(hash, (uint64_t)vma->dev_major << 32 | vma->dev_minor);
	for (size_t i = 0; !vma->inode && i < vma->path.len; i++)
		hash = hash_add(hash, (unsigned char)vma->path.data[i]);
	return hash;
}

struct map_reading {
	struct map_list *map;
	struct vma_tally total;
	struct number kinds[KIND_COUNT];
};

static int take_mapping(void *opaque, struct vma *vma)
{
	struct map_reading *reading = opaque;
	struct map_list *map = reading->map;

	map->list.ids = mem_room(map->list.ids, map->list.count, &map->cap, sizeof(*map->list.ids));
	map->list.ids[map->list.count++] = (struct live_id){ vma->start, vma->end, tag_of(vma) };
	vma_store_add(&map->store, vma);
	vma_tally_add(&reading->total, vma);
	if (vma_has(vma, SMAPS_RSS))
		number_add_u(&reading->kinds[vma->kind], vma->field[SMAPS_RSS]);
	return 0;
}

static void set_title(struct live *live, const struct process *process)
{
	struct out out;

	out_init_memory(&out);
	out_printf(&out, "%d: ", process->pid);
	process_title(&out, process);
	snprintf(live->facts.title, sizeof(live->facts.title), "%.*s", (int)out.len, out.buf);
	out_fini(&out);
}

/* exec() keeps the number and the start time, but not where the program lies. */
static void notice_exec(struct live_reader *reader, struct live *live,
			const struct process *process)
{
	const struct process_layout *layout = &process->layout;

	if (!layout->known)
		return;
	if (reader->stack_start && (layout->code_start != reader->code_start ||
				    layout->stack_start != reader->stack_start))
		snprintf(live->message, sizeof(live->message),
			 "the process runs another program now (exec)");
	reader->code_start = layout->code_start;
	reader->stack_start = layout->stack_start;
}

static void set_sums(struct live_reader *reader, struct live *live,
		     const struct map_reading *reading)
{
	static const char *const names[] = { "rss", "pss", "dirty", "swap" };
	struct live_sample sample;

	for (size_t i = 0; i < 4; i++) {
		const struct column *column = column_find(&reader->tally_set, bytes_of(names[i]));

		live->facts.sums[i] = column->get(&reading->total, column);
		if (i < 3)
			sample.value[i] = live->facts.sums[i].reason ? UINT64_MAX :
								       live->facts.sums[i].u;
	}
	for (unsigned kind = 0; kind < KIND_COUNT; kind++)
		live->facts.kinds[kind] = reading->kinds[kind].reason ? 0 : reading->kinds[kind].u;
	live->facts.known = true;
	live_take_sample(live, &sample);
}

static void set_status(struct live_reader *reader, struct live *live,
		       const struct mappings_result *result)
{
	const struct smaps_pass *pass = &result->pass;
	const char *what = result->smaps_reason ? result->smaps_reason :
			   pass->changed	? "changed while it was read: incomplete" :
			   pass->malformed	? "malformed records were left out" :
			   pass->cut_off	? "the memory went away while it was read" :
						  NULL;

	reader->partial = what;
	snprintf(live->facts.status, sizeof(live->facts.status), "%s", what ? what : "");
}

static int open_process(struct live_reader *reader, int pid, struct error *err)
{
	int rc;

	if (reader->has_dir && reader->dir.pid == pid)
		return 0;
	if (reader->has_dir)
		procdir_close(&reader->dir);
	reader->has_dir = false;
	reader->code_start = reader->stack_start = 0;
	rc = procdir_open(&reader->dir, &reader->ctx->root, pid, err);
	reader->has_dir = rc == 0;
	return rc;
}

const struct caps *live_caps(struct live_reader *reader)
{
	if (!reader->has_caps)
		caps_probe(&reader->caps, &reader->ctx->root, 0);
	reader->has_caps = true;
	return &reader->caps;
}

/* Whether anything of the process was read. */
static bool was_read(const struct live *live)
{
	return live->table[LIVE_MAP].now || live->table[LIVE_HUGE].now ||
	       live->table[LIVE_SHARING].now || live->table[LIVE_FRAME].now;
}

/* The process is gone: what was last read of it stays. A view that was not read has nothing to show. */
static int set_ended(struct live *live, int rc)
{
	if (rc != -ESRCH || !was_read(live))
		return rc;
	live->facts.ended = true;
	live->facts.status[0] = '\0';
	return live_is_empty(live) ? rc : 0;
}

const char *live_no_memory(const struct process *process)
{
	if (process->state == 'Z' || process->state == 'X')
		return "gone: the process is a zombie";
	return process->kernel_thread ? "kernel thread: has no memory of its own" : "no mappings";
}

static int read_mappings(struct live_reader *reader, struct live *live,
			 const struct process *process, struct error *err)
{
	struct map_reading reading = { .map = map_new() };
	struct mappings_result result;
	int rc;

	vma_tally_init(&reading.total, "total");
	rc = mappings_read(reader->mappings, &reader->dir,
			   NEED_SMAPS | NEED_KIND | live_table_needs(&live->table[LIVE_MAP]),
			   take_mapping, &reading, &result, err);
	if (rc == 0 && mappings_ended(&reader->dir, process, &result))
		rc = error_set(err, ESRCH, "no process %d", reader->dir.pid);
	if (rc) {
		map_free(&reading.map->list);
		return rc;
	}
	if (!result.pass.mappings)
		vma_tally_set_unknown(&reading.total, live_no_memory(process));
	set_sums(reader, live, &reading);
	set_status(reader, live, &result);
	if (!result.pass.mappings)
		snprintf(live->facts.status, sizeof(live->facts.status), "%s",
			 live_no_memory(process));
	live_take_list(live, LIVE_MAP, &reading.map->list);
	return 0;
}

int live_read_process(struct live_reader *reader, struct live *live, live_process_read read,
		      struct error *err)
{
	struct process process;
	struct arena arena;
	int rc = open_process(reader, live->pid, err);

	if (rc)
		return set_ended(live, rc);
	arena_init(&arena);
	rc = facts_read(&reader->dir, &arena, FACT_STAT | FACT_CMDLINE, &process, err);
	if (rc == 0 && process.state == 'Z' && was_read(live))
		rc = error_set(err, ESRCH, "%d is a zombie: its memory is gone", reader->dir.pid);
	if (rc == 0) {
		set_title(live, &process);
		notice_exec(reader, live, &process);
		live->facts.status[0] = '\0';
		reader->partial = false;
		rc = read(reader, live, &process, err);
	}
	arena_fini(&arena);
	return set_ended(live, rc);
}

static int live_read_map(struct live_reader *reader, struct live *live, struct error *err)
{
	return live_read_process(reader, live, read_mappings, err);
}

void live_reader_init(struct live_reader *reader, struct context *ctx)
{
	const struct elf_request request = { 0, (uint32_t)ctx->host.page_size };

	*reader = (struct live_reader){ .ctx = ctx, .whole = ctx->root.recorded };
	smaps_keys_init(&reader->keys);
	reader->mappings = mappings_new(&ctx->root, &reader->keys);
	mappings_parse_files(reader->mappings, &request);
	vma_columns_make(&ctx->arena, &reader->keys, &reader->vma_set);
	tally_columns_make(&ctx->arena, &reader->keys, &reader->tally_set);
	live_reader_meet(reader);
	live_process_columns_make(&ctx->arena, &reader->ps_keys, &reader->process_set);
	huge_columns_make(&ctx->arena, &reader->keys, ctx->host.page_size, &reader->huge_set);
}

void live_reader_fini(struct live_reader *reader)
{
	mappings_free(reader->mappings);
	if (reader->has_dir)
		procdir_close(&reader->dir);
	free(reader->known);
	users_fini(&reader->users);
}

/* Views whose columns are those of another command. */
static void set_other_views(struct live_reader *reader, struct live *live)
{
	const struct live_table frame = { .set = &who_columns,
					  .defaults = who_columns_default,
					  .narrow = "pid,command,address,perm,kind,mapping" };
	const struct live_table huge = { .set = &reader->huge_set,
					 .defaults = huge_columns_default,
					 .narrow = huge_columns_default,
					 .changes = "present,pmd" };
	const struct live_table sharing = { .set = &live_sharing_columns,
					    .defaults = live_sharing_default,
					    .narrow = live_sharing_default,
					    .changes = "shared" };
	const struct live_table machine = { .set = &system_class_columns,
					    .defaults = system_class_default,
					    .narrow = system_class_narrow,
					    .changes = "bytes" };
	const struct live_table orders = { .set = &frag_order_columns,
					   .defaults = frag_order_defaults,
					   .narrow = frag_order_defaults,
					   .changes = "usable" };

	live_set_columns(live, LIVE_FRAME, &frame);
	live_set_columns(live, LIVE_HUGE, &huge);
	live_set_columns(live, LIVE_SHARING, &sharing);
	sort_parse(&live->table[LIVE_SHARING].sort, &live_sharing_columns, "-shared", NULL);
	live_set_columns(live, LIVE_MACHINE, &machine);
	live_set_columns(live, LIVE_ORDERS, &orders);
}

void live_reader_views(struct live_reader *reader, struct live *live)
{
	const struct live_table processes = { .set = &reader->process_set,
					      .defaults = live_process_columns,
					      .narrow = live_process_columns_narrow,
					      .sorted = "-rss",
					      .changes = "rss,pss,swap" };
	const struct live_table map = { .set = &reader->vma_set,
					.defaults = vma_columns_default,
					.narrow = "address,size,rss,pss,dirty,swap,perm,kind,name",
					.sums = &reader->tally_set,
					.changes = "rss,dirty,swap" };

	live_set_columns(live, LIVE_PROCESSES, &processes);
	live_set_columns(live, LIVE_MAP, &map);
	set_other_views(reader, live);
}

uint64_t live_reader_least_ns(const struct live_reader *reader)
{
	return reader->cost_ns / reader->budget.percent * 100;
}

/* What the reading costs us is told, but not of a recording, which costs nobody anything. */
static void add_cost(struct live_reader *reader, struct live *live)
{
	size_t len = strlen(live->facts.status), size = sizeof(live->facts.status);
	uint64_t least = live_reader_least_ns(reader), every = live->interval_ns;
	char seldom[40] = "";

	if (reader->ctx->root.recorded || live->facts.ended)
		return;
	if (least > every) {
		snprintf(seldom, sizeof(seldom), ", so every %.1f s", (double)least / 1e9);
		every = least;
	}
	snprintf(live->facts.status + len, size - len, "%sreading takes %.1f ms CPU%s (%.1f%%)",
		 len ? "; " : "", (double)reader->cost_ns / 1e6, seldom,
		 (double)reader->cost_ns * 100 / (double)every);
}

static int (*const readers[LIVE_VIEWS])(struct live_reader *, struct live *, struct error *) = {
	[LIVE_PROCESSES] = live_read_processes, [LIVE_MAP] = live_read_map,
	[LIVE_MACHINE] = live_read_machine,	[LIVE_ORDERS] = live_read_orders,
	[LIVE_FRAME] = live_read_frame,		[LIVE_HUGE] = live_read_huge,
	[LIVE_SHARING] = live_read_sharing,	[LIVE_PICTURE] = live_read_machine,
	[LIVE_PAGES] = live_read_pages,
};

int live_reader_read(struct live_reader *reader, struct live *live, struct error *err)
{
	uint64_t begin = live_cpu_now();
	int rc;

	rc = readers[live->view](reader, live, err);
	reader->cost_ns = live_cpu_now() - begin;
	live_budget_spend(&reader->budget, meter_now(), reader->cost_ns);
	live->stale = live->glance = false;
	if (rc == 0)
		add_cost(reader, live);
	return rc;
}

void live_reader_glance(struct live_reader *reader, struct live *live)
{
	uint64_t begin = live_cpu_now();

	if (live->view == LIVE_PROCESSES)
		live_glance_processes(reader, live);
	else if (live->view == LIVE_PAGES)
		live_glance_pages(reader, live);
	live_budget_spend(&reader->budget, meter_now(), live_cpu_now() - begin);
	live->glance = false;
}
