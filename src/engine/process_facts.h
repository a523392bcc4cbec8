/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_PROCESS_FACTS_H
#define VMVIEW_ENGINE_PROCESS_FACTS_H

#include <stdint.h>

struct arena;
struct core;
struct out;
struct process;
struct report;
struct root;

/* The facts of a process as keys of the current JSON object: pid, comm, cmdline .. layout. */
void process_facts(struct report *report, const struct process *process);

/*
 * "layout", after the mappings: the ends of heap and stack are those of their mappings, 0 where there
 * is none, since stat has only where they begin.
 */
void process_layout_facts(struct report *report, const struct process *process, uint64_t heap_end,
			  uint64_t stack_end);

/* The command line for people, made safe; "[comm]" where there is none; a zombie says so. */
void process_title(struct out *out, const struct process *process);

/*
 * Why a process that shows no mappings has none: it is a zombie, or a kernel thread. NULL where that
 * is not so, also where only its main thread has exited. facts: FACT_STAT and FACT_CMDLINE.
 */
const char *process_no_memory(const struct process *process);

/* A core for people, as a line at the end: signal, threads, how much of the memory is there. */
void process_core_note(struct report *report, const struct core *core);

/* Look up the name of process->uid; listed in missing where there is none. */
void process_user(const struct root *root, struct arena *arena, struct process *process);

#endif
