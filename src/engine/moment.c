/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/moment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/num.h"
#include "engine/context.h"
#include "engine/cores.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "source/facts.h"
#include "source/map_document.h"
#include "source/memcg.h"

/* What one is read with. */
struct reading {
	struct moment *moment;
	const struct moment_wants *wants;
	const char *reason, *kept; /* a reason of the visit, and its copy */
};

/* It lives as long as the moment; most mappings have the same. */
static const char *keep_reason(struct reading *reading, const char *reason)
{
	if (!reason)
		return NULL;
	if (reading->reason != reason) {
		reading->reason = reason;
		reading->kept = arena_strdup(&reading->moment->arena, reason);
	}
	return reading->kept;
}

static int take_mapping(void *ctx, struct visit *visit, struct vma *vma)
{
	struct reading *reading = ctx;
	const struct vma was = *vma;

	(void)visit;
	vma->absent = keep_reason(reading, vma->absent);
	vma->why_lost = vma->lost ? keep_reason(reading, vma->why_lost) : NULL;
	vma->object = NULL;
	/* of a core, which knows of no file but its name */
	if (vma->core) {
		vma->dev_major = vma->dev_minor = 0;
		vma->inode = 0;
		vma->core = NULL;
	}
	vma_store_add(&reading->moment->vmas, vma);
	*vma = was;
	return 0;
}

static void forget_mappings(void *ctx, struct visit *visit)
{
	struct reading *reading = ctx;

	(void)visit;
	vma_store_clear(&reading->moment->vmas);
}

static void take_facts(void *ctx, struct visit *visit)
{
	struct reading *reading = ctx;
	struct moment *moment = reading->moment;
	const struct process *from = &visit->process;
	struct process *to = &moment->process;

	moment->read = true;
	moment->complete = visit->complete;
	moment->absent = visit->absent.words ? arena_strdup(&moment->arena, visit->absent.words) :
					       NULL;
	*to = (struct process){ .pid = from->pid,
				.ppid = from->ppid,
				.state = from->state,
				.threads = from->threads,
				.start_time = from->start_time,
				.kernel_thread = from->kernel_thread };
	to->comm = arena_bytes(&moment->arena, from->comm);
	to->cmdline = arena_bytes(&moment->arena, from->cmdline);
	to->cgroup = arena_bytes(&moment->arena, from->cgroup);
}

/* Of the groups that the process is in, the one that has the least room left. */
static void read_limit(const struct root *root, struct moment *moment)
{
	struct moment_limit *limit = &moment->limit;
	struct memcg_mount mount;
	struct bytes path;

	limit->reason = "none of its cgroups has a limit that is known";
	memcg_find_mount(root, &moment->arena, &mount);
	if (mount.version == MEMCG_NONE || !moment->process.cgroup.len)
		return;
	path = memcg_path_below(&mount, moment->process.cgroup);
	for (; path.len > 1; path.len--) {
		struct memcg memcg;

		if (path.data[path.len - 1] == '/')
			continue;
		if (memcg_read(root, &mount, path, MEMCG_WANT_LIMITS, &moment->arena, &memcg,
			       NULL) == 0 &&
		    memcg_knows(&memcg, MEMCG_MAX) && memcg_knows(&memcg, MEMCG_CURRENT)) {
			uint64_t max = memcg.fact[MEMCG_MAX].u, now = memcg.fact[MEMCG_CURRENT].u;

			if (now < max && (limit->reason || max - now < limit->max - limit->current))
				*limit = (struct moment_limit){ NULL, path, now, max };
		}
		while (path.len > 1 && path.data[path.len - 1] != '/')
			path.len--;
	}
}

static void read_process(struct context *ctx, int pid, struct reading *reading)
{
	const struct visitor visitor = {
		.command = ctx->command,
		.needs = reading->wants->needs,
		.facts = FACT_STAT | FACT_CMDLINE | FACT_CGROUP,
		.keys = reading->wants->keys,
		.mapping = take_mapping,
		.collects = true,
		.restart = forget_mappings,
		.no_twins = true,
		.done = take_facts,
	};
	const struct targets targets = { .pids = &pid, .count = 1 };
	struct visits visits = { 0 };

	visit_targets(ctx, &targets, &visitor, reading, &visits);
	if (reading->moment->read)
		read_limit(&ctx->root, reading->moment);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void take_text(struct moment_time *time, struct bytes text)
{
	time->text = text;
	time->known = moment_time_parse(text, &time->real_ns);
}

static void read_clock(struct context *ctx, struct moment *moment)
{
	struct moment_time *time = &moment->time;
	time_t seconds;
	struct tm utc;
	char text[40];

	if (ctx->root.recorded) {
		if (ctx->host.time)
			take_text(time, bytes_of(ctx->host.time));
		return;
	}
	time->known = true;
	time->real_ns = clock_ns(CLOCK_REALTIME);
	time->boot_ns = clock_ns(CLOCK_BOOTTIME);
	if (root_read(&ctx->root, &moment->arena, &time->boot_id, NULL,
		      "proc/sys/kernel/random/boot_id"))
		time->boot_id.len = 0;
	time->boot_id.len -= time->boot_id.len && time->boot_id.data[time->boot_id.len - 1] == '\n';
	seconds = (time_t)(time->real_ns / 1000000000u);
	if (gmtime_r(&seconds, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		time->text = arena_bytes(&moment->arena, bytes_of(text));
}

static int whole_text(void *ctx, struct bytes *piece)
{
	struct bytes *left = ctx;

	*piece = *left;
	left->len = 0;
	return 0;
}

/* "boot_id" of its host. */
static void read_manifest_host(struct json *json, struct moment *moment)
{
	enum json_token token;

	while ((token = json_next(json)) > JSON_END && token != JSON_OBJECT_END) {
		if (token == JSON_STRING && bytes_equal(json->key, BYTES("boot_id")))
			moment->time.boot_id = arena_bytes(&moment->arena, json->text);
		json_skip(json, token);
	}
}

static void take_boottime(struct moment_time *time, struct bytes text)
{
	char copy[40];

	if (text.len >= sizeof(copy))
		return;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (!num_user_time(copy, &time->boot_ns))
		time->boot_ns = 0;
}

/* When it was recorded. */
static void read_manifest(const struct root *root, struct moment *moment)
{
	struct moment_time *time = &moment->time;
	enum json_token token;
	struct bytes text;
	struct json json;

	if (root_read(root, &moment->arena, &text, NULL, "manifest.json"))
		return;
	json_init(&json, whole_text, &text);
	token = json_next(&json);
	while (token == JSON_OBJECT && (token = json_next(&json)) > JSON_END &&
	       token != JSON_OBJECT_END) {
		if (token == JSON_STRING && bytes_equal(json.key, BYTES("time")))
			take_text(time, arena_bytes(&moment->arena, json.text));
		else if (token == JSON_NUMBER && bytes_equal(json.key, BYTES("boottime")))
			take_boottime(time, json.text);
		else if (token == JSON_OBJECT && bytes_equal(json.key, BYTES("host")))
			read_manifest_host(&json, moment);
		else
			json_skip(&json, token);
		token = JSON_OBJECT;
	}
	json_fini(&json);
}

/* Which process of a recording: the one that was named, else the one that it has, else the hint. */
static int choose_process(struct context *side, const struct moment_source *source, int hint,
			  int *pid, struct error *err)
{
	struct targets all;
	int rc;

	*pid = 0;
	rc = targets_all(side, &all, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < all.count; i++)
		if (source->pid ? all.pids[i] == source->pid :
				  all.pids[i] == hint || all.count == 1)
			*pid = all.pids[i];
	if (*pid)
		return 0;
	if (source->pid)
		return error_set(err, ESRCH, "%.300s: has no process %d", source->path,
				 source->pid);
	return all.count ? error_set(err, EINVAL, "%.300s: has %zu processes: which? (%.60s:PID)",
				     source->label, all.count, source->label) :
			   error_set(err, ESRCH, "%.300s: has no process", source->label);
}

static void take_host(struct moment *moment, const struct host *from)
{
	struct host *host = &moment->host;

	host->page_size = from->page_size;
	host->kernel = from->kernel ? arena_strdup(&moment->arena, from->kernel) : NULL;
	host->time = from->time ? arena_strdup(&moment->arena, from->time) : NULL;
}

static int read_recording(struct context *ctx, struct reading *reading, struct error *err)
{
	struct moment *moment = reading->moment;
	const struct moment_source *source = moment->source;
	struct context side;
	int pid, rc = context_side(ctx, source->path, &side, err);

	if (rc)
		return rc;
	rc = choose_process(&side, source, reading->wants->hint, &pid, err);
	if (rc == 0) {
		take_host(moment, &side.host);
		if (side.host.time)
			take_text(&moment->time,
				  arena_bytes(&moment->arena, bytes_of(side.host.time)));
		read_manifest(&side.root, moment);
		read_process(&side, pid, reading);
	}
	context_side_end(ctx, &side);
	return rc;
}

static int read_core(struct context *ctx, struct reading *reading, struct error *err)
{
	const struct command command = { .name = ctx->command, .cores = 1 };
	struct moment *moment = reading->moment;
	const struct moment_source *source = moment->source;
	char *argv[] = { NULL, NULL, NULL };
	struct context side;
	int pid, operands = 1, rc = context_side(ctx, NULL, &side, err);

	if (rc)
		return rc;
	argv[1] = arena_strdup(&side.arena, source->path);
	rc = cores_open(&side, &command, 2, argv, &operands, err);
	if (rc == 0 && operands < 2 && target_parse_pid(argv[operands], &pid))
		read_process(&side, pid, reading);
	take_host(moment, &(struct host){ .page_size = side.host.page_size });
	context_side_end(ctx, &side);
	/* what else can be wrong with it was told */
	return rc == -EINVAL ? rc : 0;
}

static int read_document(struct reading *reading, struct error *err)
{
	struct moment *moment = reading->moment;
	const struct moment_source *source = moment->source;
	int rc, fd = open(source->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const struct map_document_request request = { source->pid, reading->wants->keys,
						      &moment->arena, &moment->vmas };
	struct map_document document;

	if (fd < 0)
		return error_errno(err, errno, "%.300s", source->label);
	rc = map_document_read_fd(fd, source->label, &request, &document, err);
	close(fd);
	if (rc)
		return rc;
	if (!source->pid && document.processes > 1)
		return error_set(err, EINVAL, "%.300s: has %zu processes: which? (%.60s:PID)",
				 source->label, document.processes, source->label);
	moment->read = true;
	moment->complete = document.complete && !document.malformed;
	moment->absent = document.malformed ? "the document has mappings that can not be" : NULL;
	moment->process = (struct process){ .pid = document.pid,
					    .comm = document.comm,
					    .cmdline = document.cmdline,
					    .cgroup = document.cgroup,
					    .start_time = document.start_time };
	moment->limit.reason = map_document_lacks;
	take_host(moment, &(struct host){ document.kernel.data, document.time.data,
					  (size_t)sysconf(_SC_PAGESIZE) });
	take_text(&moment->time, document.time);
	return 0;
}

int moment_read(struct context *ctx, const struct moment_source *source,
		const struct moment_wants *wants, struct moment *moment, struct error *err)
{
	struct reading reading = { .moment = moment, .wants = wants };
	int rc = 0;

	*moment = (struct moment){ .source = source };
	moment->limit.reason = "a core does not know it";
	arena_init(&moment->arena);
	vma_store_init(&moment->vmas);
	switch (source->from) {
	case MOMENT_PROCESS:
		moment->host = ctx->host;
		read_clock(ctx, moment);
		read_process(ctx, source->pid, &reading);
		break;
	case MOMENT_RECORDING:
		rc = read_recording(ctx, &reading, err);
		break;
	case MOMENT_CORE:
		rc = read_core(ctx, &reading, err);
		break;
	case MOMENT_DOCUMENT:
		rc = read_document(&reading, err);
		break;
	}
	if (rc == 0 || rc == -EINVAL)
		return rc;
	context_partial(ctx, err);
	return 0;
}

void moment_fini(struct moment *moment)
{
	vma_store_fini(&moment->vmas);
	arena_fini(&moment->arena);
}
