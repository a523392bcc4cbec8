/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/unit.h"

#include <string.h>

#include "base/array.h"

const char *const unit_kind_names[UNIT_KINDS] = {
	[UNIT_NONE] = "process",    [UNIT_SERVICE] = "service",	    [UNIT_USER] = "user-service",
	[UNIT_SESSION] = "session", [UNIT_CONTAINER] = "container", [UNIT_INIT] = "init",
};

const char *const unit_advice[UNIT_KINDS] = {
	[UNIT_NONE] = "start it again",
	[UNIT_SERVICE] = "systemctl restart",
	[UNIT_USER] = "systemctl --user restart",
	[UNIT_SESSION] = "log out and in again",
	[UNIT_CONTAINER] = "restart the container",
	[UNIT_INIT] = "systemctl daemon-reexec",
};

/* Characters of the identity of a pod, without dashes. */
enum { UID_LEAST = 32 };

/* Without systemd Kubernetes has a directory "podUID" for each pod, one for each container in it. */
static bool is_pod(struct bytes part)
{
	return bytes_start_with(part, BYTES("pod")) && part.len >= UID_LEAST + strlen("pod");
}

/* Directories and scopes that container managers make. */
static bool is_container(struct bytes part, struct bytes above)
{
	static const struct bytes prefixes[] = {
		BYTES_INIT("docker-"),	BYTES_INIT("libpod-"),
		BYTES_INIT("crio-"),	BYTES_INIT("cri-containerd-"),
		BYTES_INIT("machine-"), BYTES_INIT("lxc.payload."),
		BYTES_INIT("nerdctl-"), BYTES_INIT("systemd-nspawn@"),
	};
	static const struct bytes parents[] = {
		BYTES_INIT("docker"),
		BYTES_INIT("lxc"),
		BYTES_INIT("libpod_parent"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (bytes_start_with(part, prefixes[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(parents); i++)
		if (bytes_equal(above, parents[i]))
			return true;
	return is_pod(above);
}

static bool is_init(struct bytes part)
{
	return bytes_equal(part, BYTES("init.scope"));
}

static enum unit_kind kind_of(struct bytes part, struct bytes above, bool in_user)
{
	if (is_container(part, above))
		return UNIT_CONTAINER;
	if (is_init(part))
		return in_user ? UNIT_NONE : UNIT_INIT;
	if (bytes_end_with(part, BYTES(".service")))
		return in_user ? UNIT_USER : UNIT_SERVICE;
	if (bytes_start_with(part, BYTES("session-")) && bytes_end_with(part, BYTES(".scope")))
		return UNIT_SESSION;
	return UNIT_NONE;
}

struct bytes unit_of_cgroup(struct bytes cgroup, enum unit_kind *kind)
{
	struct bytes unit = { "", 0 }, above = { "", 0 };
	bool in_user = false;
	size_t at = 0;

	*kind = UNIT_NONE;
	/* what is below a container is its own business: its services are not those of this machine */
	while (at < cgroup.len && *kind != UNIT_CONTAINER) {
		const char *slash = memchr(cgroup.data + at, '/', cgroup.len - at);
		size_t end = slash ? (size_t)(slash - cgroup.data) : cgroup.len;
		struct bytes part = { cgroup.data + at, end - at };
		enum unit_kind found = kind_of(part, above, in_user);

		if (found) {
			unit = part;
			*kind = found;
		}
		/* what a user's own systemd runs is no part of the service that this itself is */
		if (in_user && *kind == UNIT_SERVICE && part.len && !is_init(part)) {
			unit = (struct bytes){ "", 0 };
			*kind = UNIT_NONE;
		}
		in_user |= bytes_start_with(part, BYTES("user@"));
		above = part;
		at = end + 1;
	}
	return unit;
}
