/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zoo.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char *const state_names[PAGE_STATES] = {
	[EMPTY] = "empty", [PRESENT] = "present", [SWAPPED] = "swapped",
	[ZERO] = "zero",   [GUARD] = "guard",	  [MARKER] = "marker",
};

static void say_key(struct zoo *zoo, const char *key)
{
	fprintf(zoo->out, ",\"%s\":", key);
}

void say_num(struct zoo *zoo, const char *key, uint64_t value)
{
	say_key(zoo, key);
	fprintf(zoo->out, "%" PRIu64, value);
}

void say_addr(struct zoo *zoo, const char *key, uint64_t value)
{
	say_key(zoo, key);
	fprintf(zoo->out, "\"0x%" PRIx64 "\"", value);
}

void say_text(struct zoo *zoo, const char *key, const char *ascii)
{
	say_key(zoo, key);
	putc('"', zoo->out);
	for (; *ascii; ascii++) {
		if (*ascii == '"' || *ascii == '\\')
			putc('\\', zoo->out);
		putc(*ascii, zoo->out);
	}
	putc('"', zoo->out);
}

void say_bool(struct zoo *zoo, const char *key, bool value)
{
	say_key(zoo, key);
	fputs(value ? "true" : "false", zoo->out);
}

void say_hex(struct zoo *zoo, const char *key, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	say_key(zoo, key);
	putc('"', zoo->out);
	for (size_t i = 0; i < len; i++)
		fprintf(zoo->out, "%02x", b[i]);
	putc('"', zoo->out);
}

void say_nums(struct zoo *zoo, const char *key, const uint64_t *values, size_t count)
{
	say_key(zoo, key);
	putc('[', zoo->out);
	for (size_t i = 0; i < count; i++)
		fprintf(zoo->out, "%s%" PRIu64, i ? "," : "", values[i]);
	putc(']', zoo->out);
}

/* Words separated by blanks become a list of strings. */
static void say_words(struct zoo *zoo, const char *key, const char *words)
{
	const char *sep = "";

	if (!words)
		return;
	say_key(zoo, key);
	putc('[', zoo->out);
	while (*words) {
		int len = (int)strcspn(words, " ");

		fprintf(zoo->out, "%s\"%.*s\"", sep, len, words);
		sep = ",";
		words += len;
		words += strspn(words, " ");
	}
	putc(']', zoo->out);
}

static void say_bytes(struct zoo *zoo, const struct truth *truth)
{
	const struct {
		const char *key;
		size_t pages;
	} fields[] = {
		{ "rss", truth->private_clean + truth->private_dirty + truth->shared_clean +
				 truth->shared_dirty },
		{ "uss", truth->private_clean + truth->private_dirty },
		{ "anonymous", truth->anonymous },
		{ "ksm", truth->ksm },
		{ "lazy_free", truth->lazy_free },
		{ "anon_huge_pages", truth->anon_huge },
		{ "shmem_pmd_mapped", truth->shmem_huge },
		{ "file_pmd_mapped", truth->file_huge },
		{ "private_hugetlb", truth->private_hugetlb },
		{ "shared_hugetlb", truth->shared_hugetlb },
		{ "swap", truth->swap + truth->shmem_swap },
		{ "private", truth->private_clean + truth->private_dirty },
		{ "shared", truth->shared_clean + truth->shared_dirty },
		{ "huge", truth->anon_huge + truth->shmem_huge + truth->file_huge +
				  truth->private_hugetlb + truth->shared_hugetlb },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		say_num(zoo, fields[i].key, fields[i].pages * zoo->page);
}

static void say_dirty(struct zoo *zoo, const struct truth *truth)
{
	say_num(zoo, "private_clean", truth->private_clean * zoo->page);
	say_num(zoo, "private_dirty", truth->private_dirty * zoo->page);
	say_num(zoo, "shared_clean", truth->shared_clean * zoo->page);
	say_num(zoo, "shared_dirty", truth->shared_dirty * zoo->page);
	say_num(zoo, "clean", (truth->private_clean + truth->shared_clean) * zoo->page);
	say_num(zoo, "dirty", (truth->private_dirty + truth->shared_dirty) * zoo->page);
	if (!(truth->unsure & UNSURE_PSS))
		say_num(zoo, "pss_dirty",
			truth->private_dirty * zoo->page + truth->pss_dirty_shared);
}

/* Pss and what is split like it. */
static void say_pss(struct zoo *zoo, const struct truth *truth)
{
	uint64_t own = (truth->private_clean + truth->private_dirty) * zoo->page;

	if (!(truth->unsure & UNSURE_PSS)) {
		say_num(zoo, "pss", own + truth->pss_shared);
		say_num(zoo, "locked", truth->locked ? own + truth->pss_shared : 0);
	}
	if (!(truth->unsure & UNSURE_SWAP_PSS))
		say_num(zoo, "swap_pss",
			truth->swap_pss ? truth->swap_pss : truth->swap * zoo->page);
}

/* The runs in order, the empty ones filled in, and how many pages are in which state. */
static void say_runs(struct zoo *zoo, const struct truth *truth)
{
	size_t count[PAGE_STATES] = { 0 }, next = 0;
	const char *sep = "";

	say_key(zoo, "runs");
	putc('[', zoo->out);
	for (size_t i = 0; i <= truth->run_count; i++) {
		struct run end = { EMPTY, truth->pages, 0 };
		const struct run *run = i < truth->run_count ? &truth->runs[i] : &end;

		if (run->first < next || run->first + run->count > truth->pages)
			zoo_die("%s: runs out of order", zoo->animal);
		if (run->first > next) {
			fprintf(zoo->out, "%s[\"empty\",%zu,%zu]", sep, next, run->first - next);
			count[EMPTY] += run->first - next;
			sep = ",";
		}
		if (run->count) {
			fprintf(zoo->out, "%s[\"%s\",%zu,%zu]", sep, state_names[run->state],
				run->first, run->count);
			sep = ",";
		}
		count[run->state] += run->count;
		next = run->first + run->count;
	}
	fprintf(zoo->out, "],\"pages\":{");
	for (size_t i = 0; i < PAGE_STATES; i++)
		fprintf(zoo->out, "%s\"%s\":%zu", i ? "," : "", state_names[i], count[i]);
	putc('}', zoo->out);
}

/* What is known of the frames. Said only where there are any. */
static void say_frames(struct zoo *zoo, const struct truth *truth)
{
	bool any = false;

	for (size_t i = 0; i < truth->run_count; i++)
		any = any || truth->runs[i].state == PRESENT;
	if (!any)
		return;
	if (!(truth->unsure & UNSURE_ORDER))
		say_num(zoo, "order", truth->order);
	if (!(truth->unsure & (UNSURE_PSS | UNSURE_MAP_COUNT)))
		say_num(zoo, "map_count", truth->map_count ? truth->map_count : 1);
	if (!(truth->unsure & UNSURE_MAPPED_BY))
		say_text(zoo, "mapped_by", truth->mapped_by ? truth->mapped_by : "pte");
	say_words(zoo, "flags", truth->kpf);
	say_words(zoo, "flags_not", truth->kpf_not);
}

static void say_place(struct zoo *zoo, const struct truth *truth)
{
	uint64_t size = truth->pages * zoo->page;

	fprintf(zoo->out, "\"%s\":\"0x%" PRIx64 "\"",
		truth->unsure & UNSURE_START ? "inside" : "start", truth->start);
	if (!(truth->unsure & UNSURE_END)) {
		say_addr(zoo, "end", truth->start + size);
		say_num(zoo, "size", size);
	} else if (!(truth->unsure & UNSURE_START)) {
		say_num(zoo, "size_min", size);
	}
	if (truth->pid)
		say_num(zoo, "pid", (uint64_t)truth->pid);
	if (truth->tid)
		say_num(zoo, "tid", (uint64_t)truth->tid);
	if (truth->kind)
		say_text(zoo, "kind", truth->kind);
	if (!(truth->unsure & UNSURE_PERM))
		say_text(zoo, "perm", truth->perm ? truth->perm : "rw-p");
}

/* The name as in maps, and without the mark that the kernel adds to names which are gone. */
static void say_name(struct zoo *zoo, const struct truth *truth)
{
	static const char mark[] = " (deleted)";
	const char *name = truth->name ? truth->name : "";
	size_t len = strlen(name), mark_len = sizeof(mark) - 1;

	if (!(truth->unsure & UNSURE_NAME)) {
		say_hex(zoo, "name_hex", name, len);
		if (!truth->file && len > mark_len && !strcmp(name + len - mark_len, mark))
			len -= mark_len;
		say_hex(zoo, "path_hex", name, len);
	}
	if (truth->file)
		say_hex(zoo, "file_hex", truth->file, strlen(truth->file));
	if (truth->file || truth->deleted)
		say_bool(zoo, "deleted", truth->deleted);
	if (truth->inode)
		say_num(zoo, "inode", truth->inode);
	if (!(truth->unsure & UNSURE_OFFSET))
		say_addr(zoo, "offset", truth->offset);
}

void say_mapping(struct zoo *zoo, const struct truth *truth)
{
	/* The first one opens the list. */
	fputs(zoo->listing ? "," : ",\"mappings\":[", zoo->out);
	zoo->listing = true;
	putc('{', zoo->out);
	say_place(zoo, truth);
	say_name(zoo, truth);
	say_num(zoo, "kernel_page_size", truth->page_size ? truth->page_size : zoo->page);
	say_words(zoo, "vm_flags", truth->flags);
	say_words(zoo, "vm_flags_not", truth->flags_not);
	if (truth->policy)
		say_text(zoo, "policy", truth->policy);
	if (!(truth->unsure & UNSURE_BYTES)) {
		say_bytes(zoo, truth);
		say_pss(zoo, truth);
		if (!(truth->unsure & UNSURE_DIRTY))
			say_dirty(zoo, truth);
	}
	if (!(truth->unsure & (UNSURE_BYTES | UNSURE_RUNS | UNSURE_RANGE))) {
		say_runs(zoo, truth);
		say_frames(zoo, truth);
		say_num(zoo, "uffd_wp", truth->uffd_wp);
	}
	putc('}', zoo->out);
}

void say_open(struct zoo *zoo, pid_t pid)
{
	fprintf(zoo->out, "{\"animal\":\"%s\",\"pid\":%d", zoo->animal,
		(int)(pid ? pid : getpid()));
	zoo->listing = false;
}

void say_close(struct zoo *zoo)
{
	fputs(zoo->listing ? "]}\n" : ",\"mappings\":[]}\n", zoo->out);
	fflush(zoo->out);
}

int say_one(struct zoo *zoo, const struct truth *truth)
{
	say_open(zoo, 0);
	say_mapping(zoo, truth);
	say_close(zoo);
	return 0;
}

void say_event(struct zoo *zoo, const char *name, pid_t pid)
{
	fprintf(zoo->out, "{\"event\":\"%s\",\"pid\":%d}\n", name, (int)pid);
	fflush(zoo->out);
}
