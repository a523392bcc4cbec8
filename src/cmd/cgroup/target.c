/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cgroup/cgroup.h"

#include <errno.h>
#include <string.h>

#include "analysis/cgroup_name.h"
#include "base/arena.h"
#include "base/error.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "source/facts.h"

enum { ID_LEAST = 4 };

static bool is_hex(struct bytes text)
{
	return text.len >= ID_LEAST && strspn(text.data, "0123456789abcdef") >= text.len;
}

static struct bytes last_part(struct bytes path)
{
	const char *slash = memrchr(path.data, '/', path.len);

	return slash ? (struct bytes){ slash + 1, (size_t)(path.data + path.len - slash - 1) } :
		       path;
}

/* A unit may be written without its type. */
static bool is_named(struct bytes path, struct bytes name)
{
	static const char *const types[] = { "", ".service", ".slice", ".scope" };
	struct bytes part = last_part(path), id = cgroup_container(path);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (part.len == name.len + strlen(types[i]) && bytes_start_with(part, name) &&
		    bytes_end_with(part, bytes_of(types[i])))
			return true;
	return is_hex(name) && id.len && bytes_start_with(id, name);
}

/* Of several, one that the others are below: "user.slice" is not every group in it. */
static int find_name(struct cgroup_view *view, struct bytes name, struct bytes *path,
		     struct error *err)
{
	struct bytes found = { NULL, 0 };

	for (size_t i = 0; i < view->cgroups.count; i++) {
		struct bytes one = view->cgroups.list[i].path;

		if (!is_named(one, name))
			continue;
		if (found.len && !cgroup_is_below(one, found) && !cgroup_is_below(found, one))
			return error_set(err, EINVAL, "'%.*s' may be %.*s or %.*s", (int)name.len,
					 name.data, (int)found.len, found.data, (int)one.len,
					 one.data);
		if (!found.len || cgroup_is_below(found, one))
			found = one;
	}
	if (!found.len)
		return error_set(
			err, ENOENT,
			"'%.*s' is no cgroup, process or container (try: vmview cgroup --tree)",
			(int)name.len, name.data);
	*path = found;
	return 0;
}

static int find_path(struct cgroup_view *view, struct bytes text, struct bytes *path)
{
	struct arena *arena = &view->ctx->arena;
	struct bytes dir = view->mount.dir, below;

	/* below the mount, as a shell completes it */
	if (text.len > dir.len && *text.data == '/' &&
	    bytes_start_with((struct bytes){ text.data + 1, text.len - 1 }, dir)) {
		text.data += 1 + dir.len;
		text.len -= 1 + dir.len;
	}
	while (text.len > 1 && text.data[text.len - 1] == '/')
		text.len--;
	if (!text.len || *text.data != '/')
		text = bytes_of(arena_printf(arena, "/%.*s", (int)text.len, text.data));
	below = memcg_path_below(&view->mount, text);
	for (size_t i = 0; i < view->cgroups.count; i++)
		if (bytes_equal(view->cgroups.list[i].path, text) ||
		    (below.len && bytes_equal(view->cgroups.list[i].path, below))) {
			*path = view->cgroups.list[i].path;
			return 0;
		}
	return -ENOENT;
}

struct finding {
	struct cgroup_view *view;
	struct bytes cgroup;
};

static void done(void *opaque, struct visit *visit)
{
	struct finding *finding = opaque;

	finding->cgroup = arena_bytes(&finding->view->ctx->arena, visit->process.cgroup);
}

static int find_process(struct cgroup_view *view, int pid, struct bytes *path, struct error *err)
{
	static const struct visitor visitor = {
		.command = "cgroup",
		.facts = FACT_CGROUP,
		.no_mappings = true,
		.no_twins = true,
		.done = done,
	};
	struct finding finding = { .view = view };
	const struct targets targets = { .pids = &pid, .count = 1 };
	struct visits visits = { 0 };
	struct bytes below;

	visit_targets(view->ctx, &targets, &visitor, &finding, &visits);
	below = memcg_path_below(&view->mount, finding.cgroup);
	if (!finding.cgroup.len)
		return error_set(err, ESRCH, "%d: its cgroup is not known", pid);
	if (!below.len || find_path(view, below, path))
		return error_set(err, ENOENT, "%d: its cgroup %.*s is not below the mount", pid,
				 (int)finding.cgroup.len, finding.cgroup.data);
	return 0;
}

int cgroup_find(struct cgroup_view *view, const char *operand, struct bytes *path,
		struct error *err)
{
	struct bytes text = bytes_of(operand);
	int pid;

	cgroups_list(&view->cgroups);
	if (target_parse_pid(operand, &pid))
		return find_process(view, pid, path, err);
	if (find_path(view, text, path) == 0)
		return 0;
	if (memchr(text.data, '/', text.len))
		return error_set(err, ENOENT, "%s: no such cgroup (try: vmview cgroup --tree)",
				 operand);
	return find_name(view, text, path, err);
}
