/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_KEYS_H
#define VMVIEW_ENGINE_KEYS_H

struct root;
struct smaps_keys;
struct targets;

/*
 * Meet the fields that this kernel has in a file of sums or mappings ("smaps", "smaps_rollup"), so that
 * there are columns for those this version does not know: from our own, which nobody can keep from
 * being read, or, of a recording, from the first of its processes that can.
 */
void keys_meet(const struct root *root, const struct targets *targets, const char *file,
	       struct smaps_keys *keys);

#endif
