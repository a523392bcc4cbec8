/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_ARRAY_H
#define VMVIEW_BASE_ARRAY_H

/* How many elements an array has; of a pointer it would be wrong, and the compilers say so. */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
