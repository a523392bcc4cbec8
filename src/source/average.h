/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_AVERAGE_H
#define VMVIEW_SOURCE_AVERAGE_H

#include <stdbool.h>

struct caps;
struct frames;
struct root;

/*
 * Does kpagecount have only the average of a folio for each of its pages (CONFIG_NO_PAGE_MAPCOUNT,
 * since 6.15)? Found out with a huge page of our own, one page of which is unmapped: its count then
 * is 0, or still the folio's. Where there is no huge page to be had, the kernel's configuration in
 * /boot tells; where that is not there either, and in a recording that does not say (caps.h), the
 * answer is yes, since counts of big folios are then no more than an estimate.
 */
bool average_probe(const struct root *root, const struct frames *frames, const struct caps *caps);

#endif
