/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pmap/pmap.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#include "base/error.h"
#include "cmd/pmap/args.h"
#include "cmd/pmap/print.h"
#include "cmd/pmap/rc.h"
#include "cmd/pmap/text.h"
#include "engine/context.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "model/smaps_key.h"
#include "source/facts.h"
#include "source/rcfile.h"
#include "source/shm.h"

/* Options of map that choose where its figures come from: pmap's have but one source. */
struct map_given {
	bool total, check;
	const char *from;
};

/* One run over several processes. */
struct run {
	struct context *ctx;
	struct pmap_given given;
	struct target_options targets;
	struct map_given map;
	struct pmap_style style;
	struct smaps_keys keys;
	struct pmap pmap;
	bool shm_asked;
	int status;
	struct visits visits;
	/* of the process at hand */
	bool titled;
	bool begun; /* the header is written: its memory could be read */
};

static const struct option_row target_rows[] = { TARGET_OPTION_ROWS_OF_MAP };

static const struct option_row map_rows[] = {
	{ 0, "total", NULL, OPTION_FLAG, offsetof(struct map_given, total), NULL },
	{ 0, "check", NULL, OPTION_FLAG, offsetof(struct map_given, check), NULL },
	{ 0, "from", "SOURCE", OPTION_TEXT, offsetof(struct map_given, from), NULL },
};

enum { TABLES = 4 };

static void set_tables(struct option_table tables[TABLES], struct common_options *common,
		       struct run *run)
{
	tables[0] = (struct option_table){ common_options, common_options_count, common };
	tables[1] = (struct option_table){ target_rows, ARRAY_SIZE(target_rows), &run->targets };
	tables[2] = (struct option_table){ pmap_option_rows, pmap_option_count, &run->given };
	tables[3] = (struct option_table){ map_rows, ARRAY_SIZE(map_rows), &run->map };
}

bool pmap_is_name(const char *program)
{
	const char *slash = program ? strrchr(program, '/') : NULL;

	return program && strcmp(slash ? slash + 1 : program, "pmap") == 0;
}

bool pmap_wants(int argc, char **argv)
{
	struct common_options common = { 0 };
	struct option_table tables[TABLES];
	struct run *run = mem_zalloc(sizeof(*run));
	bool given;

	set_tables(tables, &common, run);
	options_scan(tables, TABLES, argc, argv);
	given = pmap_is_given(&run->given);
	free(run);
	return given;
}

void pmap_help(struct out *out)
{
	const struct option_table table = { pmap_option_rows, pmap_option_count, NULL };

	out_str(out, "\nOptions of pmap, whose output they give:\n");
	options_help(out, &table);
}

static void failed(struct run *run, const struct error *err)
{
	error_print(err);
	run->status |= STATUS_PARTIAL;
}

/* Options that shape vmview's own table have nothing to shape here. */
static int refuse_others(const struct run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	const struct {
		const char *name;
		bool given;
	} refused[] = {
		{ "html", options->html },
		{ "openmetrics", options->openmetrics },
		{ "json", options->json },
		{ "csv", options->csv },
		{ "columns", options->columns },
		{ "sort", options->sort },
		{ "filter", options->filter },
		{ "bytes", options->bytes },
		{ "human", options->human },
		{ "pages", options->pages },
		{ "noheadings", options->noheadings },
		{ "raw", options->raw },
		{ "core", options->core.count },
		{ "total", run->map.total },
		{ "check", run->map.check },
		{ "from", run->map.from },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (refused[i].given)
			return error_set(err, EINVAL, "--%s does not go with pmap's options",
					 refused[i].name);
	return 0;
}

/* "~/.pmaprc" whatever we are called, so that it is shared with pmap. NULL: no home. */
static const char *default_rc(struct run *run)
{
	const char *home = getenv("HOME");

	return home ? arena_printf(&run->ctx->arena, "%s/.pmaprc", home) : NULL;
}

static int find_rc(struct run *run, const char *given, const char **path, struct error *err)
{
	*path = given ? given : default_rc(run);
	return *path ? 0 : error_set(err, ENOENT, "HOME variable undefined");
}

static int create_rc(struct run *run, struct error *err)
{
	const char *path;
	int rc = find_rc(run, run->given.rc_to, &path, err);

	if (rc == 0)
		rc = rcfile_create(path, bytes_of(pmap_rc_template), err);
	if (rc == 0)
		error_note("%s successfully created, feel free to edit the content",
			   run->given.rc_to ? "rc file" : "~/.pmaprc file");
	return rc;
}

static int read_rc(struct run *run, struct error *err)
{
	struct pmap_rc *parsed = arena_zalloc(&run->ctx->arena, sizeof(*parsed));
	struct bytes text;
	const char *path;
	int rc = find_rc(run, run->given.rc_from, &path, err);

	if (rc == 0)
		rc = rcfile_read(path, &run->ctx->arena, &text, err);
	if (rc)
		return rc;
	pmap_rc_parse(text, &run->ctx->arena, parsed);
	for (size_t i = 0; i < parsed->note_count && i < PMAP_RC_NOTES; i++)
		error_note("%s - line %zu", parsed->notes[i].what, parsed->notes[i].line);
	if (parsed->note_count > PMAP_RC_NOTES)
		error_note("and %zu lines more", parsed->note_count - PMAP_RC_NOTES);
	run->style.fields = parsed->fields;
	run->style.field_count = parsed->field_count;
	run->style.path ^= parsed->toggle_path;
	return 0;
}

static void title(struct run *run, struct visit *visit)
{
	if (!run->titled)
		pmap_title(&run->pmap, &visit->process);
	run->titled = true;
}

static void begin(struct run *run, struct visit *visit)
{
	title(run, visit);
	if (!run->begun)
		pmap_begin(&run->pmap, &visit->process);
	run->begun = true;
}

static int take(void *ctx, struct visit *visit, struct vma *vma)
{
	struct run *run = ctx;
	struct pmap *pmap = &run->pmap;
	struct error err;

	begin(run, visit);
	/* only now, since few processes have a SysV segment */
	if (!run->shm_asked && pmap_is_sysv_name(vma)) {
		run->shm_asked = true;
		pmap->shm_known = shm_device(&run->ctx->root, &pmap->shm_minor, &err) == 0;
		if (!pmap->shm_known)
			failed(run, &err);
	}
	/* pmap has no sign for an estimate */
	vma->have &= ~vma->estimated;
	pmap_add(pmap, vma);
	return 0;
}

/* pmap shows the header of what has no memory, too, but not of what may not be read. */
static void done(void *ctx, struct visit *visit)
{
	struct run *run = ctx;

	title(run, visit);
	if (visit->absent.kind == ABSENT_NOT || visit->absent.kind == ABSENT_NONE)
		begin(run, visit);
	if (run->begun)
		pmap_end(&run->pmap);
	if (visit->result.from_pages)
		error_note("%d: from the page walk, which does not tell all: %s", visit->dir.pid,
			   visit->result.spared);
	run->titled = run->begun = false;
}

/* As pmap takes them: repeated ones are shown again, names below /proc that are no PIDs passed over. */
static int find_operands(struct run *run, int count, char **operands, struct targets *out,
			 struct error *err)
{
	int pid;

	*out = (struct targets){ .pids = arena_alloc(&run->ctx->arena,
						     (size_t)count * sizeof(out->pids[0])) };
	for (int i = 0; i < count; i++) {
		if (!pmap_parse_pid(operands[i], &pid))
			return error_set(err, EINVAL, "'%.100s' is no process id (try -h)",
					 operands[i]);
		/* a thread's number means its process */
		if (pid)
			out->pids[out->count++] = target_process(run->ctx, pid);
	}
	if (!out->count)
		return error_set(err, EINVAL, "none of the arguments is a process id");
	return 0;
}

static int find_targets(struct run *run, int count, char **operands, struct targets *out,
			struct error *err)
{
	if (targets_selected(&run->targets))
		return targets_find(run->ctx, &run->targets, count, operands, out, err);
	return find_operands(run, count, operands, out, err);
}

/* What -x shows of smaps. */
static const uint64_t extended_slots = 1ULL << SMAPS_RSS | 1ULL << SMAPS_SHARED_DIRTY |
				       1ULL << SMAPS_PRIVATE_DIRTY;

static void show_all(struct run *run, const struct targets *targets)
{
	bool fields = run->style.format == PMAP_EXTENDED || run->style.format == PMAP_FIELDS;
	const struct visitor visitor = {
		.command = "",
		.needs = fields ? NEED_SMAPS : 0,
		.facts = FACT_STAT | FACT_CMDLINE,
		.keys = &run->keys,
		.mapping = take,
		.done = done,
		.no_twins = true,
	};

	smaps_keys_init(&run->keys);
	if (run->style.format == PMAP_EXTENDED)
		run->keys.wanted = extended_slots;
	pmap_init(&run->pmap, &run->style, &run->keys, &run->ctx->out);
	visit_targets(run->ctx, targets, &visitor, run, &run->visits);
	pmap_fini(&run->pmap);
	if (run->visits.gone)
		run->status |= PMAP_STATUS_NO_PROCESS;
	if (run->visits.partial || run->visits.lost)
		run->status |= STATUS_PARTIAL;
}

/* What is left when the options are read. Returns 0, or -errno where nothing could be shown. */
static int run_operands(struct run *run, int count, char **operands, struct error *err)
{
	struct targets targets;
	int rc = refuse_others(run, err);

	if (rc == 0)
		rc = pmap_style_from(&run->given, targets_selected(&run->targets) ? 1 : count,
				     &run->style, err);
	if (rc)
		return rc;
	if (run->given.create_rc || run->given.rc_to)
		return create_rc(run, err);
	if (run->given.read_rc || run->given.rc_from)
		rc = read_rc(run, err);
	if (rc == 0)
		rc = context_root(run->ctx, err);
	if (rc == 0)
		rc = find_targets(run, count, operands, &targets, err);
	if (rc == 0)
		show_all(run, &targets);
	return rc;
}

int pmap_run(struct context *ctx, int argc, char **argv)
{
	struct run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	struct option_table tables[TABLES];
	struct error err;
	int operands, rc;

	run->ctx = ctx;
	set_tables(tables, &ctx->options, run);
	rc = options_parse(tables, TABLES, argc, argv, &operands, &err);
	if (rc == 0 && ctx->options.help) {
		out_str(&ctx->out, "Usage: vmview [map] [OPTIONS] PID...\n"
				   "As pmap shows it; vmview map --help has the rest.\n");
		pmap_help(&ctx->out);
		return STATUS_OK;
	}
	if (rc == 0 && ctx->options.version) {
		out_str(&ctx->out, PACKAGE_STRING "\n");
		return STATUS_OK;
	}
	if (rc == 0 && run->given.ignored)
		error_note("option -r is ignored as SunOS compatibility");
	if (rc == 0)
		rc = run_operands(run, argc - operands, argv + operands, &err);
	if (rc) {
		error_print(&err);
		run->status = PMAP_STATUS_USAGE;
	}
	return ctx->status = run->status;
}
