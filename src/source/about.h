/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ABOUT_H
#define VMVIEW_SOURCE_ABOUT_H

struct out;

/* --version: the version, which libraries are found that it opens when it needs them, and what the kernel allows. */
void about_print(struct out *out);

#endif
