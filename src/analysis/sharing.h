/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_SHARING_H
#define VMVIEW_ANALYSIS_SHARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/frame_words.h"
#include "analysis/sharing_figures.h"

/*
 * Who shares which frames, exactly. Every frame has one number: the set of the processes that were
 * seen to map it so far. A page of process p moves its frame from set s to the set s + p. Processes
 * come one after the other, so a set has one way to come about, and only its step for the current
 * process has to be remembered. Pages are never stored; pages that the kernel says are mapped once
 * (bit 56 of pagemap) are counted and never touch the frames. In the end the sets are the answer.
 *
 *	sharing = sharing_new(0);
 *	for each address space:
 *		process = sharing_begin(sharing);
 *		sharing_add(sharing, pfn, count, kind, exclusive) ..
 *		(sharing_drop(sharing) where what was read was torn)
 *	sharing_next_frames() .. sharing_set_kind(): find the KSM pages among the anonymous ones
 *	sharing_next_frames() .. sharing_set_map_count(): for pss and closed
 *	sharing_finish(sharing);
 *	sharing_process(), sharing_groups(), sharing_pairs() ..
 *
 * Memory: 4 bytes per shared frame (by 64 neighbours), 36 per set. Where there would be more sets
 * than the cap, frames go to crowds, of which only the number of mappers is known: what each process
 * has and the footprint stay exact, pairs and groups become lower bounds (sharing_is_exact()). A
 * frame that comes into a crowd twice by one process counts twice there.
 */

enum { SHARING_SETS_MAX = 4 << 20 }; /* default cap: 144 MiB */

/* Frames from here on are no memory (256 TiB of small pages): sharing_add() passes over them. */
#define SHARING_PFN_END FRAME_WORDS_END

struct sharing;

/* sets_max: cap on sets of two or more processes, 0: SHARING_SETS_MAX. */
struct sharing *sharing_new(uint32_t sets_max);
void sharing_free(struct sharing *sharing);

/* The next process; returns its index, from 0. */
uint32_t sharing_begin(struct sharing *sharing);

/*
 * count pages of the current process, in frames one behind the other. exclusive: each is mapped here
 * and nowhere else. The kind of a frame is that of its first page. No zero pages, no hidden frames.
 */
void sharing_add(struct sharing *sharing, uint64_t pfn, uint64_t count, enum share_kind kind,
		 bool exclusive);

/* Pages one behind the other in frames one behind the other; of exclusive ones pfn says nothing. */
struct sharing_run {
	uint64_t pfn, count;
	uint8_t kind; /* enum share_kind */
	bool exclusive;
};

/* As sharing_add() of each, and faster. */
void sharing_add_runs(struct sharing *sharing, const struct sharing_run *runs, size_t count);

/* Forget what was added of the current process, as if it had no memory (but see crowds). */
void sharing_drop(struct sharing *sharing);

/*
 * Runs of frames that are in the join (exclusive ones are not), of the kinds in the mask (1 << kind),
 * in rising order: *pfn is where to begin, and then where the run is. Returns its length, 0: no more.
 */
uint64_t sharing_next_frames(const struct sharing *sharing, unsigned kinds, uint64_t *pfn);

void sharing_set_kind(struct sharing *sharing, uint64_t pfn, enum share_kind kind);

/* How often the kernel says that a frame is mapped, by anybody (kpagecount). */
void sharing_set_map_count(struct sharing *sharing, uint64_t pfn, uint64_t map_count);

/* Add up. Nothing may be added afterwards. */
void sharing_finish(struct sharing *sharing);

size_t sharing_process_count(const struct sharing *sharing);
const struct sharing_process *sharing_process(const struct sharing *sharing, uint32_t process);

/* Frames of exactly these processes. Those of one process include its exclusive ones. */
struct sharing_group {
	uint32_t set; /* for sharing_members(); 0: crowds, members not known */
	uint32_t size; /* processes; of crowds 0 */
	uint64_t total;
	uint64_t frames[SHARE_KINDS];
};

/* All groups that have frames, in no order; the caller frees. */
struct sharing_group *sharing_groups(const struct sharing *sharing, size_t *count);

/* The top largest first, the largest of all before. */
void sharing_groups_sort(struct sharing_group *groups, size_t count, size_t top);

/* The processes of a group, rising; out has room for size. */
void sharing_members(const struct sharing *sharing, const struct sharing_group *group,
		     uint32_t *out);

const struct sharing_total *sharing_total(const struct sharing *sharing);

/* Whether pairs and groups are complete: no crowds. */
bool sharing_is_exact(const struct sharing *sharing);

/* The set (0: not in the join, or exclusive) and kind of a frame, as it is now. */
uint32_t sharing_set_of(const struct sharing *sharing, uint64_t pfn, enum share_kind *kind);

/* Frames that are mapped here and nowhere else. */
uint64_t sharing_uss(const struct sharing_process *process);

#endif
