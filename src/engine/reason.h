/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_REASON_H
#define VMVIEW_ENGINE_REASON_H

#include <stdbool.h>

#include "model/absence.h"

struct context;
struct error;
struct root;

/* The words of reasons that several commands give: one state, one sentence. */
extern const char reason_needs_rights[]; /* maps, smaps, .. */
extern const char reason_needs_pagemap[];
extern const char reason_memory_gone[]; /* the address space ended while it was read */
extern const char reason_changed[];
extern const char reason_not_asked[];
extern const char reason_budget[];

/* Why a file of a process or of the machine could not be read: of the -errno of reading it below root. */
struct absence reason_of(const struct root *root, int rc);

/* Whether rights are missing that sudo gives: not to root, nor in a recording. */
bool reason_sudo_helps(const struct context *context);

/*
 * Add to the error of missing rights what helps: "(try: sudo vmview numa 4711)". Nothing for root, for
 * whom sudo changes nothing, nor in a recording. command: as typed behind vmview, "" for none;
 * pid 0: it has no operand.
 */
void reason_advise(const struct context *context, struct error *err, const char *command, int pid);

#endif
