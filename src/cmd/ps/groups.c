/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ps/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/process_tree.h"
#include "analysis/program_name.h"
#include "base/arena.h"
#include "base/error.h"
#include "column/ps_columns.h"
#include "model/needs.h"

const char *const ps_by_names[PS_BY_COUNT] = {
	[PS_BY_NONE] = "process",  [PS_BY_USER] = "user", [PS_BY_PROGRAM] = "program",
	[PS_BY_CGROUP] = "cgroup", [PS_BY_TREE] = "tree",
};

const unsigned ps_by_needs[PS_BY_COUNT] = {
	[PS_BY_USER] = NEED_USER,
	[PS_BY_PROGRAM] = NEED_CMDLINE | NEED_STATUS,
	[PS_BY_CGROUP] = NEED_CGROUP,
	[PS_BY_TREE] = NEED_CMDLINE,
};

int ps_by_parse(enum ps_by *by, const char *text, struct error *err)
{
	*by = PS_BY_NONE;
	if (!text)
		return 0;
	for (unsigned i = PS_BY_USER; i < PS_BY_COUNT; i++)
		if (strcmp(text, ps_by_names[i]) == 0) {
			*by = (enum ps_by)i;
			return 0;
		}
	return error_set(err, EINVAL, "--by: user, program, cgroup or tree, not '%.40s'", text);
}

static struct value program_of(struct arena *arena, const struct ps_row *row)
{
	const struct value *args = &row->fact[PS_CMDLINE];

	if (!value_is_known(&row->fact[PS_COMM]) || !value_is_known(args))
		return row->fact[PS_COMM];
	return value_text(program_name(arena, row->fact[PS_COMM].text, args->text));
}

/* What a member is sorted by: equal keys are one group. */
struct key {
	struct value name;
	size_t number;		/* of a tree */
	size_t member;
};

static int compare(const void *left, const void *right, void *ctx)
{
	const struct key *a = left, *b = right;
	const struct ps_member *members = ctx;
	int order;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	order = value_compare(VALUE_TEXT, &a->name, &b->name);
	if (order)
		return order;
	if (members[a->member].mm != members[b->member].mm)
		return members[a->member].mm < members[b->member].mm ? -1 : 1;
	return a->member < b->member ? -1 : a->member > b->member;
}

static bool same_group(const struct key *a, const struct key *b)
{
	return a->number == b->number && value_compare(VALUE_TEXT, &a->name, &b->name) == 0;
}

static void set_trees(const struct ps_member *members, size_t count, struct key *keys)
{
	struct tree_process *list = mem_alloc((count + 1) * sizeof(*list));

	for (size_t i = 0; i < count; i++)
		list[i] = (struct tree_process){ .pid = (int)members[i].row->fact[PS_PID].i,
						 .ppid = (int)members[i].row->fact[PS_PPID].i };
	process_tree_tops(list, count);
	for (size_t i = 0; i < count; i++)
		keys[i].number = list[i].top;
	free(list);
}

static void make_keys(enum ps_by by, const struct ps_member *members, size_t count,
		      struct arena *arena, struct key *keys)
{
	for (size_t i = 0; i < count; i++) {
		const struct ps_row *row = members[i].row;

		keys[i] = (struct key){ .member = i, .name = value_none() };
		if (by == PS_BY_USER)
			keys[i].name = row->fact[PS_USER];
		else if (by == PS_BY_PROGRAM)
			keys[i].name = program_of(arena, row);
		else if (by == PS_BY_CGROUP)
			keys[i].name = row->fact[PS_CGROUP];
	}
	if (by == PS_BY_TREE)
		set_trees(members, count, keys);
}

/* Arguments with a blank between them, as a name; or the name of the process. */
static struct value command_of(struct arena *arena, const struct ps_row *row)
{
	struct bytes text = row->fact[PS_CMDLINE].text;
	char *copy;

	if (!value_is_known(&row->fact[PS_CMDLINE]) || !text.len)
		return row->fact[PS_COMM];
	copy = arena_alloc(arena, text.len);
	for (size_t i = 0; i < text.len; i++)
		copy[i] = text.data[i] ? text.data[i] : ' ';
	return value_text((struct bytes){ copy, text.len - !text.data[text.len - 1] });
}

static void begin_group(enum ps_by by, struct arena *arena, const struct key *key,
			const struct ps_member *members, struct ps_row *sum)
{
	ps_sum_init(sum);
	sum->fact[PS_GROUP] = key->name;
	if (by != PS_BY_TREE)
		return;
	sum->fact[PS_PID] = members[key->number].row->fact[PS_PID];
	sum->fact[PS_GROUP] = command_of(arena, members[key->number].row);
}

void ps_groups_make(enum ps_by by, struct ps_member *members, size_t count, struct arena *arena,
		    struct ps_row **out, size_t *groups)
{
	struct key *keys = mem_alloc((count + 1) * sizeof(*keys));
	struct ps_row *sums = arena_alloc(arena, (count + 1) * sizeof(*sums));
	size_t n = 0;

	make_keys(by, members, count, arena, keys);
	qsort_r(keys, count, sizeof(*keys), compare, members);
	for (size_t i = 0; i < count; i++) {
		struct ps_member *member = &members[keys[i].member];
		bool first = !i || !same_group(&keys[i], &keys[i - 1]);

		if (first)
			begin_group(by, arena, &keys[i], members, &sums[n++]);
		member->group = n - 1;
		if (first || members[keys[i - 1].member].mm != member->mm)
			ps_sum_add(&sums[n - 1], member->row);
		else
			sums[n - 1].fact[PS_PROCESSES].u++;
	}
	for (size_t i = 0; i < n; i++)
		ps_sum_end(&sums[i], ps_no_memory);
	free(keys);
	*out = sums;
	*groups = n;
}
