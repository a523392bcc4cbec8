/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/average.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "model/page.h"
#include "source/caps.h"
#include "source/frames.h"
#include "source/root.h"

enum answer { ANSWER_UNKNOWN, ANSWER_EXACT, ANSWER_AVERAGE };

static bool has_line(struct bytes text, const char *line)
{
	size_t len = strlen(line);
	const char *at = text.data, *end = text.data + text.len;

	while ((at = memmem(at, (size_t)(end - at), line, len))) {
		bool starts = at == text.data || at[-1] == '\n';

		at += len;
		if (starts && (at == end || *at == '\n'))
			return true;
	}
	return false;
}

static enum answer ask_config(const struct root *root)
{
	enum answer answer = ANSWER_UNKNOWN;
	struct bytes release, config;
	struct arena arena;

	arena_init(&arena);
	if (root_read(root, &arena, &release, NULL, "proc/sys/kernel/osrelease") == 0) {
		while (release.len && release.data[release.len - 1] == '\n')
			release.len--;
		if (!memchr(release.data, '/', release.len) &&
		    root_read(root, &arena, &config, NULL, "boot/config-%.*s", (int)release.len,
			      release.data) == 0)
			answer = has_line(config, "CONFIG_NO_PAGE_MAPCOUNT=y") ? ANSWER_AVERAGE :
										 ANSWER_EXACT;
	}
	arena_fini(&arena);
	return answer;
}

/* The frame of our page at addr; 0: none. */
static uint64_t own_pfn(const struct root *root, const struct caps *caps, uintptr_t addr)
{
	struct words pagemap;
	uint64_t word = 0;

	if (words_open(&pagemap, root, "proc/self/pagemap", NULL))
		return 0;
	if (words_read(&pagemap, addr / caps->page_size, &word, 1) != 1)
		word = 0;
	words_close(&pagemap);
	return word & PAGEMAP_PRESENT ? pagemap_pfn(word) : 0;
}

/* addr: where huge would fit a huge page. */
static enum answer ask_huge_page(const struct root *root, const struct frames *frames,
				 const struct caps *caps, char *addr)
{
	char *last = addr + caps->huge_size - caps->page_size;
	uint64_t pfn, count, flags;

	madvise(addr, caps->huge_size, MADV_HUGEPAGE);
	*addr = 1;
	pfn = own_pfn(root, caps, (uintptr_t)last);
	if (!pfn || !frames_word(frames, FRAME_FLAGS, pfn, &flags) || !(flags & PAGE_FLAG(TAIL)))
		return ANSWER_UNKNOWN;
	madvise(last, caps->page_size, MADV_DONTNEED);
	if (!frames_word(frames, FRAME_COUNTS, pfn, &count))
		return ANSWER_UNKNOWN;
	return count ? ANSWER_AVERAGE : ANSWER_EXACT;
}

static enum answer probe_live(const struct root *root, const struct frames *frames,
			      const struct caps *caps)
{
	size_t size = 2 * caps->huge_size;
	enum answer answer;
	char *memory;
	uintptr_t huge;

	if (!caps->huge_size || frames->reason[FRAME_FLAGS] || frames->reason[FRAME_COUNTS])
		return ANSWER_UNKNOWN;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return ANSWER_UNKNOWN;
	huge = ((uintptr_t)memory + caps->huge_size - 1) & ~(caps->huge_size - 1);
	answer = ask_huge_page(root, frames, caps, memory + (huge - (uintptr_t)memory));
	munmap(memory, size);
	return answer;
}

bool average_probe(const struct root *root, const struct frames *frames, const struct caps *caps)
{
	enum answer answer;

	if (root->recorded)
		return !caps->page_counts;
	answer = probe_live(root, frames, caps);
	if (answer == ANSWER_UNKNOWN)
		answer = ask_config(root);
	return answer != ANSWER_EXACT;
}
