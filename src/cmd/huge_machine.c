/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/huge_machine.h"

#include <string.h>
#include <time.h>

#include "base/num.h"
#include "cmd/context.h"
#include "cmd/huge_columns.h"
#include "model/thp.h"
#include "source/thp.h"

static const char *const mode_names[] = {
	[THP_UNKNOWN] = NULL,
	[THP_NEVER] = "never",
	[THP_MADVISE] = "madvise",
	[THP_ALWAYS] = "always",
};

/* "NAME NUMBER" a line. */
static bool next_counter(const char **at, const char *end, struct bytes *name, uint64_t *number)
{
	while (*at < end) {
		const char *newline = memchr(*at, '\n', (size_t)(end - *at));
		const char *stop = newline ? newline : end;
		const char *space = memchr(*at, ' ', (size_t)(stop - *at));

		*name = (struct bytes){ *at, space ? (size_t)(space - *at) : 0 };
		*at = stop < end ? stop + 1 : end;
		if (!space)
			continue;
		space++;
		if (num_parse_dec(&space, stop, number) && space == stop)
			return true;
	}
	return false;
}

static uint64_t find_counter(struct bytes text, struct bytes want)
{
	const char *at = text.data, *end = text.len ? text.data + text.len : at;
	struct bytes name;
	uint64_t number;

	while (text.len && next_counter(&at, end, &name, &number))
		if (bytes_equal(name, want))
			return number;
	return 0;
}

void huge_machine_begin(struct huge_machine *machine, struct context *ctx, const struct thp *thp,
			uint64_t interval_ns)
{
	*machine = (struct huge_machine){ ctx, thp, interval_ns, meter_now(), { 0 } };
	if (interval_ns &&
	    root_read(&ctx->root, &ctx->arena, &machine->before, NULL, "proc/vmstat"))
		machine->interval_ns = 0;
}

static void wait_for_end(const struct huge_machine *machine)
{
	uint64_t gone = meter_now() - machine->began_ns, left;
	struct timespec time;

	if (machine->ctx->root.recorded || gone >= machine->interval_ns)
		return;
	left = machine->interval_ns - gone;
	time = (struct timespec){ (time_t)(left / 1000000000), (long)(left % 1000000000) };
	nanosleep(&time, NULL);
}

static void write_counters(struct huge_machine *machine)
{
	struct context *ctx = machine->ctx;
	struct selection selection;
	struct column_set set;
	const struct table table = { "counters", &selection };
	struct counter_row row = { .interval_ns = machine->interval_ns };
	struct bytes text, name;
	const char *at;

	wait_for_end(machine);
	if (root_read(&ctx->root, &ctx->arena, &text, NULL, "proc/vmstat"))
		return;
	counter_columns(&set);
	selection_parse(&selection, &set, "counter,count,delta", NULL, &ctx->arena, NULL);
	if (report_prose(ctx->report))
		out_char(report_prose(ctx->report), '\n');
	report_table(ctx->report, &table);
	at = text.data;
	while (next_counter(&at, text.data + text.len, &name, &row.total)) {
		if (!bytes_start_with(name, BYTES("thp_")) &&
		    !bytes_start_with(name, BYTES("htlb_")))
			continue;
		row.name = arena_bytes(&ctx->arena, name).data;
		row.before = find_counter(machine->before, name);
		report_row(ctx->report, &row);
	}
	report_table_end(ctx->report);
	report_fact(ctx->report, "interval_ns", VALUE_NS,
		    machine->interval_ns ? value_u(meter_now() - machine->began_ns) : value_none());
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

static void fact_mode(struct report *report, const char *key, enum thp_mode mode)
{
	report_fact(report, key, VALUE_WORD,
		    mode_names[mode] ? value_word(mode_names[mode]) : value_absent("unsupported"));
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
	fact_mode(report, "enabled", thp->anon);
	fact_mode(report, "shmem_enabled", thp->shmem);
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
		   mode_names[thp->anon] ? mode_names[thp->anon] : "unknown",
		   mode_names[thp->shmem] ? mode_names[thp->shmem] : "unknown");
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
	if (machine->interval_ns || !out)
		write_counters(machine);
}
