/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/numa_maps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/num.h"
#include "base/search.h"
#include "source/meter.h"
#include "source/root.h"

enum { READ_ROOM = 64 << 10, TEXT_MAX = 256 << 20 };

static bool word_is(struct bytes word, const char *text)
{
	return bytes_equal(word, bytes_of(text));
}

/* "anon=5": the number behind key and '='. */
static bool number_of(struct bytes word, const char *key, uint64_t *out)
{
	size_t len = strlen(key);
	const char *at = word.data + len + 1, *end = word.data + word.len;

	return word.len > len + 1 && memcmp(word.data, key, len) == 0 && word.data[len] == '=' &&
	       num_parse_dec(&at, end, out) && at == end;
}

/* "N0=5" */
static bool share_of(struct bytes word, struct numa_share *share)
{
	const char *at = word.data + 1, *end = word.data + word.len;
	uint64_t node, pages;

	if (word.len < 4 || word.data[0] != 'N' || !num_parse_dec(&at, end, &node) || at == end ||
	    *at++ != '=' || !num_parse_dec(&at, end, &pages) || at != end || node >= NUMA_NODES_MAX)
		return false;
	*share = (struct numa_share){ (uint32_t)node, pages };
	return true;
}

/*
 * The policy may hold blanks, '=' and ':' ("prefer (many):0", "bind=static:0"), what is behind it can be
 * told by the first word that is no part of any: a word of the kernel's list.
 */
static bool ends_policy(struct bytes word)
{
	static const char *const keys[] = { "file",	 "anon",      "dirty",
					    "mapped",	 "mapmax",    "active",
					    "writeback", "swapcache", "kernelpagesize_kB" };
	struct numa_share share;

	if (word_is(word, "heap") || word_is(word, "stack") || word_is(word, "huge") ||
	    share_of(word, &share))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(keys[i]);

		if (word.len > len && memcmp(word.data, keys[i], len) == 0 && word.data[len] == '=')
			return true;
	}
	return false;
}

static struct bytes next_word(const char **at, const char *end)
{
	const char *from, *space;

	while (*at < end && **at == ' ')
		(*at)++;
	from = *at;
	space = memchr(from, ' ', (size_t)(end - from));
	*at = space ? space : end;
	return (struct bytes){ from, (size_t)(*at - from) };
}

/* Keys that are not known are skipped: kernels add them. */
static void take_word(struct numa_vma *vma, struct bytes word, struct numa_share *shares)
{
	struct numa_share share;
	uint64_t kb;

	if (word_is(word, "huge")) {
		vma->huge = true;
	} else if (number_of(word, "kernelpagesize_kB", &kb)) {
		vma->page_size = kb <= UINT64_MAX >> 10 ? kb << 10 : 0;
	} else if (number_of(word, "swapcache", &kb)) {
		vma->swapcache = kb;
	} else if (share_of(word, &share) &&
		   (!vma->share_count || shares[vma->share_count - 1].node < share.node)) {
		shares[vma->share_count++] = share;
	}
}

/* Pages become bytes; false where they do not fit. Without a unit nothing is known of them. */
static bool scale(struct numa_vma *vma, struct numa_share *shares)
{
	if (!vma->page_size) {
		vma->no_unit = vma->share_count;
		vma->share_count = 0;
	}
	for (size_t i = 0; i < vma->share_count; i++)
		if (__builtin_mul_overflow(shares[i].bytes, vma->page_size, &shares[i].bytes))
			return false;
	return !__builtin_mul_overflow(vma->swapcache, vma->page_size, &vma->swapcache);
}

static bool parse_line(const char *at, const char *end, uint64_t page_size, struct numa_vma *vma,
		       struct numa_share *shares)
{
	bool in_policy = true;
	struct bytes word;

	*vma = (struct numa_vma){ 0 };
	if (!num_parse_hex(&at, end, &vma->start) || at == end || *at != ' ')
		return false;
	vma->policy = next_word(&at, end);
	if (!vma->policy.len || ends_policy(vma->policy))
		return false;
	while ((word = next_word(&at, end)).len) {
		if (in_policy && !ends_policy(word)) {
			vma->policy.len = (size_t)(word.data + word.len - vma->policy.data);
			continue;
		}
		in_policy = false;
		take_word(vma, word, shares);
	}
	if (!vma->page_size && !vma->huge)
		vma->page_size = page_size;
	return scale(vma, shares);
}

static size_t count_lines(struct bytes text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}

void numa_maps_parse(struct bytes text, uint64_t page_size, struct arena *arena,
		     struct numa_maps *out)
{
	const char *at = text.data, *end = text.data + text.len;
	struct numa_share *shares = mem_alloc(NUMA_NODES_MAX * sizeof(*shares));
	struct bytes last = { 0 };
	struct numa_vma vma;

	*out = (struct numa_maps){
		.vmas = arena_alloc(arena, count_lines(text) * sizeof(*out->vmas)),
	};
	for (size_t line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if (parse_line(at, stop, page_size, &vma, shares) &&
		    (!out->count || out->vmas[out->count - 1].start < vma.start)) {
			size_t size = vma.share_count * sizeof(*shares);

			vma.shares = arena_alloc(arena, size);
			if (size)
				memcpy(vma.shares, shares, size);
			/* most have the policy of their neighbour */
			vma.policy = out->count && bytes_equal(vma.policy, last) ?
					     last :
					     arena_bytes(arena, vma.policy);
			last = vma.policy;
			out->vmas[out->count++] = vma;
		} else if (!out->malformed++) {
			out->first_malformed = line;
		}
		at = stop + 1;
	}
	free(shares);
}

static ssize_t read_text(const struct procdir *dir, int fd, char **text)
{
	size_t len = 0, cap = 0;
	char *buf = NULL;
	ssize_t done;

	do {
		if (cap - len < READ_ROOM)
			buf = mem_grow(buf, cap = cap ? cap * 2 : 2 * READ_ROOM, 1);
		done = meter_read_held(dir->root->meter, fd, buf + len, READ_ROOM);
		len += done > 0 ? (size_t)done : 0;
	} while (done > 0 && len < TEXT_MAX);
	*text = buf;
	return done < 0 ? done : done > 0 ? -EFBIG : (ssize_t)len;
}

int numa_maps_read(const struct procdir *dir, uint64_t page_size, struct arena *arena,
		   struct numa_maps *out, struct error *err)
{
	int fd = procdir_openat(dir, O_RDONLY, err, "numa_maps");
	char *text = NULL, byte;
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read_text(dir, fd, &text);
	if (len >= 0) {
		numa_maps_parse((struct bytes){ text, (size_t)len }, page_size, arena, out);
		out->cut_off = out->count && pread(fd, &byte, 1, 0) <= 0;
	}
	free(text);
	close(fd);
	if (len < 0)
		return error_errno(err, (int)-len, "%s/proc/%s/numa_maps", dir->root->dir,
				   dir->name);
	return 0;
}

const struct numa_vma *numa_maps_find(const struct numa_maps *maps, uint64_t start)
{
	size_t at = SEARCH(i, 0, maps->count, maps->vmas[i].start < start);

	return at < maps->count && maps->vmas[at].start == start ? &maps->vmas[at] : NULL;
}
