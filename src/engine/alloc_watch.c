/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/alloc_watch.h"

#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/machine.h"
#include "source/pids.h"

enum { WAIT_MS = 10 };

/* The first function that is no allocator itself. */
static uint64_t caller_of(void *ctx, const uint64_t *chain, unsigned count)
{
	const struct alloc_watch *watch = ctx;

	for (unsigned i = 0; i < count; i++) {
		const struct kernel_symbol *symbol = kallsyms_at(&watch->kallsyms, chain[i]);

		if (symbol && !alloc_is_allocator(symbol->name))
			return symbol->addr;
	}
	return 0;
}

static void take_event(void *ctx, const struct alloc_event *event)
{
	alloc_study_add(&((struct alloc_watch *)ctx)->study, event);
}

static void read_types(struct alloc_watch *watch, struct context *ctx)
{
	struct bytes text;
	int rc = root_read(&ctx->root, &ctx->arena, &text, NULL, "proc/pagetypeinfo");

	if (rc == 0)
		rc = pagetypeinfo_parse(text, &ctx->arena, &watch->types, NULL);
	watch->types_reason = machine_reason(&ctx->root, rc);
}

/* comm is read without a lock of the process. */
static void read_names(struct alloc_watch *watch, struct context *ctx)
{
	struct arena arena;
	size_t count = 0;
	int *pids;

	arena_init(&arena);
	if (pids_scan(&ctx->root, &arena, &pids, &count, NULL))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		struct bytes text;

		if (root_read(&ctx->root, &arena, &text, NULL, "proc/%d/comm", pids[i]) ||
		    !text.len)
			continue;
		text.len -= text.data[text.len - 1] == '\n';
		alloc_study_name(&watch->study, pids[i], text);
	}
	alloc_study_name(&watch->study, 0, BYTES("idle"));
	arena_fini(&arena);
}

static void watch_interval(struct alloc_watch *watch, struct alloc_source *source,
			   uint64_t deadline)
{
	for (uint64_t now = meter_now(); now < deadline; now = meter_now()) {
		uint64_t left = (deadline - now) / 1000000 + 1;

		alloc_source_wait(source, left < WAIT_MS ? (int)left : WAIT_MS);
		alloc_source_take(source, take_event, watch);
	}
}

int alloc_watch_run(struct alloc_watch *watch, struct context *ctx, uint64_t interval_ns,
		    uint64_t period, struct error *err)
{
	struct alloc_source *source;
	int rc;

	*watch = (struct alloc_watch){ 0 };
	alloc_study_init(&watch->study, caller_of, watch);
	kallsyms_read(&ctx->root, &ctx->arena, &watch->kallsyms);
	read_types(watch, ctx);
	rc = alloc_source_open(&source, &ctx->root, period, &watch->reason, err);
	if (rc)
		return rc;
	read_names(watch, ctx);
	if (!ctx->root.recorded)
		watch_interval(watch, source, meter_now() + interval_ns);
	alloc_source_stop(source, take_event, watch, &watch->counts);
	alloc_source_close(source);
	alloc_study_end(&watch->study, watch->counts.end);
	watch->interval_ns = watch->counts.end - watch->counts.begin;
	return 0;
}

void alloc_watch_fini(struct alloc_watch *watch)
{
	alloc_study_fini(&watch->study);
	kallsyms_fini(&watch->kallsyms);
}

struct bytes alloc_watch_type(const struct alloc_watch *watch, unsigned type)
{
	const struct pagetypeinfo *types = &watch->types;
	size_t i = type;

	/* of each zone there is a line for each type, in the order of their numbers */
	if (i >= types->zone_count || types->zones[i].node != types->zones[0].node ||
	    !bytes_equal(types->zones[i].zone, types->zones[0].zone))
		return (struct bytes){ "", 0 };
	return types->zones[i].type;
}

struct bytes alloc_watch_caller(const struct alloc_watch *watch, uint32_t caller)
{
	uint64_t addr = watch->study.callers[caller];
	const struct kernel_symbol *symbol = addr ? kallsyms_at(&watch->kallsyms, addr) : NULL;

	return symbol ? symbol->name : (struct bytes){ "", 0 };
}
