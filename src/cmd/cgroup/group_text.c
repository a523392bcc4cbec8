/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cgroup/group_text.h"

#include "analysis/cgroup_name.h"
#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"
#include "cmd/cgroup/group.h"

enum { NEARLY_PERCENT = 90, EASY_PERCENT = 20 };

static struct report *report_of(const struct group *group)
{
	return group->view->ctx->report;
}

static void put(struct group *group, const char *before, uint64_t bytes, const char *behind)
{
	struct out *out = report_prose(report_of(group));

	out_str(out, before);
	report_size(report_of(group), out, bytes);
	out_str(out, behind);
}

void group_title(struct group *group)
{
	struct out *out = report_prose(report_of(group));
	struct bytes name = cgroup_name(group->path, &group->view->ctx->arena);

	if (!out)
		return;
	encode_text(out, group->path);
	if (!bytes_end_with(group->path, name)) {
		out_str(out, " (");
		encode_text(out, name);
		out_char(out, ')');
	}
	out_printf(out, ", cgroup v%d, %zu processes\n", (int)group->memcg.version,
		   group->pid_count);
}

static const char *words(struct group *group, const char *before, uint64_t bytes,
			 const char *behind)
{
	struct out out;

	out_init_memory(&out);
	out_str(&out, before);
	report_size(report_of(group), &out, bytes);
	out_str(&out, behind);
	return out_take(&out, &group->view->ctx->arena).data;
}

/* Of page cache: how much is mapped is known from frames alone. */
static const char *why_file(struct group *group)
{
	uint64_t written = group->reclaim.written;
	const char *mapped = group->frames_reason || !group->file_mapped ?
				     "" :
				     words(group, "", group->file_mapped, " mapped");
	const char *dirty = written ? words(group, "", written, " not on disk yet") : "";

	return arena_printf(&group->view->ctx->arena, "%s%s%s", mapped,
			    *mapped && *dirty ? ", " : "", dirty);
}

static const char *why_anon(struct group *group)
{
	uint64_t outside = 0, page_size = group->view->ctx->host.page_size;

	for (unsigned i = 0; i < FRAME_CLASSES; i++)
		if (charge_of_frames((enum frame_class)i) == CHARGE_ANON)
			outside += group->payers.others[i];
	return outside ? words(group, "", outside * page_size,
			       " mapped by processes of other groups") :
			 "";
}

static const char *why_unexplained(struct group *group)
{
	const struct charge *rest = &group->charges.class[CHARGE_UNEXPLAINED];

	if (rest->reason || !rest->bytes)
		return "";
	if (rest->bytes < 0)
		return "changed while it was read, or in the swap cache";
	if ((uint64_t)rest->bytes <= group->reserve)
		return words(group, "in reserve: up to ", group->reserve,
			     " are, 64 pages a processor");
	return group->charges.class[CHARGE_KERNEL].reason ?
		       "the kernel's, which is not told" :
		       words(group, "beyond the reserve of ", group->reserve, ": counters lag");
}

const char *group_why(struct group *group, enum charge_class class)
{
	switch (class) {
	case CHARGE_ANON:
		return why_anon(group);
	case CHARGE_FILE:
		return why_file(group);
	case CHARGE_UNEXPLAINED:
		return why_unexplained(group);
	default:
		return "";
	}
}

/* A limit of the group, or of one above it. */
static void say_limit(struct group *group, const struct memcg *memcg)
{
	struct out *out = report_prose(report_of(group));
	const struct number *current = &memcg->fact[MEMCG_CURRENT], *max = &memcg->fact[MEMCG_MAX];

	if (current->reason || max->reason)
		return;
	put(group, "limit ", max->u, "");
	if (memcg != &group->memcg) {
		out_str(out, " of ");
		encode_text(out, cgroup_name(memcg->path, &group->view->ctx->arena));
	}
	out_printf(out, ": %u %% used, ",
		   max->u ? (unsigned)(100.0 * (double)current->u / (double)max->u) : 100);
	put(group, "", max->u > current->u ? max->u - current->u : 0, " left\n");
}

static void say_events(struct group *group)
{
	struct out *out = report_prose(report_of(group));
	bool said = false;

	for (unsigned i = 0; i < MEMCG_EVENTS; i++) {
		const struct number *event = &group->memcg.event[i];

		if (event->reason || !event->u)
			continue;
		out_printf(out, "%s%s %llu", said ? ", " : "events: ", memcg_event_names[i],
			   (unsigned long long)event->u);
		said = true;
	}
	if (said)
		out_char(out, '\n');
}

static void say_pressure(struct group *group)
{
	const struct memcg_pressure *some = &group->memcg.pressure[MEMCG_SOME];
	const struct memcg_pressure *full = &group->memcg.pressure[MEMCG_FULL];

	if (some->reason || full->reason || some->avg10 + some->avg60 + some->avg300 == 0)
		return;
	out_printf(report_prose(report_of(group)),
		   "pressure: %.1f %% of the last 10 s some of it waited for memory, %.1f %% all\n",
		   100 * some->avg10, 100 * full->avg10);
}

static void say_removed(struct group *group)
{
	const struct group_removed *removed = &group->removed;
	struct out *out = report_prose(report_of(group));

	if (removed->reason || removed->anonymous + removed->shm + removed->file <= group->reserve)
		return;
	out_str(out, "removed groups still hold ");
	put(group, "", removed->file, " of page cache, ");
	put(group, "", removed->shm, " of shared memory, ");
	put(group, "", removed->anonymous, " else");
	if (!group->memcg.dying.reason)
		out_printf(out, " (%llu groups)", (unsigned long long)group->memcg.dying.u);
	out_char(out, '\n');
}

static void say_reclaim(struct group *group)
{
	const struct charge_reclaim *reclaim = &group->reclaim;
	struct out *out = report_prose(report_of(group));

	if (!reclaim->known)
		return;
	put(group, "could be had back: ", reclaim->now, " of clean page cache now");
	if (reclaim->written)
		put(group, ", ", reclaim->written, " once it is written");
	out_char(out, '\n');
	if (reclaim->swappable)
		put(group, "  with swap ", reclaim->swappable, " more\n");
	if (reclaim->slab)
		put(group, "  of slab up to ", reclaim->slab, "\n");
	if (reclaim->locked)
		put(group, "  not ", reclaim->locked, ", which is locked\n");
	if (group->charges.current.reason)
		return;
	put(group, "working set, as the kubelet counts it: ", reclaim->working_set, "");
	if (reclaim->active_cache)
		put(group, ", ", reclaim->active_cache, " of it page cache");
	out_char(out, '\n');
}

static void say_swap(struct group *group)
{
	const struct memcg *memcg = &group->memcg;
	const struct number *swap = &memcg->fact[MEMCG_SWAP_CURRENT];
	uint64_t v1 = memcg_value(&memcg->stat, MEMCG_SWAP);

	if (memcg->version == MEMCG_V1 && v1)
		put(group, "in swap: ", v1, "\n");
	if (swap->reason || !swap->u)
		return;
	put(group, "in swap: ", swap->u, "");
	if (!memcg->fact[MEMCG_SWAP_MAX].reason)
		put(group, " of ", memcg->fact[MEMCG_SWAP_MAX].u, "");
	out_char(report_prose(report_of(group)), '\n');
}

static void say_high(struct group *group)
{
	const struct number *current = &group->memcg.fact[MEMCG_CURRENT];
	const struct number *high = &group->memcg.fact[MEMCG_HIGH];

	if (current->reason || high->reason)
		return;
	put(group, "throttled from ", high->u,
	    current->u >= high->u ? " on: it is now\n" : " on\n");
}

/* The group, or one above it, that is nearest to its limit, in percent; NULL: none is near. */
static const struct memcg *nearest(const struct group *group)
{
	const struct memcg *found = NULL;
	double most = (double)NEARLY_PERCENT / 100;

	for (size_t i = 0; i <= group->above_count; i++) {
		const struct memcg *one = i ? &group->above[i - 1] : &group->memcg;
		const struct number *max = &one->fact[MEMCG_MAX];
		double used;

		if (one->fact[MEMCG_CURRENT].reason || max->reason || !max->u)
			continue;
		used = (double)one->fact[MEMCG_CURRENT].u / (double)max->u;
		if (used >= most) {
			most = used;
			found = one;
		}
	}
	return found;
}

/* At its limit: is that page cache, which goes when something else is wanted, or is it in trouble? */
static void say_verdict(struct group *group)
{
	struct out *out = report_prose(report_of(group));
	const struct memcg *near = nearest(group);
	struct charge_reclaim reclaim;
	uint64_t cache;

	if (!near)
		return;
	reclaim = charge_reclaim(near);
	cache = reclaim.now + reclaim.written;
	if (near == &group->memcg)
		out_str(out, "it");
	else
		encode_text(out, cgroup_name(near->path, &group->view->ctx->arena));
	put(group, " is at its limit; ", cache, " of that is page cache,\n");
	out_str(out, cache >= near->fact[MEMCG_MAX].u / 100 * EASY_PERCENT ?
			     "  which is dropped when room is needed: no trouble by itself\n" :
			     "  the rest needs swap, a higher limit, or less to do\n");
}

void group_answer(struct group *group)
{
	struct out *out = report_prose(report_of(group));
	const struct number *peak = &group->memcg.fact[MEMCG_PEAK];

	if (!out)
		return;
	out_char(out, '\n');
	say_limit(group, &group->memcg);
	say_high(group);
	for (size_t i = 0; i < group->above_count; i++)
		say_limit(group, &group->above[i]);
	if (!peak->reason)
		put(group, "at most it was ", peak->u, "\n");
	say_swap(group);
	say_events(group);
	say_pressure(group);
	say_removed(group);
	say_reclaim(group);
	say_verdict(group);
}
