/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_PRIVILEGES_H
#define VMVIEW_ENGINE_PRIVILEGES_H

#include <stdbool.h>

/*
 * The first act of a run: keep the capabilities that reading other users' memory maps needs
 * (CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN for frame numbers, CAP_PERFMON and
 * CAP_CHECKPOINT_RESTORE) as far as we have them and drop all others for good, from every set; no
 * new privileges by exec; not dumpable; umask 077; no descriptor but the standard ones.
 * A set-uid program ends here, with a message: vmview is not made to be one.
 *
 * Where the run may parse ELF files, CAP_SETUID and CAP_SETGID stay permitted too, though not in
 * effect: the process that does it becomes nobody by them. privileges_settle() drops them once it is
 * known that none will be parsed.
 *
 * Where it asks the page cache about files of others, CAP_FOWNER is kept: since Linux 6.14 only a file's
 * owner is told. With it they are opened without changing their time of access (O_NOATIME), too.
 */
struct privileges {
	bool parses; /* ELF files */
	bool asks_cache;
	bool traces; /* the kernel, whose addresses are to have names */
	bool clears; /* referenced bits of processes, where an option says so */
};

void privileges_drop(const struct privileges *wanted);
void privileges_settle(void);

/*
 * For the one file of a process that vmview may write to, and that belongs to the process's user: CAP_DAC_OVERRIDE,
 * which stays permitted where the run may have to, in effect or not, of the calling thread.
 */
void privileges_override(bool on);

#endif
