/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_TARGETS_H
#define VMVIEW_ENGINE_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

struct context;
struct error;

/* Which processes: as operands, or by one of these, for all commands that take several. */
struct target_options {
	const char *name, *user, *cgroup, *tree;
	bool all;
};

/* The rows of --help, for a command whose options struct begins with a struct target_options. */
#define TARGET_OPTION_ROWS TARGET_OPTION_ROWS_BY('n')

/* The same where -n is pmap's. */
#define TARGET_OPTION_ROWS_OF_MAP TARGET_OPTION_ROWS_BY(0)

#define TARGET_OPTION_ROWS_BY(letter_of_name) \
	{ letter_of_name, \
	  "name", \
	  "REGEX", \
	  OPTION_TEXT, \
	  offsetof(struct target_options, name), \
	  "processes whose name matches" }, \
		{ 'u', \
		  "user", \
		  "USER", \
		  OPTION_TEXT, \
		  offsetof(struct target_options, user), \
		  "processes of this user, by name or number" }, \
		{ 0, \
		  "cgroup", \
		  "PATH", \
		  OPTION_TEXT, \
		  offsetof(struct target_options, cgroup), \
		  "processes in this cgroup and those below" }, \
		{ 0, \
		  "tree", \
		  "PID", \
		  OPTION_TEXT, \
		  offsetof(struct target_options, tree), \
		  "this process and its descendants" }, \
	{ \
		0, "all", NULL, OPTION_FLAG, offsetof(struct target_options, all), "all processes" \
	}

struct targets {
	int *pids;
	size_t count;
	bool selected; /* by an option: one that vanished meanwhile is no error */
	bool all; /* all processes: nor is one that may not be read */
};

/* Whether any of them is given. */
static inline bool targets_selected(const struct target_options *options)
{
	return options->name || options->user || options->cgroup || options->tree || options->all;
}

/*
 * The processes that operands ("123", "/proc/123") and options name, each once; options are AND-ed.
 * Returns 0, -EINVAL for wrong usage (nothing named, no number), or -errno of the process list.
 */
int targets_find(struct context *ctx, const struct target_options *options, int argc, char **argv,
		 struct targets *out, struct error *err);

/*
 * All processes. -ENOENT where there is none, since procfs is not mounted; where others are hidden it is told,
 * and the document is not complete.
 */
int targets_all(struct context *ctx, struct targets *out, struct error *err);

/* For who lists them otherwise: whether others are hidden, by the first of the list. */
void targets_check(struct context *ctx, int first);

/* The process that a thread is of, by Tgid of its status; what is no thread is itself. */
int target_process(struct context *ctx, int pid);

/* A word that may be the name of a program, and is no id, range or path. */
bool target_is_name(const char *word);

/* Parse "123" or "/proc/123" (also "/proc/123/"); false where it is none. */
bool target_parse_pid(const char *text, int *pid);

#endif
