/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/cores.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "engine/context.h"
#include "engine/targets.h"
#include "model/core.h"
#include "source/core_source.h"

/* What is wrong with a core: the rest of it is shown. */
static void tell_core(struct context *ctx, const struct core *core)
{
	struct error err;

	if (core->lost) {
		error_set(&err, EIO, "%.300s: cut short: it should have %llu bytes of memory more",
			  core->path, (unsigned long long)core->lost);
		context_partial(ctx, &err);
	}
	if (core->cut) {
		error_set(&err, EIO, "%.300s: its notes are incomplete", core->path);
		context_partial(ctx, &err);
	}
	if (core->malformed || core->overlaps) {
		error_set(&err, EPROTO, "%.300s: %zu of its mappings can not be, %zu overlap",
			  core->path, core->malformed, core->overlaps);
		context_partial(ctx, &err);
	}
	if (core->unmapped) {
		error_set(&err, EPROTO, "%.300s: %zu of the files it names are in no mapping",
			  core->path, core->unmapped);
		context_partial(ctx, &err);
	}
}

static bool has_handle(const struct core *list, int handle)
{
	for (; list; list = list->next)
		if (list->handle == handle)
			return true;
	return false;
}

/* The files of all are looked for in one place, and pages are rounded to in one way. */
static int check_core(const struct context *ctx, const struct core *core, struct error *err)
{
	const struct core *first = ctx->core;

	if (first && first->page_size != core->page_size)
		return error_set(err, EPROTO, "%.300s: has other pages than %.300s: one at a time",
				 core->path, first->path);
	for (; first && ctx->options.csv; first = first->next)
		if (first->pid == core->pid)
			return error_set(
				err, EPROTO,
				"%.300s: is of process %d too: CSV does not tell them apart",
				core->path, core->pid);
	return 0;
}

/* Its handle, or NULL where it can not be read, which is told. */
static char *add_core(struct context *ctx, const char *path)
{
	struct core *core, **end = &ctx->core;
	struct error err;
	int rc = core_open(path, &ctx->arena, &core, &err);

	if (rc == 0) {
		rc = check_core(ctx, core, &err);
		if (rc)
			core_close(core);
	}
	if (rc) {
		context_partial(ctx, &err);
		return NULL;
	}
	core->handle = core->pid;
	while (has_handle(ctx->core, core->handle))
		core->handle = core->handle == INT_MAX ? 1 : core->handle + 1;
	for (; *end; end = &(*end)->next)
		core->index++;
	*end = core;
	tell_core(ctx, core);
	return arena_printf(&ctx->arena, "%d", core->handle);
}

/* A file that is named in place of a process. */
static bool is_core(const char *operand, struct error *err, int *rc)
{
	struct stat st;
	int pid;

	if (target_parse_pid(operand, &pid) || stat(operand, &st))
		return false;
	if (!S_ISREG(st.st_mode))
		*rc = error_set(err, EINVAL, "%.300s: not a regular file, so no core", operand);
	return S_ISREG(st.st_mode);
}

int cores_open(struct context *ctx, const struct command *command, int argc, char **argv,
	       int *operands, struct error *err)
{
	const struct option_texts *named = &ctx->options.core;
	int first = *operands - (int)named->count, to = first, rc = 0, asked = (int)named->count;

	if (asked > command->cores)
		return command->cores ?
			       error_set(err, EINVAL, "--core: one at a time") :
			       error_set(err, EINVAL, "--core: a core does not know what %s tells",
					 command->name);
	for (size_t i = 0; i < named->count; i++) {
		argv[to] = add_core(ctx, named->list[i]);
		to += argv[to] != NULL;
	}
	for (int i = *operands; i < argc; i++) {
		bool more = i - *operands < command->cores - (int)named->count;

		argv[to] = argv[i];
		if (more && is_core(argv[i], err, &rc)) {
			argv[to] = add_core(ctx, argv[i]);
			asked++;
		}
		to += argv[to] != NULL;
	}
	*operands = argc - (to - first);
	memmove(&argv[*operands], &argv[first], (size_t)(to - first) * sizeof(argv[0]));
	if (rc || !asked)
		return rc;
	if (!ctx->core)
		return -EPROTO;
	ctx->files = ctx->root;
	root_of_core(&ctx->root, ctx->core, &ctx->files);
	return 0;
}
