/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_WIRE_H
#define VMVIEW_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/out.h"

/*
 * What one process of ours writes for another on the same machine: numbers in the machine's order,
 * bytes with their length (32 bits) before them. The reader trusts nothing: whoever reads behind the
 * end gets zeroes, and bad stays set, so that one look at the end tells.
 */
struct wire {
	const char *at, *end;
	bool bad;
};

static inline struct wire wire_of(struct bytes data)
{
	return (struct wire){ data.data, data.data + data.len, false };
}

static inline void wire_take(struct wire *wire, void *into, size_t size)
{
	if ((size_t)(wire->end - wire->at) < size) {
		wire->bad = true;
		wire->at = wire->end;
		memset(into, 0, size);
		return;
	}
	memcpy(into, wire->at, size);
	wire->at += size;
}

static inline uint8_t wire_u8(struct wire *wire)
{
	uint8_t number;

	wire_take(wire, &number, sizeof(number));
	return number;
}

static inline uint16_t wire_u16(struct wire *wire)
{
	uint16_t number;

	wire_take(wire, &number, sizeof(number));
	return number;
}

static inline uint32_t wire_u32(struct wire *wire)
{
	uint32_t number;

	wire_take(wire, &number, sizeof(number));
	return number;
}

static inline uint64_t wire_u64(struct wire *wire)
{
	uint64_t number;

	wire_take(wire, &number, sizeof(number));
	return number;
}

/* Bytes, which stay where they are: they live as long as what is read from. */
static inline struct bytes wire_bytes(struct wire *wire)
{
	uint32_t len = wire_u32(wire);
	struct bytes found = { wire->at, len };

	if ((size_t)(wire->end - wire->at) < len) {
		wire->bad = true;
		wire->at = wire->end;
		return (struct bytes){ wire->end, 0 };
	}
	wire->at += len;
	return found;
}

/*
 * A count of records that take at least size bytes each: more than what is left can not follow, so a
 * list is never made longer than what came.
 */
static inline uint32_t wire_count(struct wire *wire, size_t size)
{
	uint32_t count = wire_u32(wire);

	if (count > (size_t)(wire->end - wire->at) / size) {
		wire->bad = true;
		return 0;
	}
	return count;
}

/* Nothing was missing, and nothing is left. */
static inline bool wire_is_done(const struct wire *wire)
{
	return !wire->bad && wire->at == wire->end;
}

#define WIRE_PUT(name, type)                                               \
	static inline void wire_put_##name(struct out *out, type number)   \
	{                                                                  \
		out_mem(out, (const char *)&number, sizeof(number));       \
	}

WIRE_PUT(u8, uint8_t)
WIRE_PUT(u16, uint16_t)
WIRE_PUT(u32, uint32_t)
WIRE_PUT(u64, uint64_t)

#undef WIRE_PUT

static inline void wire_put_bytes(struct out *out, struct bytes from)
{
	wire_put_u32(out, (uint32_t)from.len);
	out_mem(out, from.data, from.len);
}

#endif
