/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process had at another moment, for --since. */
#include <errno.h>
#include <stdlib.h>

#include "analysis/guess.h"
#include "base/arena.h"
#include "base/error.h"
#include "cmd/why/why.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "model/needs.h"

/* Its uses then; false where smaps is not there, or does not tell enough. */
static bool add_up(struct why_since *since, const struct moment *moment)
{
	size_t count = moment->vmas.count;
	const char **guesses = mem_alloc((count + 1) * sizeof(*guesses));
	struct why why = { .mappings = mem_zalloc((count + 1) * sizeof(why.mappings[0])) };
	bool known = count;
	struct vma vma;

	for (size_t i = 0; i < count && known; i++) {
		vma_store_get(&moment->vmas, i, &vma);
		known = why_add_smaps(&why, i, &vma);
	}
	if (known) {
		guesses_make(&moment->vmas, guesses);
		why_uses_make(&since->uses, &moment->vmas, why.mappings, guesses,
			      (struct bytes){ NULL, 0 });
		since->rss = why.rss;
	}
	free(guesses);
	free(why.mappings);
	return known;
}

int why_since_read(struct why_run *run, const struct targets *targets, struct error *err)
{
	struct why_since *since = &run->since;
	const struct moment_wants wants = { .needs = NEED_SMAPS | NEED_KIND,
					    .keys = &since->keys,
					    .hint = targets->count ? targets->pids[0] : 0 };
	struct moment_sources sources = { 0 };
	int rc;

	since->reason = reason_not_asked;
	if (!run->options.since)
		return 0;
	if (run->rows || targets->count != 1)
		return error_set(err, EINVAL, "--since is for one process");
	smaps_keys_init(&since->keys);
	rc = moment_sources_add(run->ctx, &sources, run->options.since, err);
	if (rc)
		return rc;
	rc = moment_read(run->ctx, &sources.list[0], &wants, &since->moment, err);
	since->open = true;
	since->reason = !since->moment.read	      ? "not known: what it had before" :
			add_up(since, &since->moment) ? NULL :
							"not known: what was resident before";
	return rc;
}

static bool is_same_use(const struct why_use *a, const struct why_use *b)
{
	return a->kind == b->kind && bytes_equal(a->name, b->name);
}

static uint64_t rss_before(const struct why_since *since, const struct why_use *use)
{
	for (size_t i = 0; i < since->uses.count; i++)
		if (is_same_use(&since->uses.list[i], use))
			return since->uses.list[i].rss;
	return 0;
}

/* What grew most, in words. */
static struct bytes most_grown(const struct why_since *since, const struct why_uses *uses)
{
	const struct why_use *most = NULL;
	uint64_t bytes = 0;

	for (size_t i = 0; i < uses->count; i++) {
		const struct why_use *use = &uses->list[i];
		uint64_t before = rss_before(since, use);

		if (use->rss <= before || use->rss - before <= bytes)
			continue;
		bytes = use->rss - before;
		most = use;
	}
	if (!most)
		return (struct bytes){ NULL, 0 };
	return most->name.len ? most->name : bytes_of(why_use_names[most->kind].title);
}

/* Whether it is one process that was there both times, or the same program at least. */
static bool is_comparable(const struct why_since *since, const struct process *process)
{
	return bytes_equal(since->moment.process.comm, process->comm);
}

void why_since_note(struct why_run *run, const struct visit *visit)
{
	struct why_since *since = &run->since;
	struct why_facts *facts = &run->process.facts;
	uint64_t now = run->process.why.rss;
	const char *reason = since->reason;

	if (!reason && !is_comparable(since, &visit->process))
		reason = "none: another program was recorded";
	facts->fact[WHY_FACT_RSS_BEFORE] = (struct number){ reason, reason ? 0 : since->rss };
	facts->fact[WHY_FACT_GREW] =
		(struct number){ reason, reason || now < since->rss ? 0 : now - since->rss };
	if (!reason)
		facts->grown_name = most_grown(since, &run->process.uses);
}

void why_since_fini(struct why_since *since)
{
	if (!since->open)
		return;
	why_uses_fini(&since->uses);
	moment_fini(&since->moment);
}
