/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/huge/machine.h"

#include "cmd/huge/columns.h"
#include "engine/context.h"
#include "model/thp.h"
#include "source/meminfo.h"
#include "source/thp.h"

static const char *const counter_prefixes[] = { "thp_", "htlb_", NULL };

void huge_machine_begin(struct huge_machine *machine, struct context *ctx, const struct thp *thp,
			uint64_t interval_ns)
{
	*machine = (struct huge_machine){ .ctx = ctx, .thp = thp };
	counters_begin(&machine->counters, ctx, counter_prefixes, interval_ns);
}

/* What can be had of each size, on all nodes together. */
static void write_sizes(struct context *ctx)
{
	struct out *out = report_prose(ctx->report);
	struct report *report = ctx->report;
	struct hugetlb_pool *pools;
	size_t count = hugetlb_pools_read(&ctx->root, &ctx->arena, &pools);

	report_list(report, "pool_sizes");
	for (size_t i = 0; i < count; i++) {
		const struct hugetlb_pool *pool = &pools[i];
		uint64_t had = pool->free > pool->reserved ? pool->free - pool->reserved : 0;

		report_object(report, NULL);
		report_fact(report, "page", VALUE_BYTES, value_u(pool->size));
		report_fact(report, "total", VALUE_COUNT, value_u(pool->total));
		report_fact(report, "free", VALUE_COUNT, value_u(pool->free));
		report_fact(report, "reserved", VALUE_COUNT, value_u(pool->reserved));
		report_fact(report, "available", VALUE_COUNT, value_u(had));
		report_fact(report, "surplus", VALUE_COUNT, value_u(pool->surplus));
		report_object_end(report);
		if (!out || !pool->total)
			continue;
		out_str(out, "pages of ");
		report_size(report, out, pool->size);
		out_printf(out,
			   ": %llu of %llu free, %llu of the free reserved, so %llu can be had\n",
			   (unsigned long long)pool->free, (unsigned long long)pool->total,
			   (unsigned long long)pool->reserved, (unsigned long long)had);
	}
	report_list_end(report);
}

static void write_pools(struct huge_machine *machine)
{
	struct context *ctx = machine->ctx;
	struct selection selection;
	struct column_set set;
	const struct table table = { "pools", &selection };
	struct huge_pool *pools;
	size_t count = huge_pools_read(&ctx->root, &ctx->arena, &pools);

	if (!count && report_prose(ctx->report))
		return;
	pool_columns(&set);
	selection_parse(&selection, &set, pool_columns_default, NULL, &ctx->arena, NULL);
	if (report_prose(ctx->report))
		out_str(report_prose(ctx->report), "\nhugetlb pools:\n");
	report_table(ctx->report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(ctx->report, &pools[i]);
	report_table_end(ctx->report);
}

static void fact_setting(struct report *report, const char *key, const struct thp_setting *setting)
{
	report_fact(report, key, VALUE_WORD,
		    setting->word ? value_word(setting->word) : value_absent("unsupported"));
}

static void fact_limit(struct report *report, const struct thp *thp, const char *key,
		       uint64_t limit)
{
	report_fact(report, key, VALUE_COUNT,
		    thp->limits_known && limit != UINT64_MAX ? value_u(limit) :
							       value_absent("unsupported"));
}

static void write_settings(const struct huge_machine *machine)
{
	const struct thp *thp = machine->thp;
	struct report *report = machine->ctx->report;

	report_object(report, "machine");
	report_fact(report, "huge_size", VALUE_BYTES,
		    thp->huge_size ? value_u(thp->huge_size) :
				     value_absent("unsupported: no transparent huge pages"));
	fact_setting(report, "enabled", &thp->anon);
	fact_setting(report, "shmem_enabled", &thp->shmem);
	fact_limit(report, thp, "max_ptes_none", thp->max_none);
	fact_limit(report, thp, "max_ptes_swap", thp->max_swap);
	fact_limit(report, thp, "max_ptes_shared", thp->max_shared);
	fact_limit(report, thp, "full_scans", thp->full_scans);
	fact_limit(report, thp, "pages_to_scan", thp->pages_to_scan);
	report_fact(report, "scan_sleep_ns", VALUE_NS,
		    thp->limits_known ? value_u(thp->scan_sleep_ms * 1000000) :
					value_absent("unsupported"));
	report_object_end(report);
}

static void print_settings(const struct huge_machine *machine, struct out *out)
{
	const struct thp *thp = machine->thp;

	out_printf(out, "\nmachine: huge pages %s, of shared memory %s",
		   thp->anon.word ? thp->anon.word : "unknown",
		   thp->shmem.word ? thp->shmem.word : "unknown");
	if (thp->limits_known)
		out_printf(
			out,
			"\nkhugepaged: %llu full scans, %llu pages every %llu ms; takes slots with "
			"at most %llu pages missing, %llu in swap",
			(unsigned long long)thp->full_scans, (unsigned long long)thp->pages_to_scan,
			(unsigned long long)thp->scan_sleep_ms, (unsigned long long)thp->max_none,
			(unsigned long long)thp->max_swap);
	if (thp->limits_known && thp->max_shared != UINT64_MAX)
		out_printf(out, ", %llu shared", (unsigned long long)thp->max_shared);
	out_char(out, '\n');
}

void huge_machine_write(struct huge_machine *machine, bool settings)
{
	struct out *out = report_prose(machine->ctx->report);

	if (out && settings)
		print_settings(machine, out);
	write_settings(machine);
	write_pools(machine);
	write_sizes(machine->ctx);
	if (machine->counters.interval_ns || !out)
		counters_write(&machine->counters);
}
