/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_FRAG_ORDERS_H
#define VMVIEW_CMD_FRAG_ORDERS_H

#include <stddef.h>

#include "column/column.h"

struct buddy_zone;

/* Free memory by order, as `vmview frag` shows it. A row: an order of a zone. */
struct order_row {
	const struct buddy_zone *zone;
	unsigned order;
	size_t page_size;
};

extern const struct column_set frag_order_columns;
extern const char frag_order_defaults[];

#endif
