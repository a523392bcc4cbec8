/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/users.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/num.h"
#include "base/search.h"
#include "source/root.h"

enum { ENTRY_MAX = 16384 };

/* The first entry from which on uids are this or greater. */
static size_t lower_bound(const struct users *users, uint32_t uid)
{
	return SEARCH(i, 0, users->count, users->list[i].uid < uid);
}

static void insert(struct users *users, size_t at, uint32_t uid, struct bytes name)
{
	users->list = mem_room(users->list, users->count, &users->cap, sizeof(users->list[0]));
	memmove(&users->list[at + 1], &users->list[at],
		(users->count - at) * sizeof(users->list[0]));
	users->list[at] = (struct user_name){ uid, name };
	users->count++;
}

/* "NAME:PASSWORD:UID:..." */
static void parse_line(struct users *users, const char *at, const char *end)
{
	const char *name_end = memchr(at, ':', (size_t)(end - at));
	const char *colon = name_end ? memchr(name_end + 1, ':', (size_t)(end - name_end - 1)) :
				       NULL;
	uint64_t uid;

	if (!colon || name_end == at)
		return;
	colon++;
	if (num_parse_dec(&colon, end, &uid) && uid <= UINT32_MAX && colon < end && *colon == ':')
		insert(users, users->count, (uint32_t)uid,
		       (struct bytes){ at, (size_t)(name_end - at) });
}

/* By number, and as they came: names point into one text, which never gets an address before. */
static int compare(const void *left, const void *right)
{
	const struct user_name *a = left, *b = right;

	if (a->uid != b->uid)
		return a->uid < b->uid ? -1 : 1;
	return a->name.data < b->name.data ? -1 : a->name.data > b->name.data;
}

void users_parse(struct users *users, struct bytes text)
{
	const char *at = text.data, *end = text.data + text.len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		parse_line(users, at, stop);
		at = stop + 1;
	}
	if (users->count)
		qsort(users->list, users->count, sizeof(users->list[0]), compare);
}

void users_init(struct users *users, const struct root *root, struct arena *arena)
{
	struct bytes text;

	*users = (struct users){ .root = root, .arena = arena };
	if (root_read(root, arena, &text, NULL, "etc/passwd") == 0)
		users_parse(users, text);
}

void users_fini(struct users *users)
{
	free(users->list);
}

static struct bytes ask(struct users *users, uint32_t uid)
{
	struct passwd entry, *found = NULL;
	char *room = mem_alloc(ENTRY_MAX);
	struct bytes name = { NULL, 0 };

	if (getpwuid_r(uid, &entry, room, ENTRY_MAX, &found) == 0 && found)
		name = arena_bytes(users->arena, bytes_of(entry.pw_name));
	free(room);
	return name;
}

struct bytes users_name(struct users *users, uint32_t uid)
{
	size_t at = lower_bound(users, uid);
	struct bytes name = { NULL, 0 };

	if (at < users->count && users->list[at].uid == uid)
		return users->list[at].name;
	if (!users->root->recorded)
		name = ask(users, uid);
	insert(users, at, uid, name);
	return name;
}

bool users_know(const char *name)
{
	struct passwd entry, *found = NULL;
	char *room = mem_alloc(ENTRY_MAX);
	int rc = getpwnam_r(name, &entry, room, ENTRY_MAX, &found);

	free(room);
	/* a service that does not answer has not said no */
	return rc || found;
}
