/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"
#include "engine/context.h"
#include "engine/process_facts.h"
#include "engine/visit.h"

/* A heading, which a long command line does not make longer than the terminal is wide. */
static void write_title(struct visit *visit, struct out *out, bool first)
{
	struct out title;

	out_init_memory(&title);
	out_printf(&title, "%d: ", visit->process.pid);
	process_title(&title, &visit->process);
	if (visit->same_as)
		out_printf(&title, " (the memory of %d)", visit->same_as);
	if (!first)
		out_char(out, '\n');
	report_heading(visit->context->report, &title);
}

void visit_report_begin(struct visit *visit, bool first)
{
	struct report *report = visit->context->report;

	if (report_prose(report))
		write_title(visit, report_prose(report), first);
	report_object(report, NULL);
	process_facts(report, &visit->process);
	if (visit->same_as)
		report_fact(report, "same_memory_as", VALUE_NUMBER, value_i(visit->same_as));
}

bool visit_report_nothing(struct visit *visit, const char *key)
{
	struct report *report = visit->context->report;
	struct out *out = report_prose(report);

	if (visit->vmas.count || visit->begun)
		return false;
	report_fact(report, key, VALUE_WORD, value_absent(visit->absent.words));
	if (out)
		out_printf(out, "%s\n", visit->absent.words);
	return true;
}

void visit_report_end(struct visit *visit)
{
	struct report *report = visit->context->report;

	report_fact(report, "complete", VALUE_BOOL, value_u(visit->complete));
	report_missing(report, &visit->process.missing);
	report_object_end(report);
}

void visits_report(const struct visits *visits, struct context *context)
{
	if (!visits->vanished)
		return;
	report_fact(context->report, "vanished", VALUE_COUNT, value_u(visits->vanished));
	error_note("%zu process%s ended meanwhile", visits->vanished,
		   visits->vanished == 1 ? "" : "es");
}
