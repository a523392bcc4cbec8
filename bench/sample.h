/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BENCH_SAMPLE_H
#define BENCH_SAMPLE_H

/* Run the library's code, read its constants, write to its data. What it returns means nothing. */
int sample_touch(void);

#endif
