/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/memcg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/num.h"
#include "source/meter.h"
#include "source/root.h"

enum { STAT_BYTES = 8192, NUMBER_BITS = 56 };

/* v1 without limit: the largest number of whole pages. */
static const uint64_t v1_unlimited = 0x7ffffffffffff000;

/* The file of a fact; NULL: this version has none. */
static const struct {
	const char *v1, *v2;
	bool limit; /* a word "max", or the largest number, stands for none */
} fact_files[MEMCG_FACTS] = {
	[MEMCG_CURRENT] = { "memory.usage_in_bytes", "memory.current", false },
	[MEMCG_PEAK] = { "memory.max_usage_in_bytes", "memory.peak", false },
	[MEMCG_MAX] = { "memory.limit_in_bytes", "memory.max", true },
	[MEMCG_HIGH] = { NULL, "memory.high", true },
	[MEMCG_LOW] = { NULL, "memory.low", true },
	[MEMCG_MIN] = { NULL, "memory.min", true },
	[MEMCG_SOFT] = { "memory.soft_limit_in_bytes", NULL, true },
	[MEMCG_KMEM] = { "memory.kmem.usage_in_bytes", NULL, false },
	[MEMCG_TCP] = { "memory.kmem.tcp.usage_in_bytes", NULL, false },
	[MEMCG_SWAP_CURRENT] = { NULL, "memory.swap.current", false },
	[MEMCG_SWAP_MAX] = { NULL, "memory.swap.max", true },
	[MEMCG_SWAP_PEAK] = { NULL, "memory.swap.peak", false },
	[MEMCG_MEMSW_CURRENT] = { "memory.memsw.usage_in_bytes", NULL, false },
	[MEMCG_MEMSW_MAX] = { "memory.memsw.limit_in_bytes", NULL, true },
	[MEMCG_ZSWAP_CURRENT] = { NULL, "memory.zswap.current", false },
	[MEMCG_ZSWAP_MAX] = { NULL, "memory.zswap.max", true },
	[MEMCG_PIDS] = { "pids.current", "pids.current", false },
	[MEMCG_PIDS_MAX] = { "pids.max", "pids.max", true },
};

static const char memcg_no_root[] = "none: cgroup v2 does not charge the root group";

/* A group while it is read: its directory, and where it is for messages. */
struct reading {
	const struct root *root;
	enum memcg_version version;
	int fd;
};

/* The text of a small file of the group. Returns its length, or -errno. */
static ssize_t read_text(const struct reading *reading, const char *name, char *text, size_t size)
{
	int fd = root_open_below(reading->root, reading->fd, O_RDONLY, name);
	size_t len = 0;
	ssize_t done = 0;

	if (fd < 0)
		return fd;
	while (len < size &&
	       (done = meter_read(reading->root->meter, fd, text + len, size - len)) > 0)
		len += (size_t)done;
	close(fd);
	return done < 0 ? done : (ssize_t)len;
}

static struct number unknown(const char *reason)
{
	return (struct number){ .reason = reason };
}

/* A file with one number. */
static struct number read_number(const struct reading *reading, const char *name, bool limit)
{
	char text[64];
	const char *at = text;
	ssize_t len = read_text(reading, name, text, sizeof(text));
	uint64_t number;

	if (len == -ENOENT)
		return unknown(reading->root->recorded ? "not recorded" :
							 "unsupported: the group has no such file");
	if (len < 0)
		return unknown(root_reason(reading->root, (int)len, "denied"));
	if (limit && len >= 3 && memcmp(text, "max", 3) == 0)
		return unknown(memcg_unlimited);
	if (!num_parse_dec(&at, text + len, &number) || (!limit && number >> NUMBER_BITS))
		return unknown("malformed");
	if (limit && reading->version == MEMCG_V1 && number >= v1_unlimited)
		return unknown(memcg_unlimited);
	return (struct number){ .u = number };
}

static const char *file_of(enum memcg_version version, enum memcg_fact fact)
{
	return version == MEMCG_V1 ? fact_files[fact].v1 : fact_files[fact].v2;
}

static void read_fact(const struct reading *reading, enum memcg_fact fact, struct memcg *out)
{
	const char *file = file_of(reading->version, fact);

	out->fact[fact] = file ? read_number(reading, file, fact_files[fact].limit) :
				 unknown(reading->version == MEMCG_V1 ?
						 "unsupported: not in cgroup v1" :
						 "unsupported: not in cgroup v2");
}

static void read_stat(const struct reading *reading, struct memcg *out)
{
	char text[STAT_BYTES];
	ssize_t len = read_text(reading, "memory.stat", text, sizeof(text));

	out->stat_reason = len < 0 ? root_reason(reading->root, (int)len, "denied") : NULL;
	if (len >= 0)
		memcg_stat_parse(reading->version, (struct bytes){ text, (size_t)len }, &out->stat);
}

/* v1 has these in files of their own. */
static void read_events_v1(const struct reading *reading, struct memcg *out)
{
	char text[256];
	ssize_t len = read_text(reading, "memory.oom_control", text, sizeof(text));
	struct bytes lines = { text, len < 0 ? 0 : (size_t)len };

	for (unsigned i = 0; i < MEMCG_EVENTS; i++)
		out->event[i] = unknown("unsupported: not in cgroup v1");
	out->event[MEMCG_EVENT_MAX] = read_number(reading, "memory.failcnt", false);
	if (memcg_line(lines, "oom_kill", &out->event[MEMCG_EVENT_OOM_KILL].u))
		out->event[MEMCG_EVENT_OOM_KILL].reason = NULL;
}

static void read_events(const struct reading *reading, struct memcg *out)
{
	char text[512];
	ssize_t len;
	struct bytes lines;

	if (reading->version == MEMCG_V1) {
		read_events_v1(reading, out);
		return;
	}
	len = read_text(reading, "memory.events", text, sizeof(text));
	lines = (struct bytes){ text, len < 0 ? 0 : (size_t)len };
	for (unsigned i = 0; i < MEMCG_EVENTS; i++) {
		bool found = memcg_line(lines, memcg_event_names[i], &out->event[i].u);

		out->event[i].reason = found   ? NULL :
				       len < 0 ? root_reason(reading->root, (int)len, "denied") :
						 "unsupported: not in this kernel";
	}
}

static void read_pressure(const struct reading *reading, struct memcg *out)
{
	char text[512];
	ssize_t len = read_text(reading, "memory.pressure", text, sizeof(text));
	const char *why = len >= 0 ? NULL :
			  reading->root->recorded && len == -ENOENT ?
				     "not recorded" :
			  len == -ENOENT || len == -EOPNOTSUPP ?
				     "unsupported: the kernel does not tell pressure of it" :
				     root_reason(reading->root, (int)len, "denied");

	memcg_pressure_parse((struct bytes){ text, len < 0 ? 0 : (size_t)len }, out->pressure);
	for (unsigned i = 0; why && i < MEMCG_PRESSURES; i++)
		out->pressure[i].reason = why;
}

static void read_huge(const struct reading *reading, struct arena *arena, struct memcg *out)
{
	static const char *const sizes[] = { "64KB", "1MB",   "2MB", "16MB",
					     "32MB", "512MB", "1GB", "16GB" };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct memcg_huge *huge = &out->huge[out->huge_count];
		const char *current = reading->version == MEMCG_V1 ? "usage_in_bytes" : "current";
		const char *max = reading->version == MEMCG_V1 ? "limit_in_bytes" : "max";

		huge->current = read_number(
			reading, arena_printf(arena, "hugetlb.%s.%s", sizes[i], current), false);
		if (huge->current.reason)
			continue;
		huge->max = read_number(reading,
					arena_printf(arena, "hugetlb.%s.%s", sizes[i], max), true);
		huge->size = bytes_of(sizes[i]);
		out->huge_count++;
	}
}

static void read_dying(const struct reading *reading, struct memcg *out)
{
	char text[512];
	ssize_t len = read_text(reading, "cgroup.stat", text, sizeof(text));
	struct bytes lines = { text, len < 0 ? 0 : (size_t)len };

	out->dying = (struct number){ .reason = "unsupported: not in cgroup v1" };
	if (memcg_line(lines, "nr_dying_subsys_memory", &out->dying.u) ||
	    memcg_line(lines, "nr_dying_descendants", &out->dying.u))
		out->dying.reason = NULL;
	else if (reading->version == MEMCG_V2)
		out->dying.reason = len < 0 ? root_reason(reading->root, (int)len, "denied") :
					      "unsupported: not in this kernel";
}

/* The directory of a group below a mount, or -errno. */
static int open_group(const struct root *root, struct bytes dir, struct bytes path,
		      struct error *err)
{
	return root_openat(root, O_PATH | O_DIRECTORY, err, "%.*s%s%.*s", (int)dir.len, dir.data,
			   path.len > 1 ? "" : "/", path.len > 1 ? (int)path.len : 0, path.data);
}

/* Of v1 pids and pressure are in hierarchies of their own, where a group may have the same path. */
static void read_elsewhere(const struct root *root, const struct memcg_mount *mount,
			   struct bytes path, struct memcg *out)
{
	struct reading reading = { root, MEMCG_V1, -1 };

	out->fact[MEMCG_PIDS] = out->fact[MEMCG_PIDS_MAX] =
		unknown("unsupported: the group is not in the hierarchy of pids");
	reading.fd = mount->pids.len ? open_group(root, mount->pids, path, NULL) : -1;
	if (reading.fd >= 0) {
		read_fact(&reading, MEMCG_PIDS, out);
		read_fact(&reading, MEMCG_PIDS_MAX, out);
		close(reading.fd);
	}
	for (unsigned i = 0; i < MEMCG_PRESSURES; i++)
		out->pressure[i].reason = "unsupported: not in cgroup v1";
	reading.fd = mount->unified.len && path.len > 1 ?
			     open_group(root, mount->unified, path, NULL) :
			     -1;
	if (reading.fd >= 0) {
		read_pressure(&reading, out);
		close(reading.fd);
	}
}

static void read_all(const struct reading *reading, struct arena *arena, struct memcg *out)
{
	for (unsigned fact = 0; fact < MEMCG_FACTS; fact++)
		read_fact(reading, (enum memcg_fact)fact, out);
	read_events(reading, out);
	read_huge(reading, arena, out);
	read_dying(reading, out);
	if (reading->version == MEMCG_V2)
		read_pressure(reading, out);
}

int memcg_read(const struct root *root, const struct memcg_mount *mount, struct bytes path,
	       unsigned wants, struct arena *arena, struct memcg *out, struct error *err)
{
	struct reading reading = { root, mount->version, -1 };

	*out = (struct memcg){ .version = mount->version, .path = path };
	for (unsigned fact = 0; fact < MEMCG_FACTS; fact++)
		out->fact[fact] = unknown("not asked for");
	reading.fd = open_group(root, mount->dir, path, err);
	if (reading.fd < 0)
		return reading.fd;
	/* first: what it is reconciled with is read right after */
	read_fact(&reading, MEMCG_CURRENT, out);
	if (mount->version == MEMCG_V2 && path.len <= 1 && out->fact[MEMCG_CURRENT].reason)
		out->fact[MEMCG_CURRENT].reason = memcg_no_root;
	if (wants & MEMCG_WANT_STAT)
		read_stat(&reading, out);
	if (wants & MEMCG_WANT_STAT)
		read_fact(&reading, MEMCG_KMEM, out);
	if (wants == MEMCG_WANT_ALL) {
		struct number current = out->fact[MEMCG_CURRENT], kmem = out->fact[MEMCG_KMEM];

		read_all(&reading, arena, out);
		/* of the same moment as memory.stat */
		out->fact[MEMCG_CURRENT] = current;
		out->fact[MEMCG_KMEM] = kmem;
	} else if (wants & MEMCG_WANT_LIMITS) {
		read_fact(&reading, MEMCG_MAX, out);
		read_fact(&reading, MEMCG_HIGH, out);
		read_fact(&reading, MEMCG_SWAP_CURRENT, out);
	}
	close(reading.fd);
	if (wants == MEMCG_WANT_ALL && mount->version == MEMCG_V1)
		read_elsewhere(root, mount, path, out);
	return 0;
}

struct number memcg_removed(const struct root *root, const struct memcg_mount *mount, size_t there,
			    struct arena *arena)
{
	struct bytes text, line;
	struct memcg memcg;
	const char *at;
	uint64_t hierarchy, count;

	if (mount->version == MEMCG_V2) {
		if (memcg_read(root, mount, BYTES("/"), MEMCG_WANT_ALL, arena, &memcg, NULL))
			return unknown("denied");
		return memcg.dying;
	}
	if (mount->top.len > 1 || root_read(root, arena, &text, NULL, "proc/cgroups"))
		return unknown("not known: not all groups can be seen");
	at = memmem(text.data, text.len, "\nmemory\t", 8);
	line = (struct bytes){ at, at ? (size_t)(text.data + text.len - at) : 0 };
	if (!at)
		return unknown("unsupported: not in this kernel");
	at += 8;
	if (!num_parse_dec(&at, line.data + line.len, &hierarchy) || *at++ != '\t' ||
	    !num_parse_dec(&at, line.data + line.len, &count))
		return unknown("malformed");
	return (struct number){ .u = count > there ? count - there : 0 };
}

static int compare(const void *left, const void *right)
{
	const int *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Of a threaded group cgroup.procs can not be read; its threads belong to the group above. */
int memcg_processes(const struct root *root, const struct memcg_mount *mount, struct bytes path,
		    struct arena *arena, int **out, size_t *count)
{
	int fd = open_group(root, mount->dir, path, NULL), file;
	const char *at, *end;
	struct bytes text;

	uint64_t pid;
	int rc;

	*out = NULL;
	*count = 0;
	if (fd < 0)
		return fd;
	file = root_open_below(root, fd, O_RDONLY, "cgroup.procs");
	close(fd);
	if (file < 0)
		return file;
	rc = root_read_fd(root, file, arena, &text, NULL, "cgroup.procs");
	close(file);
	if (rc)
		return rc == -EOPNOTSUPP ? 0 : rc;
	*out = arena_alloc(arena, (text.len / 2 + 1) * sizeof(**out));

	for (at = text.data, end = at + text.len; num_parse_dec(&at, end, &pid); at++)
		/* 0: in another PID namespace */
		if (pid && pid <= INT32_MAX)
			(*out)[(*count)++] = (int)pid;
	qsort(*out, *count, sizeof(**out), compare);
	return 0;
}
