/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_WORKER_H
#define VMVIEW_SOURCE_ELF_WORKER_H

#include <stdbool.h>

#include "source/elf_protocol.h"

struct arena;
struct core_decoder;
struct elf_worker;
struct object;

/*
 * Parses ELF files in a confined process of its own (elf_confine.h), which is started with the first
 * file, if not before. A file on which it crashes or does not end costs that file, and so does one whose
 * file system does not answer: the process is started anew, and after ELF_CRASHES_MAX nothing is parsed
 * any more.
 */
enum { ELF_DEADLINE_MS = 5000, ELF_CRASHES_MAX = 3 };

/* A file to parse. object and arena are the caller's, and have to live until it is done. */
struct elf_job {
	struct object *object;
	struct arena *arena;
	struct core_decoder *core;	/* where ELF_WANT_CORE asks for one */
	bool done;
	enum elf_why why;	/* ELF_WHY_NONE: object is valid; else it is empty */
};

struct elf_worker *elf_worker_new(void);
void elf_worker_free(struct elf_worker *worker);

/*
 * Start the process now and not with the first file: it gets ready while other things are done, and
 * each page that both would write to later needs no copy.
 */
void elf_worker_start(struct elf_worker *worker);

/*
 * Have the file parsed. fd is given away. Returns soon: many are parsed one behind the other while the
 * caller goes on; take the answers with elf_worker_wait().
 */
void elf_worker_ask(struct elf_worker *worker, int fd, const struct elf_request *request,
		    struct elf_job *job);

/* Wait until the job is done; all that were asked for before it are then done too. */
void elf_worker_wait(struct elf_worker *worker, const struct elf_job *job);

/* How many files it crashed on or did not end with. */
unsigned elf_worker_crashes(const struct elf_worker *worker);

#endif
