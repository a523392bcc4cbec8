/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "readpages.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "readelf.h"

#define PAGE_SHIFT   12
#define JOIN_PAGES   8	    /* to read so many more words costs no more than another read */
#define JOIN_FRAMES  8	    /* likewise */
#define CHUNK_WORDS  131072 /* 1 MiB of words a read */
#define SCAN_REGIONS 4096
#define HUGE_BYTES   (2ull << 20)
#define USER_END     (1ull << 47)

/* include/uapi/linux/fs.h since 6.7; older headers do not have it. */
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

struct scan_region {
	uint64_t start, end, categories;
};

#define SCAN	     _IOWR('f', 16, struct scan_arg)
#define SCAN_PRESENT (1ull << 3)
#define SCAN_SWAPPED (1ull << 4)
#define SCAN_HUGE    (1ull << 6)

struct span {
	uint64_t start, end;
};

struct spans {
	struct span *items;
	size_t count, space;
	bool elf;		/* read the headers of the files too */
	struct elf_lines files;
};

/* One pass over one process. */
struct pass {
	int pagemap, kpageflags; /* kpageflags: -1 where it is not read page by page */
	struct frameset *frames;
	struct tally *tally;
	uint64_t *words; /* CHUNK_WORDS */
};

static void *xalloc(void *old, size_t bytes)
{
	void *p = realloc(old, bytes);

	if (!p)
		err(2, "out of memory");
	return p;
}

static size_t counted(ssize_t got, struct tally *tally)
{
	tally->reads++;
	if (got <= 0)
		return 0;
	tally->bytes += (uint64_t)got;
	return (size_t)got;
}

static int proc_open(const char *pid, const char *name, struct tally *tally)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		tally->refused++;
	else
		tally->files++;
	return fd;
}

bool file_read(const char *path, struct tally *tally)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *buf;

	if (fd < 0)
		return false;
	tally->files++;
	buf = xalloc(NULL, CHUNK_WORDS * 8);
	while (counted(read(fd, buf, CHUNK_WORDS * 8), tally))
		;
	free(buf);
	close(fd);
	return true;
}

static void spans_add(struct spans *spans, uint64_t start, uint64_t end)
{
	struct span *last = spans->count ? &spans->items[spans->count - 1] : NULL;

	if (last && start - last->end <= JOIN_PAGES << PAGE_SHIFT) {
		last->end = end;
		return;
	}
	if (spans->count == spans->space) {
		spans->space = spans->space ? 2 * spans->space : 256;
		spans->items = xalloc(spans->items, spans->space * sizeof(*spans->items));
	}
	spans->items[spans->count++] = (struct span){ start, end };
}

static uint64_t hex(const char **p)
{
	uint64_t value = 0;

	for (;; (*p)++) {
		unsigned digit = (unsigned char)**p - '0';

		if (digit > 9)
			digit = (unsigned char)**p - 'a' + 10u;
		if (digit > 15)
			return value;
		value = value << 4 | digit;
	}
}

/* Parse whole lines; returns how much of the text they were. */
static size_t spans_parse(struct spans *spans, const char *text, size_t len, struct tally *tally)
{
	const char *line = text, *newline;

	while ((newline = memchr(line, '\n', len - (size_t)(line - text)))) {
		uint64_t start = hex(&line), end;

		line++;
		end = hex(&line);
		if (end < USER_END && end > start)
			spans_add(spans, start, end);
		if (spans->elf)
			elf_line_read(&spans->files, line, newline, tally);
		tally->mappings++;
		line = newline + 1;
	}
	return (size_t)(line - text);
}

static void spans_read(struct spans *spans, int maps, struct tally *tally)
{
	size_t space = 65536, len = 0, used, got;
	char *buf = xalloc(NULL, space);

	while ((got = counted(read(maps, buf + len, space - len), tally))) {
		len += got;
		used = spans_parse(spans, buf, len, tally);
		len -= used;
		memmove(buf, buf + used, len);
		if (len == space) /* a line longer than that */
			buf = xalloc(buf, space *= 2);
	}
	free(buf);
}

static void frameset_add(struct frameset *frames, uint64_t pfn)
{
	size_t at = (size_t)(pfn >> 6);

	if (at >= frames->words) {
		size_t words = 2 * at + 1024;

		frames->bits = xalloc(frames->bits, words * 8);
		memset(frames->bits + frames->words, 0, (words - frames->words) * 8);
		frames->words = words;
	}
	frames->bits[at] |= 1ull << (pfn & 63);
}

void frameset_fini(struct frameset *frames)
{
	free(frames->bits);
	*frames = (struct frameset){ 0 };
}

static void frameset_read_run(int fd, size_t first, size_t count, uint64_t *buf,
			      struct tally *tally)
{
	while (count) {
		size_t piece = count < CHUNK_WORDS ? count : CHUNK_WORDS;

		tally->frames += counted(pread(fd, buf, piece * 8, (off_t)(first * 8)), tally) / 8;
		first += piece;
		count -= piece;
	}
}

/* The first frame at or behind from that is in the set (in), or is not; the end of the set if none. */
static size_t frameset_next(const struct frameset *frames, size_t from, bool in)
{
	size_t at = from / 64;
	uint64_t flip = in ? 0 : ~0ull, bits;

	if (at >= frames->words)
		return frames->words * 64;
	bits = (frames->bits[at] ^ flip) & ~0ull << (from % 64);
	while (!bits && ++at < frames->words)
		bits = frames->bits[at] ^ flip;
	return at * 64 + (bits ? (size_t)__builtin_ctzll(bits) : 0);
}

void frameset_read(const struct frameset *frames, const char *path, struct tally *tally)
{
	size_t first = frameset_next(frames, 0, true), limit = frames->words * 64;
	uint64_t *buf = xalloc(NULL, CHUNK_WORDS * 8);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(2, "%s", path);
	tally->files++;
	while (first < limit) {
		size_t end = frameset_next(frames, first, false);
		size_t next = frameset_next(frames, end, true);

		while (next < limit && next - end <= JOIN_FRAMES) {
			end = frameset_next(frames, next, false);
			next = frameset_next(frames, end, true);
		}
		frameset_read_run(fd, first, end - first, buf, tally);
		first = next;
	}
	close(fd);
	free(buf);
}

static void pass_present(struct pass *pass, uint64_t pfn)
{
	uint64_t flags;

	if (pass->frames)
		frameset_add(pass->frames, pfn);
	if (pass->kpageflags < 0)
		return;
	pass->tally->frames +=
		counted(pread(pass->kpageflags, &flags, 8, (off_t)(pfn * 8)), pass->tally) / 8;
}

static void pass_words(struct pass *pass, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t word = pass->words[i];

		pass->tally->swapped += word >> 62 & 1;
		if (!(word >> 63))
			continue;
		pass->tally->present++;
		if (pass->frames || pass->kpageflags >= 0)
			pass_present(pass, word & ((1ull << 55) - 1));
	}
	pass->tally->words += count;
}

static void pass_range(struct pass *pass, uint64_t start, uint64_t end)
{
	uint64_t at = start >> PAGE_SHIFT, stop = end >> PAGE_SHIFT;

	while (at < stop) {
		size_t want = stop - at < CHUNK_WORDS ? (size_t)(stop - at) : CHUNK_WORDS;
		ssize_t got = pread(pass->pagemap, pass->words, want * 8, (off_t)(at * 8));
		size_t count = counted(got, pass->tally) / 8;

		if (!count)
			return;
		pass_words(pass, count);
		at += count;
	}
}

/* One word for each huge page of the range. */
static void pass_huge(struct pass *pass, uint64_t start, uint64_t end)
{
	for (; start < end; start = (start | (HUGE_BYTES - 1)) + 1) {
		off_t offset = (off_t)(start >> PAGE_SHIFT) * 8;

		pass_words(pass,
			   counted(pread(pass->pagemap, pass->words, 8, offset), pass->tally) / 8);
	}
}

/*
 * Ask where something is, and read only that. When the kernel has handed over 512 regions and then
 * comes to the end of the range, walk_end is left where those 512 ended: going on from there alone
 * would give regions twice.
 */
static void pass_scan(struct pass *pass, const struct span *span, uint64_t return_mask)
{
	struct scan_region *regions = xalloc(NULL, SCAN_REGIONS * sizeof(*regions));
	struct scan_arg arg = { .size = sizeof(arg),
				.start = span->start,
				.end = span->end,
				.vec = (uintptr_t)regions,
				.vec_len = SCAN_REGIONS,
				.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
				.return_mask = return_mask };

	while (arg.start < arg.end) {
		int count = ioctl(pass->pagemap, SCAN, &arg);

		if (count < 0)
			err(2, "PAGEMAP_SCAN");
		pass->tally->reads++;
		for (int i = 0; i < count; i++) {
			if (regions[i].categories & SCAN_HUGE)
				pass_huge(pass, regions[i].start, regions[i].end);
			else
				pass_range(pass, regions[i].start, regions[i].end);
		}
		arg.start = arg.walk_end;
		if (count && regions[count - 1].end > arg.start)
			arg.start = regions[count - 1].end;
	}
	free(regions);
}

/* Resident pages, from statm; it decides only how a span is read. */
static uint64_t resident_pages(const char *pid, struct tally *tally)
{
	unsigned long resident = 0;
	char buf[128];
	int fd = proc_open(pid, "statm", tally);
	size_t len;

	if (fd < 0)
		return 0;
	len = counted(read(fd, buf, sizeof(buf) - 1), tally);
	buf[len] = '\0';
	close(fd);
	if (sscanf(buf, "%*u %lu", &resident) != 1)
		return 0;
	return resident;
}

static void pass_spans(struct pass *pass, const struct spans *spans, enum walk walk,
		       uint64_t resident)
{
	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span = &spans->items[i];
		uint64_t pages = (span->end - span->start) >> PAGE_SHIFT;

		if (walk == WALK_HUGE)
			pass_scan(pass, span, SCAN_PRESENT | SCAN_SWAPPED | SCAN_HUGE);
		else if (walk != WALK_EVERY && pages > 8192 && pages > 4 * resident)
			pass_scan(pass, span, SCAN_PRESENT | SCAN_SWAPPED);
		else
			pass_range(pass, span->start, span->end);
	}
	pass->tally->spans += spans->count;
}

void pagemap_walk(const char *pid, enum walk walk, struct frameset *frames, struct tally *tally)
{
	struct pass pass = { .pagemap = -1, .kpageflags = -1, .frames = frames, .tally = tally };
	struct spans spans = { .elf = walk == WALK_ELF };
	int maps = proc_open(pid, "maps", tally);

	if (maps < 0)
		return;
	spans_read(&spans, maps, tally);
	close(maps);
	if (spans.count) /* else a kernel thread or a zombie */
		pass.pagemap = proc_open(pid, "pagemap", tally);
	if (pass.pagemap >= 0) {
		pass.words = xalloc(NULL, CHUNK_WORDS * 8);
		if (walk == WALK_EVERY)
			pass.kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
		if (walk == WALK_EVERY && pass.kpageflags < 0)
			err(2, "/proc/kpageflags");
		pass_spans(&pass, &spans, walk, resident_pages(pid, tally));
		if (pass.kpageflags >= 0)
			close(pass.kpageflags);
		close(pass.pagemap);
		free(pass.words);
	}
	free(spans.items);
	elf_lines_fini(&spans.files);
}
