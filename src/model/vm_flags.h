/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_VM_FLAGS_H
#define VMVIEW_MODEL_VM_FLAGS_H

#include "model/value.h"

/*
 * The two-letter codes of the VmFlags line of smaps and what they mean (fs/proc/task_mmu.c,
 * show_smap_vma_flags()), ended by an entry whose code is NULL. Codes that are not here are shown as
 * they are.
 */
extern const struct code_name vm_flag_names[];

#endif
