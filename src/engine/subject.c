/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/subject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/context.h"
#include "engine/process_facts.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "source/facts.h"

static const char needs_rights[] = "denied: needs CAP_SYS_PTRACE or the same user";

static bool is_denied(int rc)
{
	return rc == -EACCES || rc == -EPERM;
}

void subject_partial(struct subjects *subjects, struct subject *subject, const struct error *err)
{
	subject->complete = false;
	context_partial(subjects->ctx, err);
}

static int keep(void *ctx, struct vma *vma)
{
	struct subjects *subjects = ctx;
	struct subject *subject = &subjects->subject;

	(void)vma;
	if (!subjects->parse)
		return 0;
	subject->files = mem_room(subject->files, subject->file_count, &subject->file_cap,
				  sizeof(subject->files[0]));
	subject->files[subject->file_count++] = mappings_file(subjects->mappings);
	return 0;
}

static void begin(struct subjects *subjects, struct subject *subject)
{
	struct report *report = subjects->ctx->report;
	struct out *out = report_prose(report);

	if (subjects->quiet)
		return;
	if (out) {
		if (subjects->shown)
			out_char(out, '\n');
		out_printf(out, "%d: ", subject->process.pid);
		process_title(out, &subject->process);
		if (subject->same_as)
			out_printf(out, " (the memory of %d)", subject->same_as);
		out_char(out, '\n');
	}
	report_object(report, NULL);
	process_facts(report, &subject->process);
	if (subject->same_as)
		report_fact(report, "same_memory_as", VALUE_NUMBER, value_i(subject->same_as));
}

static void end(struct subjects *subjects, struct subject *subject)
{
	struct report *report = subjects->ctx->report;

	subjects->shown++;
	if (subjects->quiet)
		return;
	report_fact(report, "complete", VALUE_BOOL, value_u(subject->complete));
	report_missing(report, &subject->process.missing);
	report_object_end(report);
}

/* No mapping: why, instead of a table of nothing. */
static void show_nothing(struct subjects *subjects, struct subject *subject, const char *reason)
{
	struct report *report = subjects->ctx->report;
	struct out *out = report_prose(report);

	if (!reason)
		reason = process_no_memory(&subject->process);
	if (!reason)
		reason = "no mappings";
	if (subjects->quiet)
		return;
	report_fact(report, "mappings", VALUE_WORD, value_absent(reason));
	if (out) {
		out_str(out, reason);
		out_char(out, '\n');
	}
}

/* What changed under us. */
static void check_pass(struct subjects *subjects, struct subject *subject)
{
	const struct smaps_pass *pass = &subject->result.pass;
	struct missing *missing = &subject->process.missing;
	const char *why = pass->cut_off	  ? "gone: the memory went away while it was read" :
			  pass->changed	  ? "changed while they were read" :
			  pass->malformed ? smaps_malformed_reason(pass) :
					    NULL;
	struct error err;

	if (why) {
		missing_add(missing, "mappings", why);
		error_set(&err, EAGAIN, "%d: mappings: %s", subject->dir.pid, why);
		subject_partial(subjects, subject, &err);
	}
	if (subject->result.smaps_reason && pass->mappings) {
		missing_add(missing, "mappings", subject->result.smaps_reason);
		error_set(&err, EACCES, "%d: smaps: %s", subject->dir.pid,
			  subject->result.smaps_reason);
		subject_partial(subjects, subject, &err);
	}
}

static void open_walk(struct subjects *subjects, struct subject *subject)
{
	struct error err;
	int rc;

	if (!subjects->walks)
		return;
	rc = pagewalk_open(&subject->walk, &subject->dir, &subjects->caps, subjects->walk_want,
			   &err);
	subject->walk_reason =
		rc ? root_reason(&subjects->ctx->root, rc,
				 "denied: needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, "
				 "or the same user") :
		     NULL;
}

static void close_walk(struct subject *subject)
{
	if (!subject->walk_reason)
		pagewalk_close(&subject->walk);
	subject->walk_reason = "not asked";
}

static void show_mappings(struct subjects *subjects, struct subject *subject, int rc,
			  struct error *err)
{
	if (is_denied(rc)) {
		struct error told = *err;

		error_set(&told, -rc, "%s (try: sudo vmview %s %d)", err->text, subjects->name,
			  subject->dir.pid);
		show_nothing(subjects, subject, needs_rights);
		subject->complete = false;
		if (subjects->selected)
			context_refuse(&subjects->refused, &told);
		else
			context_partial(subjects->ctx, &told);
	} else if (rc < 0) {
		show_nothing(subjects, subject, error_reason(-rc));
		subject_partial(subjects, subject, err);
	} else if (!subject->vmas.count) {
		show_nothing(subjects, subject, NULL);
	} else {
		check_pass(subjects, subject);
		subjects->show(subjects->run, subject);
	}
}

/* The facts and the walk, while maps is open; again where the process executed another program. */
static int read_facts(void *opaque, struct error *err)
{
	struct subjects *subjects = opaque;
	struct subject *subject = &subjects->subject;
	struct context *ctx = subjects->ctx;
	unsigned facts = ctx->options.json ? FACT_ALL : FACT_STAT | FACT_CMDLINE;
	int rc = facts_read(&subject->dir, &subject->arena, facts, &subject->process, err);

	subject->facts_rc = rc;
	if (rc)
		return rc;
	if (ctx->options.json)
		process_user(&ctx->root, &subject->arena, &subject->process);
	close_walk(subject);
	open_walk(subjects, subject);
	return facts_are_settled(&subject->dir, &subject->process) ? 0 : MAPPINGS_UNSETTLED;
}

static int show_subject(struct subjects *subjects, struct subject *subject, int rc,
			struct error *err)
{
	if (subject->facts_rc)
		return subject->facts_rc;
	if (rc == 0 && mappings_ended(&subject->dir, &subject->process, &subject->result))
		rc = error_set(err, ESRCH, "%d: the process ended", subject->dir.pid);
	if (rc == -ESRCH)
		return rc;
	begin(subjects, subject);
	show_mappings(subjects, subject, rc, err);
	end(subjects, subject);
	return 0;
}

static int read_subject(struct subjects *subjects, struct subject *subject, struct error *err)
{
	int rc;

	if (subjects->wanted && !subjects->wanted(subjects->run, subject))
		return 0;
	subject->complete = true;
	subject->walk_reason = "not asked";
	subject->same_as = same_mm_check(&subjects->same_mm, subject->dir.pid, 0);
	rc = mappings_read(subjects->mappings, &subject->dir, subjects->needs, keep, subjects,
			   &subject->result, err);
	rc = show_subject(subjects, subject, rc, err);
	close_walk(subject);
	return rc;
}

static void run_pid(struct subjects *subjects, int pid, bool selected)
{
	struct subject *subject = &subjects->subject;
	struct error err;
	int rc = procdir_open(&subject->dir, &subjects->ctx->root, pid, &err);

	if (rc == 0) {
		rc = read_subject(subjects, subject, &err);
		procdir_close(&subject->dir);
		vma_store_clear(&subject->vmas);
		subject->file_count = 0;
		arena_fini(&subject->arena);
		memset(&subject->process, 0, sizeof(subject->process));
	}
	if (rc == -ESRCH && selected)
		subjects->vanished++;
	else if (rc < 0)
		context_partial(subjects->ctx, &err);
}

void subjects_run(struct subjects *subjects, const struct targets *targets)
{
	struct context *ctx = subjects->ctx;

	smaps_keys_init(&subjects->keys);
	subjects->mappings = mappings_new(&ctx->root, &subjects->keys);
	if (subjects->parse)
		mappings_parse_files(subjects->mappings, subjects->parse);
	same_mm_init(&subjects->same_mm, &ctx->root);
	arena_init(&subjects->subject.arena);
	vma_store_init(&subjects->subject.vmas);
	mappings_keep(subjects->mappings, &subjects->subject.vmas);
	mappings_read_facts(subjects->mappings, read_facts, subjects);
	subjects->selected = targets->selected;
	report_list(ctx->report, "processes");
	for (size_t i = 0; i < targets->count; i++)
		run_pid(subjects, targets->pids[i], targets->selected);
	report_list_end(ctx->report);
	context_tell_refused(ctx, &subjects->refused);
	vma_store_fini(&subjects->subject.vmas);
	free(subjects->subject.files);
	arena_fini(&subjects->subject.arena);
	same_mm_fini(&subjects->same_mm);
	mappings_free(subjects->mappings);
	if (subjects->vanished)
		error_note("%zu process%s ended meanwhile", subjects->vanished,
			   subjects->vanished == 1 ? "" : "es");
}

static uint32_t hint_of(const struct subjects *subjects, const struct vma *vma)
{
	if (subjects->passes && subjects->passes(vma))
		return WALK_SKIP;
	return vma->kind == KIND_DEVICE || vma->kind == KIND_SPECIAL ? WALK_BLIND : WALK_WHOLE;
}

int subject_walk(struct subjects *subjects, struct subject *subject, page_sink sink, void *ctx)
{
	struct walk_vma *vmas =
		arena_alloc(&subject->arena, subject->vmas.count * sizeof(*vmas) + 1);
	struct error err;
	const char *why;
	struct vma vma;
	int rc;

	for (size_t i = 0; i < subject->vmas.count; i++) {
		vma_store_get(&subject->vmas, i, &vma);
		vmas[i] = (struct walk_vma){ vma.start, vma.end, hint_of(subjects, &vma) };
	}
	rc = pagewalk_run(&subject->walk, vmas, subject->vmas.count, sink, ctx);
	if (rc == 0 && !pagewalk_is_alive(&subject->walk))
		rc = -ESRCH;
	if (rc < 0) {
		why = rc == -ESRCH ? "gone: the memory went away while it was read" :
				     error_reason(-rc);
		missing_add(&subject->process.missing, "mappings", why);
		error_set(&err, -rc, "%d: pages: %s", subject->dir.pid, why);
		subject_partial(subjects, subject, &err);
	}
	return rc;
}
