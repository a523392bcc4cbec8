/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workload generators have in common.
 *
 * A generator builds one memory situation, prints "ready PID KEY=VALUE...", and then serves signals
 * until SIGTERM, SIGINT, SIGHUP or, where standard input is a pipe, a socket or a terminal, its end.
 * It and all its children die with their parent (PR_SET_PDEATHSIG), so that nothing is left behind.
 * With -P probe threads measure how long the process waits for its own memory operations (probe.h);
 * then SIGUSR1 resets the measurement and SIGUSR2 prints it.
 *
 * Everything here ends the program with a message and status 2 when it cannot do its work.
 */
#ifndef BENCH_GEN_H
#define BENCH_GEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define KIB  ((size_t)1 << 10)
#define MIB  ((size_t)1 << 20)
#define GIB  ((size_t)1 << 30)
#define TIB  ((size_t)1 << 40)
#define PAGE ((size_t)4096)

struct probe;

struct gen {
	const char *usage;	/* the arguments, for the message about wrong ones */
	sigset_t control;	/* signals that gen_wait() serves, blocked everywhere else */
	bool stdin_stops;	/* the end of standard input ends the generator */
	bool probe_wanted;	/* -P */
	unsigned pause_us;	/* -u: between two measurements of a probe thread */
	struct probe *probe;	/* NULL: not measuring */
};

/* The options that every generator has: pass them to getopt, and what it returns to gen_option. */
#define GEN_OPTIONS "Pu:"

/* Call first in main(): dies with the parent, blocks the control signals. */
void gen_init(struct gen *gen, const char *usage);

/* The same in a forked child; ends it at once when parent is already gone. */
void gen_child_init(struct gen *gen, pid_t parent);

/* One of GEN_OPTIONS; any other letter is bad usage, which ends the program. */
void gen_option(struct gen *gen, int letter, const char *arg);

/* Start the probe threads if -P was given. The refault thread drops and touches again pages of
 * region, bytes long; without a region it uses one page of its own mapping of 64 MiB. */
void gen_probe(struct gen *gen, void *region, size_t bytes);

void gen_ready(const char *format, ...) __attribute__((format(printf, 1, 2)));
void gen_wait(struct gen *gen);

void gen_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void gen_usage(const struct gen *gen) __attribute__((noreturn));

/* A mapping of its own, where the kernel likes it. */
void *gen_map(size_t bytes, int prot, int flags, int fd);

/* "8g", "1.5t", "512k", "300m", or a plain number of unit bytes; rounded down to whole pages. */
size_t gen_size(const char *text, size_t unit);

/* A whole number, 1 or more. */
size_t gen_count(const char *text);

/* Path of the C library that this program runs with: a file that every process maps. */
const char *gen_libc_path(void);

#endif
