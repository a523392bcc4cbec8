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
#include "engine/mappings.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "model/process.h"
#include "model/smaps_key.h"
#include "source/facts.h"
#include "source/rcfile.h"
#include "source/shm.h"
#include "source/taskstat.h"

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
	unsigned needs;
	struct smaps_keys keys;
	struct mappings *mappings;
	struct pmap pmap;
	bool shm_asked;
	int status;
};

/* The process at hand. */
struct show {
	struct run *run;
	const struct procdir *dir;
	struct arena *arena;
	struct process process;
	int facts_rc; /* of reading them */
	bool titled;
	bool begun; /* the header is written: its memory could be read */
};

static const struct option_row target_rows[] = { TARGET_OPTION_ROWS };

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

static void title(struct show *show)
{
	if (!show->titled)
		pmap_title(&show->run->pmap, &show->process);
	show->titled = true;
}

static void begin(struct show *show)
{
	title(show);
	if (!show->begun)
		pmap_begin(&show->run->pmap, &show->process);
	show->begun = true;
}

static int take(void *opaque, struct vma *vma)
{
	struct show *show = opaque;
	struct pmap *pmap = &show->run->pmap;
	struct error err;

	begin(show);
	/* only now, since few processes have a SysV segment */
	if (!show->run->shm_asked && pmap_is_sysv_name(vma)) {
		show->run->shm_asked = true;
		pmap->shm_known = shm_device(&show->run->ctx->root, &pmap->shm_minor, &err) == 0;
		if (!pmap->shm_known)
			failed(show->run, &err);
	}
	pmap_add(pmap, vma);
	return 0;
}

/* What pmap leaves unsaid; that nothing could be read, the caller says. */
static void note_result(struct run *run, int pid, const struct mappings_result *result, bool denied)
{
	const struct smaps_pass *pass = &result->pass;
	struct error err;

	if (pass->malformed) {
		smaps_malformed(pass, &run->keys, pid, result->file, &err);
		failed(run, &err);
	}
	if (pass->cut_off) {
		error_set(&err, ESRCH, "%d: its memory went away while it was read: incomplete",
			  pid);
		failed(run, &err);
	}
	if (pass->changed) {
		error_set(&err, EAGAIN, "%d: %zu mappings changed while they were read: incomplete",
			  pid, pass->changed);
		failed(run, &err);
	}
	if (result->smaps_reason && !denied) {
		error_set(&err, EACCES, "%d: smaps: %s", pid, result->smaps_reason);
		failed(run, &err);
	}
}

static void unreadable(struct run *run, int rc, const struct error *err)
{
	struct error told = *err;

	if (rc == -EACCES || rc == -EPERM)
		error_set(&told, -rc, "%s (try: sudo vmview ...)", err->text);
	failed(run, &told);
}

static int read_facts(void *opaque, struct error *err)
{
	struct show *show = opaque;

	show->facts_rc =
		facts_read(show->dir, show->arena, FACT_STAT | FACT_CMDLINE, &show->process, err);
	if (show->facts_rc)
		return show->facts_rc;
	return facts_are_settled(show->dir, &show->process) ? 0 : MAPPINGS_UNSETTLED;
}

static int show_process(struct run *run, const struct procdir *dir, struct arena *arena,
			struct error *err)
{
	struct show show = { .run = run, .dir = dir, .arena = arena };
	struct mappings_result result;
	int rc;

	mappings_read_facts(run->mappings, read_facts, &show);
	rc = mappings_read(run->mappings, dir, run->needs, take, &show, &result, err);
	if (show.facts_rc && !show.titled)
		return rc;
	title(&show);
	if (rc == 0 && mappings_ended(dir, &show.process, &result))
		result.pass.cut_off = true;
	else if (rc >= 0)
		begin(&show);
	if (show.begun)
		pmap_end(&run->pmap);
	note_result(run, dir->pid, &result, rc < 0);
	if (rc < 0)
		unreadable(run, rc, err);
	return 0;
}

/* The process that a thread belongs to: pmap shows that one, under its own number. */
static int open_process(struct run *run, struct procdir *dir, int pid, struct arena *arena,
			struct error *err)
{
	int rc = procdir_open(dir, &run->ctx->root, pid, err);
	struct bytes status;
	uint64_t tgid;

	if (rc || procdir_read(dir, arena, &status, NULL, "status") ||
	    !status_u64(status, "Tgid", &tgid) || tgid == (uint64_t)pid || !tgid || tgid > INT_MAX)
		return rc;
	procdir_close(dir);
	return procdir_open(dir, &run->ctx->root, (int)tgid, err);
}

static void show_pid(struct run *run, int pid, bool selected)
{
	struct procdir dir;
	struct arena arena;
	struct error err;
	int rc;

	arena_init(&arena);
	rc = open_process(run, &dir, pid, &arena, &err);
	if (rc == 0) {
		rc = show_process(run, &dir, &arena, &err);
		procdir_close(&dir);
	}
	if (rc == -ESRCH && !selected) {
		error_print(&err);
		run->status |= PMAP_STATUS_NO_PROCESS;
	} else if (rc && rc != -ESRCH) {
		unreadable(run, rc, &err);
	}
	arena_fini(&arena);
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
		if (pid)
			out->pids[out->count++] = pid;
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

	run->needs = fields ? NEED_SMAPS : 0;
	smaps_keys_init(&run->keys);
	if (run->style.format == PMAP_EXTENDED)
		run->keys.wanted = extended_slots;
	run->mappings = mappings_new(&run->ctx->root, &run->keys);
	mappings_from(run->mappings, MAPPINGS_SMAPS);
	pmap_init(&run->pmap, &run->style, &run->keys, &run->ctx->out);
	for (size_t i = 0; i < targets->count; i++)
		show_pid(run, targets->pids[i], targets->selected);
	pmap_fini(&run->pmap);
	mappings_free(run->mappings);
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
