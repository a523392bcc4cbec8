/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_VMA_H
#define VMVIEW_MODEL_VMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/kind.h"
#include "model/smaps_key.h"
#include "model/value.h"

enum vma_perm {
	VMA_READ = 1,
	VMA_WRITE = 2,
	VMA_EXEC = 4,
	VMA_SHARED = 8, /* 's': VM_MAYSHARE, kernel-interfaces: MAP_SHARED */
};

/*
 * Of a longer path its first bytes are kept, its true length, and its last bytes: enough for a file's
 * name of 255 bytes, each of them a newline that the kernel shows as four.
 */
enum { VMA_PATH_KEPT = 4096, VMA_TAIL_KEPT = 1024 };

struct image;

/* A mapping's part of a program file. Lives until the next process is read. */
struct vma_object {
	struct value section; /* the name of the one that has the most of the mapping */
	const struct image *image; /* that the mapping belongs to */
	const char *build_id; /* in hex; NULL: see build_id_reason */
	const char *build_id_reason;
};

/*
 * One mapping, as one record of /proc/PID/maps or smaps has it. path is as the kernel prints it
 * (only newline escaped, as \012), without the " (deleted)" that deleted stands for. Text members
 * point into the reader's buffer and live until its callback returns; vma_store keeps copies.
 */
struct vma {
	uint64_t start, end; /* bytes; end is behind the last */
	uint64_t offset; /* bytes in the file; 0 without one */
	const struct core_mapping *
		core; /* of a core, whose mapping has no device, and whose inode only counts files */
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	uint32_t file_id; /* records of one reading with the same one have one file; 0: not told */
	enum vma_kind kind;
	const char *kind_reason; /* why KIND_FILE may be another; NULL: known, or from a vma_store */
	int32_t tid; /* thread whose stack it is, 0: none known */
	bool deleted; /* the name ends in " (deleted)": a hint, a file may be called so */
	bool changed; /* overlapped the one before: changed while reading, start is clamped */
	uint8_t perm; /* enum vma_perm */
	bool aside; /* a row beside what was asked for, or a hole: KIND_HOLE */
	bool same; /* its fields, but for the size, are those of the record before */
	int32_t pid; /* process it belongs to; set by who reads it */
	struct bytes path;
	uint64_t path_len; /* true length; more than path.len where the path was cut */
	struct bytes tail; /* then its last bytes; what lies between the two is lost */
	struct bytes name; /* for people, where it differs from path; else empty */
	struct bytes vm_flags; /* "rd wr mr mw me ac", codes with a space between, verbatim */
	const struct vma_object
		*object; /* what it is of a program file; NULL: nothing, or not asked */
	const char *guess; /* what it may be, a literal; NULL: no idea, or not asked */
	const char *guess_reason; /* why nothing was guessed; NULL: it was tried */
	uint64_t have; /* bit of each slot of field that is known */
	uint64_t estimated; /* of these, bit of each slot that is an estimate (from pages, not smaps) */
	const char *absent; /* why fields that are not in have are absent; NULL: not in this kernel */
	uint64_t lost; /* of these, bit of each slot that is absent for another reason: */
	const char *why_lost;
	uint64_t overflow; /* bit of each slot that is absent since it does not fit 64 bits */
	uint64_t field[SMAPS_SLOTS]; /* by smaps_slot; bytes where the kernel says kB */
};

static inline uint64_t vma_size(const struct vma *vma)
{
	return vma->end - vma->start;
}

static inline bool vma_has(const struct vma *vma, unsigned slot)
{
	return vma->have >> slot & 1;
}

/* Whether the mapping has this VmFlags code ("ht", "gd"); false too where VmFlags are not known. */
bool vma_has_flag(const struct vma *vma, const char *code);

/* Why one of these slots is not known; NULL: not in this kernel. */
static inline const char *vma_absent(const struct vma *vma, uint64_t slots)
{
	if (vma->overflow & slots)
		return value_overflow;
	return vma->lost & slots ? vma->why_lost : vma->absent;
}

/* "rw-p", forever; of a core "rw-?": it does not tell private from shared; "????": nor anything. */
const char *vma_perm_word(const struct vma *vma);

/* "rw-p" into text, with a NUL. */
void vma_perm_text(const struct vma *vma, char text[5]);

/*
 * Sums of fields. Each is known only where every field that it is made of is known: private and
 * shared and dirty and clean are sums of smaps' four classes, uss is private: of the pages
 * of rss and pss, of which hugetlb is none; that is a sum of its own. huge is all that a PMD maps plus
 * hugetlb. One that does not fit 64 bits is not known.
 */
enum vma_sum {
	SUM_USS,
	SUM_HUGETLB,
	SUM_SHARED,
	SUM_PRIVATE,
	SUM_DIRTY,
	SUM_CLEAN,
	SUM_HUGE,
	SUM_COUNT
};

extern const char *const vma_sum_names[SUM_COUNT];

/* The slots that a sum is made of. */
uint64_t vma_sum_slots(enum vma_sum sum);

bool vma_sum(const struct vma *vma, enum vma_sum sum, uint64_t *out);

/* Why that is not known, as vma_absent(). */
const char *vma_sum_absent(const struct vma *vma, enum vma_sum sum);

/*
 * The known fields that are estimates, and from bit VMA_SUMS_BIT on the sums. Whether a page is clean
 * or dirty is an estimate, whether it is private or shared is not: those sums are exact.
 */
enum { VMA_SUMS_BIT = 48 };

uint64_t vma_estimates(const struct vma *vma);

#endif
