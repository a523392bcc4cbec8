/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/cgroup_name.h"

#include <ctype.h>

#include "base/arena.h"
#include "base/array.h"

enum { ID_LONG = 64, ID_SHORT = 32, ID_SHOWN = 12, POD_SHOWN = 8 };

static struct bytes last_part(struct bytes path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;

	if (!slash)
		return path;
	return (struct bytes){ slash + 1, (size_t)(path.data + path.len - slash - 1) };
}

static struct bytes without(struct bytes text, const char *suffix)
{
	if (bytes_end_with(text, bytes_of(suffix)))
		text.len -= strlen(suffix);
	return text;
}

static size_t hex_digits(const char *at, const char *end)
{
	const char *from = at;

	while (at < end && isxdigit((unsigned char)*at) && !isupper((unsigned char)*at))
		at++;
	return (size_t)(at - from);
}

/* An id is the whole part, or what is behind the last '-' of a scope. */
struct bytes cgroup_container(struct bytes path)
{
	struct bytes part = without(last_part(path), ".scope");
	const char *end = part.data + part.len;
	const char *dash = part.len ? memrchr(part.data, '-', part.len) : NULL;
	const char *at = dash ? dash + 1 : part.data;
	size_t digits = hex_digits(at, end);

	if (at + digits != end || (digits != ID_LONG && digits != ID_SHORT))
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ at, digits };
}

/* Who runs the container: what is before its id, or the group above it. */
static struct bytes engine_of(struct bytes path, struct bytes id)
{
	static const struct {
		const char *prefix, *name;
	} engines[] = {
		{ "libpod", "podman" },
		{ "cri-containerd", "containerd" },
		{ "crio", "cri-o" },
	};
	struct bytes part = last_part(path), above;

	above = (struct bytes){ part.data, (size_t)(id.data - part.data) };
	above = without(above, "-");
	if (!above.len)
		above = last_part((struct bytes){ path.data, (size_t)(part.data - path.data) -
								     (part.data > path.data) });
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (bytes_equal(above, bytes_of(engines[i].prefix)))
			return bytes_of(engines[i].name);
	if (bytes_start_with(above, BYTES("pod")) || bytes_end_with(above, BYTES(".slice")))
		return BYTES("container");
	return above.len ? above : BYTES("container");
}

/* "kubepods-burstable-pod9a3e16ca_...slice", or "pod9a3e16ca-..." below "burstable". */
static struct bytes pod_name(struct bytes path, struct arena *arena)
{
	static const char *const classes[] = { "burstable", "besteffort" };
	struct bytes part = without(last_part(path), ".slice");
	const char *pod = part.len ? memmem(part.data, part.len, "pod", 3) : NULL;
	const char *end = part.data + part.len, *class = "guaranteed";

	if (!memmem(path.data, path.len, "kubepods", 8))
		return (struct bytes){ NULL, 0 };
	while (pod && hex_digits(pod + 3, end) < POD_SHOWN) {
		pod = memmem(pod + 3, (size_t)(end - pod - 3), "pod", 3);
	}
	if (!pod)
		return (struct bytes){ NULL, 0 };
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (memmem(path.data, path.len, classes[i], strlen(classes[i])))
			class = classes[i];
	return bytes_of(arena_printf(arena, "pod %s %.*s", class, POD_SHOWN, pod + 3));
}

struct bytes cgroup_name(struct bytes path, struct arena *arena)
{
	struct bytes id = cgroup_container(path), engine, pod;

	if (path.len <= 1)
		return BYTES("/");
	if (id.len) {
		engine = engine_of(path, id);
		return bytes_of(arena_printf(arena, "%.*s %.*s", (int)engine.len, engine.data,
					     ID_SHOWN, id.data));
	}
	pod = pod_name(path, arena);
	return pod.len ? pod : last_part(path);
}

bool cgroup_is_below(struct bytes path, struct bytes above)
{
	if (above.len <= 1)
		return path.len > 0;
	return bytes_start_with(path, above) &&
	       (path.len == above.len || path.data[above.len] == '/');
}

unsigned cgroup_depth(struct bytes path)
{
	unsigned depth = 0;

	for (size_t i = 0; path.len > 1 && i < path.len; i++)
		depth += path.data[i] == '/';
	return depth;
}
