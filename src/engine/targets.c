/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/targets.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/search.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/pids.h"
#include "source/taskstat.h"
#include "source/users.h"

bool target_parse_pid(const char *text, int *pid)
{
	const char *end;
	uint64_t number;

	if (strncmp(text, "/proc/", 6) == 0)
		text += 6;
	end = text + strlen(text);
	if (end > text && end[-1] == '/')
		end--;
	if (!num_parse_dec(&text, end, &number) || text != end || !number || number > INT32_MAX)
		return false;
	*pid = (int)number;
	return true;
}

bool target_is_name(const char *word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return *word && strchr(letters, *word) && !strpbrk(word, "/,:=+ ");
}

int target_process(struct context *ctx, int pid)
{
	struct procdir dir;
	struct bytes status;
	uint64_t tgid = 0;

	if (ctx->root.core || procdir_open(&dir, &ctx->root, pid, NULL))
		return pid;
	if (procdir_read(&dir, &ctx->arena, &status, NULL, "status") ||
	    !status_u64(status, "Tgid", &tgid) || tgid > INT32_MAX)
		tgid = 0;
	procdir_close(&dir);
	return tgid ? (int)tgid : pid;
}

static void add(struct targets *targets, int pid)
{
	for (size_t i = 0; i < targets->count; i++)
		if (targets->pids[i] == pid)
			return;
	targets->pids[targets->count++] = pid;
}

/* Whoever types a name means the processes of that name. */
static int not_an_id(const char *word, struct error *err)
{
	if (!target_is_name(word))
		return error_set(err, EINVAL, "'%.100s' is no process id (try --help)", word);
	return error_set(err, EINVAL, "'%.100s' is no process id (by name: --name=%.100s)", word,
			 word);
}

static int add_operands(struct context *ctx, int argc, char **argv, struct targets *out,
			struct error *err)
{
	int pid;

	out->pids = arena_alloc(&ctx->arena, (size_t)argc * sizeof(out->pids[0]));
	for (int i = 0; i < argc; i++) {
		if (!target_parse_pid(argv[i], &pid))
			return not_an_id(argv[i], err);
		add(out, pid);
	}
	return 0;
}

/* What options select by, parsed. */
struct selector {
	const struct target_options *options;
	regex_t name;
	struct bytes cgroup; /* len 0: any */
	int tree; /* 0: any */
};

/* The path as in /proc/PID/cgroup: also where it is given as below the mount, or as systemctl shows it. */
static struct bytes cgroup_path(const char *path, struct arena *arena)
{
	static const struct bytes mount = BYTES_INIT("/sys/fs/cgroup");
	struct bytes want = bytes_of(path);

	if (bytes_start_with(want, mount) && (want.len == mount.len || path[mount.len] == '/'))
		want = bytes_of(path + mount.len);
	if (!want.len || *want.data != '/')
		want = bytes_of(arena_printf(arena, "/%s", want.len ? path : ""));
	while (want.len > 1 && want.data[want.len - 1] == '/')
		want.len--;
	return want;
}

static bool is_in_cgroup(struct context *ctx, int pid, struct bytes want)
{
	struct process process;
	struct procdir dir;
	bool in;

	if (procdir_open(&dir, &ctx->root, pid, NULL))
		return false;
	in = facts_read(&dir, &ctx->arena, FACT_CGROUP, &process, NULL) == 0 &&
	     bytes_start_with(process.cgroup, want) &&
	     (process.cgroup.len == want.len || want.len == 1 ||
	      process.cgroup.data[want.len] == '/');
	procdir_close(&dir);
	return in;
}

static bool has_user(const struct pid_entry *entry, const char *user)
{
	uint64_t uid;

	return bytes_equal(entry->user, bytes_of(user)) ||
	       (num_user_u64(user, &uid) && uid == entry->uid);
}

static size_t find_pid(const struct pid_entry *list, size_t count, int pid)
{
	size_t at = SEARCH(i, 0, count, list[i].pid < pid);

	return at < count && list[at].pid == pid ? at : count;
}

/* Mark pid and all that descend from it; the list is sorted, but children may have lower pids. */
static void mark_tree(const struct pid_entry *list, size_t count, int pid, bool *in)
{
	bool again = true;

	while (again) {
		again = false;
		for (size_t i = 0; i < count; i++) {
			size_t parent;

			if (in[i])
				continue;
			parent = find_pid(list, count, list[i].ppid);
			in[i] = list[i].pid == pid || (parent < count && in[parent]);
			again |= in[i];
		}
	}
}

/* Nothing was found: because what is asked for is not there at all? */
static int no_match(struct context *ctx, const struct selector *selector, bool tree,
		    struct error *err)
{
	const struct target_options *options = selector->options;
	uint64_t uid;

	if (options->user && !num_user_u64(options->user, &uid) && !ctx->root.recorded &&
	    !users_know(options->user))
		return error_set(err, EINVAL, "--user: there is no user '%.100s'", options->user);
	if (selector->tree && !tree)
		return error_set(err, ESRCH, "no process %d", selector->tree);
	if (options->cgroup)
		return error_set(err, ESRCH,
				 "no process matches (--cgroup is a path as in /proc/PID/cgroup)");
	return error_set(err, ESRCH, "no process matches");
}

static bool is_selected(struct context *ctx, const struct selector *selector,
			const struct pid_entry *entry)
{
	const struct target_options *options = selector->options;
	regmatch_t range = { 0, (regoff_t)entry->comm.len };

	if (options->name && regexec(&selector->name, entry->comm.len ? entry->comm.data : "", 1,
				     &range, REG_STARTEND))
		return false;
	if (options->user && !has_user(entry, options->user))
		return false;
	return !selector->cgroup.len || is_in_cgroup(ctx, entry->pid, selector->cgroup);
}

static int add_selected(struct context *ctx, const struct selector *selector, struct targets *out,
			struct error *err)
{
	struct pid_entry *list;
	size_t count;
	bool *in;
	int rc;

	out->selected = true;
	rc = pids_list(&ctx->root, &ctx->arena, &list, &count, err);
	if (rc)
		return rc;
	targets_check(ctx, count ? list[0].pid : 0);
	in = arena_zalloc(&ctx->arena, count);
	out->pids = arena_alloc(&ctx->arena, (count + 1) * sizeof(out->pids[0]));
	out->count = 0;
	if (selector->tree)
		mark_tree(list, count, selector->tree, in);
	for (size_t i = 0; i < count; i++)
		if ((!selector->tree || in[i]) && is_selected(ctx, selector, &list[i]))
			out->pids[out->count++] = list[i].pid;
	if (out->count)
		return 0;
	return no_match(ctx, selector, find_pid(list, count, selector->tree) < count, err);
}

void targets_check(struct context *ctx, int first)
{
	struct error err;

	/* process 1 of its namespace is listed as long as that lives */
	if (ctx->root.recorded || ctx->root.core || first == 1 || ctx->hidden)
		return;
	ctx->hidden = "hidden: processes of other users (hidepid of /proc)";
	error_set(&err, EACCES,
		  "processes of other users are hidden: /proc is mounted with hidepid%s",
		  reason_sudo_helps(ctx) ? " (try: sudo vmview)" : "");
	context_left_out(ctx, &err);
}

/* The numbers will do, no need to ask who they are. */
int targets_all(struct context *ctx, struct targets *out, struct error *err)
{
	int rc;

	*out = (struct targets){ .selected = true, .all = true };
	rc = pids_scan(&ctx->root, &ctx->arena, &out->pids, &out->count, err);
	if (rc)
		return rc;
	if (!out->count && !ctx->root.recorded)
		return error_set(err, ENOENT,
				 "/proc: there is no process: is procfs mounted there?");
	targets_check(ctx, out->count ? out->pids[0] : 0);
	return 0;
}

int targets_find(struct context *ctx, const struct target_options *options, int argc, char **argv,
		 struct targets *out, struct error *err)
{
	bool narrow = options->name || options->user || options->cgroup || options->tree;
	struct selector selector = { .options = options };
	bool select = targets_selected(options);
	int rc;

	*out = (struct targets){ 0 };
	if (!select && !argc)
		return error_set(err, EINVAL, "which process? (try --help)");
	if (select && argc)
		return error_set(err, EINVAL,
				 "either process ids or options that select, not both");
	if (!select)
		return add_operands(ctx, argc, argv, out, err);
	if (!narrow)
		return targets_all(ctx, out, err);
	if (options->cgroup)
		selector.cgroup = cgroup_path(options->cgroup, &ctx->arena);
	if (options->tree && !target_parse_pid(options->tree, &selector.tree))
		return error_set(err, EINVAL, "--tree: '%.100s' is no process id", options->tree);
	if (options->name && regcomp(&selector.name, options->name, REG_EXTENDED | REG_NOSUB))
		return error_set(err, EINVAL, "--name: '%.100s' is no regular expression",
				 options->name);
	rc = add_selected(ctx, &selector, out, err);
	if (options->name)
		regfree(&selector.name);
	return rc;
}
