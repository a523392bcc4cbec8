/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_CORE_H
#define VMVIEW_MODEL_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * An ELF core: what a process had mapped when it died (core(5), fs/binfmt_elf.c). Its program headers
 * are its mappings, one each, and its notes tell threads, names of files, the signal. Addresses are
 * those of the process. Every number comes from a file that may be hostile; core_arrange() makes what
 * the rest of vmview may rely on: mappings that ascend and do not overlap.
 */
enum {
	CORE_MAPPINGS_MAX = 1 << 20,
	CORE_NAMES_MAX = 1 << 19,	/* records of NT_FILE */
	CORE_THREADS_MAX = 1 << 18,
	CORE_NAME_MAX = 4096,
	CORE_NAMES_BYTES_MAX = 64 << 20,
	CORE_BUILD_ID_MAX = 64,
	CORE_HEADERS_MAX = 128,		/* program headers of a file whose hash is made */
};

/* Why a core does not know what only the kernel of the living process knew. */
extern const char core_lacks[];

/* What the first page of a mapped file shows, where the core has it. */
enum core_head {
	CORE_HEAD_ABSENT,	/* the page was left out */
	CORE_HEAD_ELF,
	CORE_HEAD_OTHER,	/* no ELF file */
};

/* A file that was mapped; all mappings of one name are of one file. */
struct core_file {
	struct bytes name;	/* without the " (deleted)" that deleted stands for */
	bool deleted;
	enum core_head head;
	uint64_t head_hash;	/* hash_bytes() of ELF header and program headers; of CORE_HEAD_ELF */
	struct bytes build_id;	/* from the core itself; len 0: not there */
};

/* A mapping, in the end; a record of NT_FILE is one too while it is read. */
struct core_mapping {
	uint64_t start, end;
	uint64_t offset, file_size;	/* where its bytes are in the core, and how many should be */
	uint64_t in_core;		/* how many are: a core can be cut short, and have holes */
	uint64_t holes;			/* bytes in holes of the file: zeros, or never touched */
	uint32_t flags;			/* PF_R .. */
	bool unlisted;			/* known from NT_FILE alone: flags are not known */
	const struct core_file *file;	/* NULL: of none */
	uint64_t file_offset;		/* where it begins in the file */
};

/* A record of NT_FILE. */
struct core_name {
	uint64_t start, end, offset;	/* offset in bytes */
	struct bytes name;
	uint32_t file;			/* index of the file it is of; core_arrange() */
	bool used;			/* a mapping is of it */
};

/* What the first page of the mapping at start showed. */
struct core_page {
	uint64_t start, head_hash;
	enum core_head head;
	struct bytes build_id;
};

/* A hole of a sparse core: bytes of the file that are in no block. */
struct core_hole {
	uint64_t start, end;
};

struct core_thread {
	int32_t tid;
	uint16_t signal;	/* that it was stopped by; 0: none */
	uint64_t sp;		/* 0: not known of this machine */
};

struct core {
	struct core *next;	/* another one that was given */
	uint32_t index;		/* among them */
	int handle;		/* its name among them: the pid, or where one before has that, a free number */
	const char *path;	/* as the user gave it */
	uint64_t size;		/* of the file */
	bool wide, big_endian;	/* ELFCLASS64, ELFDATA2MSB */
	uint16_t machine;	/* EM_ */
	/* NT_PRPSINFO */
	bool has_process;
	int32_t pid, ppid;
	uint32_t uid, gid;
	char state;
	struct bytes comm, args;	/* args: the first 79 bytes, blanks between arguments */
	/* NT_SIGINFO, else the first NT_PRSTATUS */
	bool has_code;
	int32_t signal, code;
	bool has_fault;			/* fault is the address that a fault was for */
	uint64_t fault;
	/* NT_AUXV; 0: not told */
	uint64_t page_size, phdr, entry, vdso, random;
	struct core_thread *threads;	/* the first is the one that died */
	size_t thread_count;
	struct core_mapping *mappings;
	size_t mapping_count;
	struct core_file *files;
	size_t file_count;
	const struct core_hole *holes;	/* ascending, apart; set before core_arrange() */
	size_t hole_count;
	/* as they came; core_arrange() joins them */
	struct core_name *names;
	size_t name_count;
	struct core_page *pages;
	size_t page_count;
	/* what is wrong with it */
	bool cut;			/* more threads or names than the limits allow */
	size_t malformed;		/* program headers that no mapping can have */
	size_t overlaps;		/* mappings that overlapped the one before, and were clamped */
	size_t unmapped;		/* records of NT_FILE that no mapping can be of */
	uint64_t lost;			/* bytes that it should have and does not: cut short */
};

struct arena;

/*
 * Sort mappings, cut them where records of NT_FILE begin and end (some dumpers join neighbours of the
 * same rights), join them with names, files and first pages; count what does not fit. What it makes
 * lives in arena.
 */
void core_arrange(struct core *core, struct arena *arena);

/* The mapping that addr lies in, or NULL. */
const struct core_mapping *core_mapping_at(const struct core *core, uint64_t addr);

/*
 * The next stretch of the mapping that the core has: at *start, an address, or above. False: no more.
 */
bool core_next_data(const struct core *core, const struct core_mapping *mapping, uint64_t *start,
		    uint64_t *end);

/* The file that the program began in, by its program headers or entry; NULL: not known. */
const struct core_file *core_exe(const struct core *core);

/* "SIGSEGV" of a machine whose numbers are the common ones, or NULL. */
const char *core_signal_name(int signal);

#endif
