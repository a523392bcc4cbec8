/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_ELF_FRAMES_H
#define VMVIEW_TESTS_ELF_FRAMES_H

#include <stdlib.h>
#include <string.h>

#include "source/elf_wire.h"

/* Where a parser of ELF files sends what it finds: whatever that is, the decoder has to take it. */
static inline int take(void *ctx, const char *frames, size_t len)
{
	struct elf_decoder *decoder = ctx;
	uint32_t frame;

	while (len) {
		if (len < sizeof(frame))
			abort();
		memcpy(&frame, frames, sizeof(frame));
		if (frame > ELF_FRAME_MAX || frame > len - sizeof(frame))
			abort();
		if (elf_decode(decoder, (struct bytes){ frames + sizeof(frame), frame }))
			abort();
		frames += sizeof(frame) + frame;
		len -= sizeof(frame) + frame;
	}
	return 0;
}

#endif
